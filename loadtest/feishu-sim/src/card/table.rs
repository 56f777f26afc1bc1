//! Tables: at the root only, five a card, with declared columns.

use serde_json::Value;

use crate::card::names::{TABLE_COLUMN_2_0, TABLE_DATA_TYPES, TABLE_HEADER_2_0};
use crate::card::spot::Spot;
use crate::card::{Inspection, Schema, TOO_MANY};
use crate::refusal::Refusal;

const TABLES_MAX: usize = 5;
const COLUMNS_MAX: usize = 50;

/// A row's value does not fit the column's type.
const WRONG_VALUE: u32 = 200_914;

/// A row's key is no declared column.
const UNDECLARED: u32 = 200_915;

impl Inspection<'_> {
    pub(super) fn table(&mut self, table: &Spot<'_>) -> Result<(), Refusal> {
        self.tables += 1;
        if self.tables > TABLES_MAX {
            return Err(table.refuse(TOO_MANY, "card table number over limit"));
        }
        if let Some(size) = table.get("page_size")
            && !size.as_u64().is_some_and(|size| (1..=10).contains(&size))
        {
            return Err(table.broken("page_size is not 1 to 10"));
        }
        let columns = table.objects("columns")?;
        if columns.is_empty() || columns.len() > COLUMNS_MAX {
            return Err(table.broken("a table has 1 to 50 columns"));
        }
        let mut declared = Vec::with_capacity(columns.len());
        if let Some(style) = table.optional_object("header_style")?
            && self.schema == Schema::V2
        {
            style.only(&TABLE_HEADER_2_0)?;
        }
        for column in &columns {
            if self.schema == Schema::V2 {
                column.only(&TABLE_COLUMN_2_0)?;
            }
            column.optional_string("display_name")?;
            column.one_of("data_type", &TABLE_DATA_TYPES)?;
            declared.push((column.string("name")?, column.string("data_type")?));
        }
        for row in table.objects("rows")? {
            for key in row.names() {
                let Some((_, data_type)) = declared.iter().find(|(name, _)| *name == key) else {
                    return Err(row.refuse(UNDECLARED, &format!("{key} is no declared column")));
                };
                if !row.get(key).is_some_and(|value| fits(value, data_type)) {
                    return Err(row.refuse(WRONG_VALUE, &format!("{key} is no {data_type}")));
                }
            }
        }
        Ok(())
    }
}

fn fits(value: &Value, data_type: &str) -> bool {
    match data_type {
        "number" => value.is_number(),
        "date" => value.is_i64(),
        "options" | "persons" => value.is_array() || value.is_string(),
        _ => value.is_string(),
    }
}
