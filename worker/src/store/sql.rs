//! The same statement on any database. What they have in common is the text, written as `MySQL` has it (`dialect.rs` has what
//! differs); their types are kept in here.

use std::borrow::Cow;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgRow, PgTypeInfo};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Encode, Executor, FromRow, MySql, Postgres, Row, Sqlite, Type};

pub(crate) use super::dialect::for_postgres;
use crate::store::{ConnectionLease, Pool, SimulatedDatabase};

/// What takes the place of a `?`.
#[derive(Clone, Copy, Debug)]
pub enum Value<'v> {
    /// Nothing.
    Null,
    /// A number.
    Number(i64),
    /// A text, in the column's collation.
    Text(&'v str),
    /// Bytes, compared one by one.
    Bytes(&'v [u8]),
}

/// Several statements that are done together or not at all. Dropped before it is committed it is undone, on a server by
/// cutting its connection.
pub(crate) enum Transaction {
    MySql(ConnectionLease<MySql>),
    Postgres(ConnectionLease<Postgres>),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Simulated(SimulatedDatabase),
}

impl Transaction {
    /// Its first statement has to be one that writes: a reader of a SQLite file cannot become its writer.
    pub(crate) async fn begin(pool: &Pool) -> Result<Self, sqlx::Error> {
        Ok(match pool {
            Pool::MySql(server) => {
                let mut lease = server.lease().await?;
                lease.connection()?.execute("START TRANSACTION").await?;
                Self::MySql(lease)
            }
            Pool::Postgres(server) => {
                let mut lease = server.lease().await?;
                lease.connection()?.execute("BEGIN").await?;
                Self::Postgres(lease)
            }
            Pool::Sqlite(pool) => Self::Sqlite(pool.begin().await?),
            Pool::Simulated(database) => Self::Simulated(database.clone()),
        })
    }

    /// Says how many rows were meant; on `MySQL` also those that were so already.
    pub(crate) async fn execute(&mut self, text: &str, values: &[Value<'_>]) -> Result<u64, sqlx::Error> {
        match self {
            Self::MySql(lease) => {
                let done = mysql(text, values).execute(lease.connection()?).await?;
                Ok(done.rows_affected())
            }
            Self::Postgres(lease) => {
                let done = postgres(text, values).execute(lease.connection()?).await?;
                Ok(done.rows_affected())
            }
            Self::Sqlite(transaction) => {
                let done = sqlite(text, values).execute(&mut **transaction).await?;
                Ok(done.rows_affected())
            }
            Self::Simulated(_) => Ok(1),
        }
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::MySql(mut lease) => {
                let done = lease.connection()?.execute("COMMIT").await;
                lease.settled(done).map(drop)
            }
            Self::Postgres(mut lease) => {
                let done = lease.connection()?.execute("COMMIT").await;
                lease.settled(done).map(drop)
            }
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Simulated(database) => database.statement(|(): &mut ()| ()).await,
        }
    }
}

/// One statement by itself; says how many rows were meant.
pub async fn execute(pool: &Pool, text: &str, values: &[Value<'_>]) -> Result<u64, sqlx::Error> {
    match pool {
        Pool::MySql(server) => Ok(server.execute(mysql(text, values)).await?.rows_affected()),
        Pool::Postgres(server) => Ok(server.execute(postgres(text, values)).await?.rows_affected()),
        Pool::Sqlite(pool) => Ok(sqlite(text, values).execute(pool).await?.rows_affected()),
        Pool::Simulated(database) => database.statement(|(): &mut ()| 0).await,
    }
}

/// Inserts one row; says which number it got, in the column `id`.
pub(crate) async fn insert(pool: &Pool, text: &str, values: &[Value<'_>]) -> Result<i64, sqlx::Error> {
    Ok(match pool {
        Pool::MySql(server) => {
            let id = server.execute(mysql(text, values)).await?.last_insert_id();
            i64::try_from(id).unwrap_or(i64::MAX)
        }
        Pool::Postgres(server) => {
            let rows = server.rows(postgres(&format!("{text} RETURNING id"), values)).await?;
            rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?
        }
        Pool::Sqlite(pool) => sqlite(text, values).execute(pool).await?.last_insert_rowid(),
        Pool::Simulated(database) => database.statement(|(): &mut ()| 1).await?,
    })
}

/// The rows of a query, which has to limit them.
pub async fn rows<T>(pool: &Pool, text: &str, values: &[Value<'_>]) -> Result<Vec<T>, sqlx::Error>
where
    T: for<'r> FromRow<'r, MySqlRow> + for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow>,
{
    match pool {
        Pool::MySql(server) => {
            let rows = server.rows(mysql(text, values)).await?;
            rows.iter().map(T::from_row).collect()
        }
        Pool::Postgres(server) => {
            let rows = server.rows(postgres(text, values)).await?;
            rows.iter().map(T::from_row).collect()
        }
        Pool::Sqlite(pool) => {
            let rows = sqlite(text, values).fetch_all(pool).await?;
            rows.iter().map(T::from_row).collect()
        }
        Pool::Simulated(database) => database.statement(|(): &mut ()| Vec::new()).await,
    }
}

/// How the database would find the rows of a query, step by step and in its own words.
pub async fn explain(pool: &Pool, text: &str, values: &[Value<'_>]) -> Result<Vec<String>, sqlx::Error> {
    let text = match pool {
        // MySQL 9 draws a tree unless the table is asked for.
        Pool::MySql(_) => format!("EXPLAIN FORMAT=TRADITIONAL {text}"),
        Pool::Postgres(_) => format!("EXPLAIN {text}"),
        Pool::Sqlite(_) | Pool::Simulated(_) => format!("EXPLAIN QUERY PLAN {text}"),
    };
    let steps: Vec<PlanStep> = rows(pool, &text, values).await?;
    Ok(steps.into_iter().map(|step| step.0).collect())
}

struct PlanStep(String);

impl FromRow<'_, MySqlRow> for PlanStep {
    fn from_row(row: &MySqlRow) -> Result<Self, sqlx::Error> {
        let word =
            |column| Ok::<_, sqlx::Error>(row.try_get::<Option<String>, _>(column)?.unwrap_or_default());
        Ok(Self(format!("{} by {}; {}", word("type")?, word("key")?, word("Extra")?)))
    }
}

impl FromRow<'_, PgRow> for PlanStep {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        row.try_get(0).map(Self)
    }
}

impl FromRow<'_, SqliteRow> for PlanStep {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        row.try_get("detail").map(Self)
    }
}

/// `?, ?, …` for as many values.
pub(crate) fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// `(?, ?), (?, ?)`: so many places for so many rows.
pub(crate) fn placeholders(columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// How many places a statement for so many rows has: a power of two, so that a connection prepares ten sizes of a
/// statement and not five hundred.
pub(crate) const fn places_for(rows: usize) -> usize {
    rows.next_power_of_two()
}

/// The rows for so many places; what is left over repeats the last one.
pub(crate) fn padded<T>(rows: &[T], places: usize) -> impl Iterator<Item = &T> {
    rows.iter().chain(rows.last().into_iter().cycle()).take(places)
}

// No text comes from outside: what does is a value.
fn mysql<'q>(text: &str, values: &[Value<'_>]) -> Query<'q, MySql, MySqlArguments> {
    values.iter().fold(sqlx::query(AssertSqlSafe(text.to_owned())), |query, value| match value {
        Value::Null => query.bind(None::<i64>),
        Value::Number(number) => query.bind(*number),
        Value::Text(text) => query.bind((*text).to_owned()),
        Value::Bytes(bytes) => query.bind(bytes.to_vec()),
    })
}

fn postgres<'q>(text: &str, values: &[Value<'_>]) -> Query<'q, Postgres, PgArguments> {
    values.iter().fold(sqlx::query(AssertSqlSafe(for_postgres(text))), |query, value| match value {
        Value::Null => query.bind(OfAnyType),
        Value::Number(number) => query.bind(*number),
        Value::Text(text) => query.bind(without_nul(text).into_owned()),
        Value::Bytes(bytes) => query.bind(bytes.to_vec()),
    })
}

/// A text as `PostgreSQL` takes it, whose texts have no NUL: the sign for one stands in its place.
fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{2400}")) } else { Cow::Borrowed(text) }
}

/// Nothing, of whatever type `PostgreSQL` finds in its place.
struct OfAnyType;

impl Type<Postgres> for OfAnyType {
    fn type_info() -> PgTypeInfo {
        // A type by which a client leaves it to the server ("unknown" of `pg_type`).
        PgTypeInfo::with_oid(Oid(705))
    }
}

impl Encode<'_, Postgres> for OfAnyType {
    fn encode_by_ref(&self, _buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

fn sqlite<'q>(text: &str, values: &[Value<'_>]) -> Query<'q, Sqlite, SqliteArguments> {
    values.iter().fold(sqlx::query(AssertSqlSafe(text.to_owned())), |query, value| match value {
        Value::Null => query.bind(None::<i64>),
        Value::Number(number) => query.bind(*number),
        Value::Text(text) => query.bind((*text).to_owned()),
        Value::Bytes(bytes) => query.bind(bytes.to_vec()),
    })
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
