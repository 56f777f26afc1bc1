//! The components of a card: which may stand where, and what each of them needs.

use crate::card::names::{
    ACTION_LAYOUTS, BORDER_2_0, COMPONENTS_2_0, FLEX_MODES, ICON_2_0, PANEL_HEADER_2_0,
};
use crate::card::spot::Spot;
use crate::card::text::UNKNOWN_IMAGE;
use crate::card::{Inspection, Schema};
use crate::refusal::Refusal;

/// Column sets and panels inside each other.
const NESTING_MAX: usize = 5;

const ELEMENT_ID_CHARS_MAX: usize = 20;

/// `action` inside a column.
const ACTION_IN_COLUMN: u32 = 200_410;

/// The chart's specification is none.
const CHART_SPEC: u32 = 200_550;

/// Members that every component of schema 2.0 has.
const COMMON_2_0: [&str; 3] = ["tag", "element_id", "margin"];

/// What a component stands in, and how deep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    container: Container,
    depth: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Root,
    Column,
    Panel,
    Note,
    Action,
    Extra,
}

impl Place {
    pub(super) const ROOT: Self = Self { container: Container::Root, depth: 0 };

    fn inside(self, container: Container) -> Self {
        Self { container, depth: self.depth + 1 }
    }
}

impl<'a> Inspection<'a> {
    /// The components in an array; the array may be missing.
    pub(super) fn components(&mut self, parent: &Spot<'a>, name: &str, place: Place) -> Result<(), Refusal> {
        parent.objects(name)?.iter().try_for_each(|component| self.component(component, place))
    }

    fn component(&mut self, spot: &Spot<'a>, place: Place) -> Result<(), Refusal> {
        let tag = spot.string("tag")?;
        if self.schema == Schema::V2 {
            self.properties_2_0(spot, tag)?;
        }
        fits(spot, tag, place, self.schema)?;
        match tag {
            "plain_text" | "lark_md" => self.text(spot, &["plain_text", "lark_md"]),
            "markdown" => self.markdown(spot, spot.string("content")?),
            "div" => self.div(spot, place),
            "hr" => Ok(()),
            "img" => self.image(spot),
            "note" => self.components(spot, "elements", place.inside(Container::Note)),
            "action" => {
                spot.one_of("layout", &ACTION_LAYOUTS)?;
                self.components(spot, "actions", place.inside(Container::Action))
            }
            "button" => self.button(spot),
            "column_set" => self.column_set(spot, place),
            "collapsible_panel" => self.panel(spot, place),
            "table" => self.table(spot),
            "chart" => match spot.get("chart_spec") {
                Some(serde_json::Value::Object(_)) => Ok(()),
                _ => Err(spot.refuse(CHART_SPEC, "chart_spec is no object")),
            },
            _ => Err(spot.broken(&format!("unknown tag {tag}"))),
        }
    }

    /// The properties of a component in schema 2.0, and its id, which is unique in the card.
    fn properties_2_0(&mut self, spot: &Spot<'a>, tag: &str) -> Result<(), Refusal> {
        let Some((_, own)) = COMPONENTS_2_0.iter().find(|(known, _)| *known == tag) else {
            return Err(spot.unsupported(&format!("not support tag: {tag}")));
        };
        spot.only(&[&COMMON_2_0, *own].concat())?;
        let Some(id) = spot.optional_string("element_id")? else {
            return Ok(());
        };
        let legal = id.starts_with(|c: char| c.is_ascii_alphabetic())
            && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && id.len() <= ELEMENT_ID_CHARS_MAX;
        if !legal || self.element_ids.contains(&id) {
            return Err(spot.broken("element_id is illegal or not unique"));
        }
        self.element_ids.push(id);
        Ok(())
    }

    fn div(&mut self, spot: &Spot<'a>, place: Place) -> Result<(), Refusal> {
        const TEXTS: [&str; 2] = ["plain_text", "lark_md"];
        if spot.get("text").is_none() && spot.get("fields").is_none() {
            return Err(spot.broken("a div needs text or fields"));
        }
        if let Some(text) = spot.optional_object("text")? {
            self.text(&text, &TEXTS)?;
        }
        for field in spot.objects("fields")? {
            self.text(&field.object("text")?, &TEXTS)?;
        }
        match spot.optional_object("extra")? {
            Some(extra) => self.component(&extra, place.inside(Container::Extra)),
            None => Ok(()),
        }
    }

    fn image(&mut self, spot: &Spot<'a>) -> Result<(), Refusal> {
        if !self.audience.shows(spot.string("img_key")?) {
            return Err(spot.refuse(UNKNOWN_IMAGE, "invalid image key"));
        }
        self.text(&spot.object("alt")?, &["plain_text"])
    }

    fn column_set(&mut self, spot: &Spot<'a>, place: Place) -> Result<(), Refusal> {
        spot.one_of("flex_mode", &FLEX_MODES)?;
        for column in spot.objects("columns")? {
            if column.string("tag")? != "column" {
                return Err(column.broken("a column_set holds columns only"));
            }
            if self.schema == Schema::V2 {
                self.properties_2_0(&column, "column")?;
            }
            let width = column.optional_string("width")?.unwrap_or("auto");
            let is_known = match self.schema {
                Schema::V1 => matches!(width, "auto" | "weighted"),
                Schema::V2 => matches!(width, "auto" | "weighted") || is_pixels(width),
            };
            if !is_known {
                return Err(column.broken("width is none of auto and weighted"));
            }
            if let Some(weight) = column.get("weight")
                && !weight.as_u64().is_some_and(|weight| (1..=5).contains(&weight))
            {
                return Err(column.broken("weight is not 1 to 5"));
            }
            self.components(&column, "elements", place.inside(Container::Column))?;
        }
        Ok(())
    }

    fn panel(&mut self, spot: &Spot<'a>, place: Place) -> Result<(), Refusal> {
        let header = spot.object("header")?;
        self.text(&header.object("title")?, &["plain_text", "markdown"])?;
        if self.schema == Schema::V2 {
            header.only(&PANEL_HEADER_2_0)?;
            header.one_of("icon_position", &["left", "right", "follow_text"])?;
            if let Some(angle) = header.get("icon_expanded_angle")
                && !angle.as_i64().is_some_and(|angle| matches!(angle, -180 | -90 | 90 | 180))
            {
                return Err(header.broken("icon_expanded_angle is no quarter or half turn"));
            }
            if let Some(icon) = header.optional_object("icon")? {
                icon.only(&ICON_2_0)?;
                icon.one_of("tag", &["standard_icon", "custom_icon"])?;
            }
            if let Some(border) = spot.optional_object("border")? {
                border.only(&BORDER_2_0)?;
            }
        }
        self.components(spot, "elements", place.inside(Container::Panel))
    }
}

/// Whether this is a width such as `120px`.
fn is_pixels(width: &str) -> bool {
    let pixels = width.strip_suffix("px").and_then(|number| number.parse::<u32>().ok());
    pixels.is_some_and(|pixels| (16..=600).contains(&pixels))
}

/// Whether this component may stand at this place at all.
fn fits(spot: &Spot<'_>, tag: &str, place: Place, schema: Schema) -> Result<(), Refusal> {
    let possible = match place.container {
        Container::Root => !matches!((tag, schema), ("button", Schema::V1) | ("plain_text" | "lark_md", _)),
        Container::Column | Container::Panel if tag == "action" => {
            return Err(spot.refuse(ACTION_IN_COLUMN, "action cannot stand in a column"));
        }
        Container::Column | Container::Panel => !matches!(tag, "table" | "plain_text" | "lark_md"),
        Container::Note => matches!(tag, "plain_text" | "lark_md" | "img"),
        Container::Action => tag == "button",
        Container::Extra => matches!(tag, "button" | "img"),
    };
    if !possible {
        return Err(spot.broken(&format!("{tag} cannot stand here")));
    }
    if place.depth >= NESTING_MAX && matches!(tag, "column_set" | "collapsible_panel") {
        return Err(spot.broken("nested more than 5 deep"));
    }
    Ok(())
}
