//! The ledger in a `SQLite` file.

use sqlx::sqlite::{Sqlite, SqlitePool};
use sqlx::{AssertSqlSafe, query};

use super::batch::Key;
use super::columns::{
    Bound, COLUMNS, KEY_COLUMNS, Read, bind_change, bind_key, bind_wanted, finding, in_order_of,
};
use super::port::{LedgerStore, RowChange, Stamp, Stored, losers};
use super::row::Millis;
use super::traced_alert::{TraceFilter, TracedAlert};
use crate::store::sql::{padded, placeholders, places_for};

pub(super) struct SqliteLedger<'p>(pub(super) &'p SqlitePool);

impl LedgerStore for SqliteLedger<'_> {
    async fn load(&self, keys: &[&Key<'_>]) -> Result<Vec<Option<Stored>>, sqlx::Error> {
        let places = places_for(keys.len());
        // A join, with the keys first: with `IN (VALUES ...)` it reads the whole table.
        let sql = format!(
            "SELECT {} FROM (VALUES {}) AS wanted CROSS JOIN larkfire_ledger \
             ON fingerprint = wanted.column1 AND receiver = wanted.column2",
            COLUMNS.join(", "),
            placeholders(KEY_COLUMNS, places)
        );
        let query = padded(keys, places)
            .fold(query(AssertSqlSafe(sql)), |query: Bound<'_, Sqlite>, key| bind_key(query, key));
        let rows = query.fetch_all(self.0).await?;
        Ok(in_order_of(keys, rows.iter().map(Read::from).collect::<Result<_, _>>()?))
    }

    async fn save(&self, changes: &[RowChange<'_>], stamp: Stamp) -> Result<Vec<usize>, sqlx::Error> {
        let places = places_for(changes.len());
        let assignments: Vec<_> =
            COLUMNS.iter().skip(KEY_COLUMNS).map(|column| format!("{column} = excluded.{column}")).collect();
        let sql = format!(
            "INSERT INTO larkfire_ledger ({}) VALUES {} ON CONFLICT (fingerprint, receiver) DO UPDATE SET {} \
             WHERE larkfire_ledger.version = excluded.previous",
            COLUMNS.join(", "),
            placeholders(COLUMNS.len(), places),
            assignments.join(", ")
        );
        let query = padded(changes, places)
            .fold(query(AssertSqlSafe(sql)), |query: Bound<'_, Sqlite>, change| {
                bind_change(query, change, stamp)
            });
        // A statement that writes takes the write lock before it reads: for one statement that is what
        // `BEGIN IMMEDIATE` is for several. A repeat finds the version its row has just been given, and counts as 0.
        let done = query.execute(self.0).await?.rows_affected();
        if usize::try_from(done) == Ok(changes.len()) {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = changes.iter().map(|change| change.key).collect();
        Ok(losers(changes, &self.load(&keys).await?, stamp))
    }

    async fn clean(&self, before: Millis, rows_max: u32) -> Result<u64, sqlx::Error> {
        let statement = "DELETE FROM larkfire_ledger WHERE (fingerprint, receiver) IN \
            (SELECT fingerprint, receiver FROM larkfire_ledger WHERE touched_at < ? ORDER BY touched_at LIMIT ?)";
        Ok(query(statement).bind(before).bind(rows_max).execute(self.0).await?.rows_affected())
    }

    async fn find(&self, wanted: TraceFilter<'_>, rows_max: u32) -> Result<Vec<TracedAlert>, sqlx::Error> {
        let query = bind_wanted(query(AssertSqlSafe(finding(wanted))), wanted);
        let rows = query.bind(rows_max).fetch_all(self.0).await?;
        rows.iter().map(|row| Read::from(row).map(Read::into_entry)).collect()
    }
}
