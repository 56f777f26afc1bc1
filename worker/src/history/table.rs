//! The rows in SQL, in whichever of the databases there is.

use std::collections::HashSet;
use std::sync::LazyLock;

use model::alert::Status;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Database, Encode, Type, query};

use super::row::HistoryRow;
use crate::store::sql::{for_postgres, padded, placeholders, places_for};
use crate::store::{Dialect, Insert, Pool, Store, StoreError};

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

const INSERT: Insert<'_> = Insert { table: "larkfire_history", columns: &COLUMNS, key: 2 };

/// A row that is there already is one that counts, or one of a statement whose answer was lost: written again it is what
/// it is to be.
static UPDATES: LazyLock<Vec<String>> =
    LazyLock::new(|| CHANGING.iter().map(|column| format!("{column} = NEW({column})")).collect());

/// Writes rows, at most [`ROWS_MAX`].
pub(super) async fn write(store: &Store, rows: &[HistoryRow]) -> Result<(), StoreError> {
    let dialect = store.pool().dialect();
    match store.pool() {
        Pool::MySql(server) => {
            let rows: Vec<_> = padded(rows, places_for(rows.len())).collect();
            let statement = insert(dialect, rows.len());
            let done = store.within(|| async { server.execute(bound(&statement, &rows)).await }).await;
            done.map(drop)
        }
        Pool::Postgres(server) => {
            let rows = last_of_each(rows);
            let statement = for_postgres(&insert(dialect, rows.len()));
            let done = store.within(|| async { server.execute(bound(&statement, &rows)).await }).await;
            done.map(drop)
        }
        Pool::Sqlite(pool) => {
            let rows: Vec<_> = padded(rows, places_for(rows.len())).collect();
            let statement = insert(dialect, rows.len());
            let done = store.within(|| async { bound(&statement, &rows).execute(pool).await }).await;
            done.map(drop)
        }
        Pool::Simulated(database) => store.within(|| database.statement(|(): &mut ()| ())).await,
    }
}

/// A statement of `PostgreSQL` changes no row twice, and one that counts may have been counted on while it waited.
fn last_of_each(rows: &[HistoryRow]) -> Vec<&HistoryRow> {
    let mut seen = HashSet::new();
    let mut last: Vec<_> = rows.iter().rev().filter(|row| seen.insert((row.at_ms, row.number))).collect();
    last.reverse();
    last
}

fn insert(dialect: Dialect, rows: usize) -> String {
    let values = format!("VALUES {}", placeholders(COLUMNS.len(), rows));
    INSERT.or_update(dialect, &values, &UPDATES)
}

/// Nothing in the text comes from outside.
fn bound<'q, DB>(statement: &str, rows: &[&HistoryRow]) -> Query<'q, DB, <DB as Database>::Arguments>
where
    DB: Database,
    for<'t> &'t [u8]: Encode<'t, DB> + Type<DB>,
    for<'t> Option<&'t [u8]>: Encode<'t, DB> + Type<DB>,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> Option<i64>: Encode<'t, DB> + Type<DB>,
{
    let statement = query(AssertSqlSafe(statement.to_owned()));
    rows.iter().fold(statement, |statement, row| {
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
