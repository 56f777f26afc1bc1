//! The one query. Names of tables and columns are identifiers by their kind of setting, and quoted; everything else
//! is a value.

use config::UserTableConfig;

use super::refusal;
use super::row::UserRow;
use crate::people::person::Person;
use crate::store::sql::{Value, places, rows};
use crate::store::{Dialect, Pool};

/// Rows of one query; several people may have the same name or number.
const ROWS_MAX: usize = 1_000;

/// What `MySQL` (the last two: since 8.0) and MariaDB answer where a name has characters that the column's set does not: one
/// such name, which an alert may bring along, would cost everybody their mention.
const OTHER_CHARACTERS: [u16; 5] = [1267, 1270, 1271, 3854, 3988];

/// How columns are compared with names.
#[derive(Clone, Copy, Debug)]
enum ColumnComparison {
    /// As they are kept, by their index.
    AsKept,
    /// In a set that has every character, by reading all of them.
    Converted,
    /// As texts, names without regard to case: `PostgreSQL` compares no number with a text, and tells `ann` from `Ann`.
    AsText,
}

/// The table and its columns, quoted.
#[derive(Debug)]
pub(super) struct Columns {
    table: String,
    username: String,
    nickname: String,
    mobile: String,
    id: String,
}

type TextColumn = Option<String>;

impl Columns {
    /// The operators'.
    pub(super) fn theirs(config: &UserTableConfig, dialect: Dialect) -> Self {
        let quoted = |name: &str| match dialect {
            Dialect::MySql => format!("`{name}`"),
            Dialect::Postgres | Dialect::Sqlite => format!("\"{name}\""),
        };
        let table = config.name.split('.').map(quoted).collect::<Vec<_>>().join(".");
        let names = &config.columns;
        Self {
            table,
            username: quoted(&names.username),
            nickname: quoted(&names.nickname),
            mobile: quoted(&names.mobile),
            id: quoted(&names.id),
        }
    }

    /// Our own.
    pub(super) fn ours() -> Self {
        let [table, username, nickname, mobile, id] =
            ["larkfire_users", "username", "nickname", "mobile", "source_user_id"].map(str::to_owned);
        Self { table, username, nickname, mobile, id }
    }

    /// The query for rows that have one of so many values in one of these columns.
    fn query(&self, wanted: &[(&str, usize)], compared: ColumnComparison) -> String {
        let Self { table, username, nickname, mobile, id } = self;
        // A number may be kept as a number, an id too.
        let columns = [username, nickname, mobile, id].map(|column| format!("CAST({column} AS CHAR)"));
        let comparison = |column: &str, count: usize| {
            let places = places(count);
            match compared {
                ColumnComparison::AsKept => format!("{column} IN ({places})"),
                ColumnComparison::Converted => format!("CONVERT({column} USING utf8mb4) IN ({places})"),
                ColumnComparison::AsText if column == username => {
                    format!("LOWER(CAST({column} AS CHAR)) IN ({})", places.replace('?', "LOWER(?)"))
                }
                ColumnComparison::AsText => format!("CAST({column} AS CHAR) IN ({places})"),
            }
        };
        let condition = |(column, count): &(&str, usize)| (*count > 0).then(|| comparison(column, *count));
        let conditions = wanted.iter().filter_map(condition).collect::<Vec<_>>().join(" OR ");
        format!("SELECT {} FROM {table} WHERE {conditions} LIMIT {ROWS_MAX}", columns.join(", "))
    }
}

/// Numbers of rows: all, then those with a user name, a nickname, a mobile, an id, and an open id.
pub(super) type Counts = (i64, i64, i64, i64, i64, i64);

/// Counts the table through; asks for all its columns.
pub(super) async fn count(pool: &Pool, columns: &Columns, id_prefix: &str) -> Result<Counts, sqlx::Error> {
    let Columns { table, username, nickname, mobile, id } = columns;
    let filled = [username, nickname, mobile, id]
        .map(|column| format!("COUNT(NULLIF(CAST({column} AS CHAR), ''))"))
        .join(", ");
    let is_open = format!("CAST({id} AS CHAR) LIKE ? ESCAPE '!'");
    let open = format!("COUNT(CASE WHEN {is_open} OR {is_open} THEN 1 END)");
    let query = format!("SELECT COUNT(*), {filled}, {open} FROM {table}");
    let literal = id_prefix.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let prefixed = format!("{literal}ou!_%");
    let counts = rows(pool, &query, &[Value::Text("ou!_%"), Value::Text(&prefixed)]).await?;
    counts.into_iter().next().ok_or(sqlx::Error::RowNotFound)
}

/// The rows of these people.
pub(super) async fn find(
    pool: &Pool,
    columns: &Columns,
    id_prefix: &str,
    people: &[Person],
) -> Result<Vec<UserRow>, sqlx::Error> {
    let names: Vec<&str> = people.iter().filter_map(name).collect();
    let numbers: Vec<&str> = people.iter().flat_map(numbers).collect();
    if names.is_empty() && numbers.is_empty() {
        return Ok(Vec::new());
    }
    let values: Vec<Value<'_>> = names.iter().chain(&numbers).map(|text| Value::Text(text)).collect();
    let wanted = [(columns.username.as_str(), names.len()), (columns.mobile.as_str(), numbers.len())];
    read(pool, columns, &wanted, &values, id_prefix).await
}

/// The rows with one of these ids, with the operators' own prefix or without.
pub(super) async fn with_ids(
    pool: &Pool,
    columns: &Columns,
    id_prefix: &str,
    ids: &[&str],
) -> Result<Vec<UserRow>, sqlx::Error> {
    let prefixed: Vec<_> = ids.iter().map(|id| format!("{id_prefix}{id}")).collect();
    let values: Vec<Value<'_>> =
        ids.iter().copied().chain(prefixed.iter().map(String::as_str)).map(Value::Text).collect();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    read(pool, columns, &[(&columns.id, values.len())], &values, id_prefix).await
}

/// The rows that have one of these values in one of these columns, each with how many of the values are for it.
async fn read(
    pool: &Pool,
    columns: &Columns,
    wanted: &[(&str, usize)],
    values: &[Value<'_>],
    id_prefix: &str,
) -> Result<Vec<UserRow>, sqlx::Error> {
    let comparison = match pool.dialect() {
        Dialect::MySql | Dialect::Sqlite => ColumnComparison::AsKept,
        Dialect::Postgres => ColumnComparison::AsText,
    };
    let found = match rows(pool, &columns.query(wanted, comparison), values).await {
        Err(error) if refusal(&error).is_some_and(|number| OTHER_CHARACTERS.contains(&number)) => {
            rows(pool, &columns.query(wanted, ColumnComparison::Converted), values).await
        }
        found => found,
    };
    let found: Vec<(TextColumn, TextColumn, TextColumn, TextColumn)> = found?;
    Ok(found
        .into_iter()
        .map(|(username, nickname, mobile, id)| UserRow::of([username, nickname, mobile, id], id_prefix))
        .collect())
}

fn name(person: &Person) -> Option<&str> {
    match person {
        Person::Name(name) => Some(name),
        Person::All | Person::OpenId(_) | Person::Mobile(_) => None,
    }
}

fn numbers(person: &Person) -> Vec<&str> {
    match person {
        Person::Mobile(mobile) => mobile.forms(),
        Person::All | Person::OpenId(_) | Person::Name(_) => Vec::new(),
    }
}
