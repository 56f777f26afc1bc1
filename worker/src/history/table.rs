//! The rows in SQL, in whichever of the databases there is.

use std::sync::LazyLock;

use model::alert::Status;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Database, Encode, Type, query};

use super::row::HistoryRow;
use crate::store::sql::{padded, placeholders, places_for};
use crate::store::{Pool, Store, StoreError};

/// Rows in one statement at most: as many as gain something, and few enough that whoever waits for the one connection to a
/// file waits for some milliseconds.
pub(super) const ROWS_MAX: usize = 256;
/// The same in bytes, well below what old servers take at once (1 MiB).
pub(super) const BYTES_MAX: usize = 256 * 1024;

/// All columns, in the order they are bound in.
const COLUMNS: [&str; 18] = [
    "at_ms",
    "number",
    "receiver",
    "identity",
    "name",
    "status",
    "outcome",
    "envelope",
    "by_envelope",
    "last_ms",
    "times",
    "until_ms",
    "card",
    "bot",
    "attempts",
    "code",
    "reason",
    "labels",
];
/// What changes of a row that counts.
const CHANGING: [&str; 7] = ["envelope", "last_ms", "times", "until_ms", "attempts", "code", "reason"];

const FIRING: i64 = 0;
const RESOLVED: i64 = 1;

/// As rows have it.
pub(super) const fn status_number(status: Status) -> i64 {
    match status {
        Status::Firing => FIRING,
        Status::Resolved => RESOLVED,
    }
}

/// A row that is there already is one that counts, or one of a statement whose answer was lost: written again it is what
/// it is to be.
static MYSQL_UPDATES: LazyLock<String> = LazyLock::new(|| {
    let updates = CHANGING.map(|column| format!("{column} = VALUES({column})"));
    format!("ON DUPLICATE KEY UPDATE {}", updates.join(", "))
});
static SQLITE_UPDATES: LazyLock<String> = LazyLock::new(|| {
    let updates = CHANGING.map(|column| format!("{column} = excluded.{column}"));
    format!("ON CONFLICT (at_ms, number) DO UPDATE SET {}", updates.join(", "))
});

/// Writes rows, at most [`ROWS_MAX`].
pub(super) async fn write(store: &Store, rows: &[HistoryRow]) -> Result<(), StoreError> {
    match store.pool() {
        Pool::MySql(server) => {
            let statement = insert(rows.len(), &MYSQL_UPDATES);
            let done = store.within(|| async { server.execute(bound(&statement, rows)).await }).await;
            done.map(drop)
        }
        Pool::Sqlite(pool) => {
            let statement = insert(rows.len(), &SQLITE_UPDATES);
            let done = store.within(|| async { bound(&statement, rows).execute(pool).await }).await;
            done.map(drop)
        }
        Pool::Simulated(database) => store.within(|| database.statement(|(): &mut ()| ())).await,
    }
}

fn insert(rows: usize, updates: &str) -> String {
    let columns = COLUMNS.join(", ");
    let places = placeholders(COLUMNS.len(), places_for(rows));
    format!("INSERT INTO larkfire_history ({columns}) VALUES {places} {updates}")
}

/// Nothing in the text comes from outside.
fn bound<'q, DB>(statement: &str, rows: &[HistoryRow]) -> Query<'q, DB, <DB as Database>::Arguments>
where
    DB: Database,
    for<'t> &'t [u8]: Encode<'t, DB> + Type<DB>,
    for<'t> Option<&'t [u8]>: Encode<'t, DB> + Type<DB>,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> Option<i64>: Encode<'t, DB> + Type<DB>,
{
    let statement = query(AssertSqlSafe(statement.to_owned()));
    padded(rows, places_for(rows.len())).fold(statement, |statement, row| {
        let facts = row.facts();
        statement
            .bind(row.at_ms)
            .bind(row.number)
            .bind(facts.receiver().as_bytes())
            .bind(row.identity())
            .bind(row.name())
            .bind(status_number(row.status))
            .bind(row.outcome.number())
            .bind(row.envelope.as_bytes().as_slice())
            .bind(row.by.as_ref().map(|by| by.as_bytes().as_slice()))
            .bind(row.last_ms)
            .bind(i64::from(row.times))
            .bind(row.until_ms)
            .bind(facts.card().map(str::as_bytes))
            .bind(facts.bot().map(str::as_bytes))
            .bind(i64::from(row.attempts))
            .bind(facts.code())
            .bind(facts.reason().map(str::as_bytes))
            .bind(row.labels())
    })
}
