//! The ledger in `MySQL` or MariaDB. Nothing here needs more than `MySQL` 5.7: no `RETURNING`, no alias for new rows.

use std::sync::LazyLock;

use sqlx::mysql::MySql;
use sqlx::{AssertSqlSafe, query};

use super::batch::Key;
use super::columns::{
    Bound, COLUMNS, KEY_COLUMNS, Read, bind_change, bind_key, bind_wanted, finding, in_order_of,
};
use super::port::{LedgerStore, RowChange, Stamp, Stored, losers};
use super::row::Millis;
use super::traced_alert::{TraceFilter, TracedAlert};
use crate::store::Server;
use crate::store::sql::{padded, placeholders, places_for};

/// "Deadlock found when trying to get lock": the statement was undone, and is worth another try.
const DEADLOCK: u16 = 1213;

/// Replaces each row whose version is the one the change was made from. `MySQL` assigns from left to right, so
/// `version`, which the other columns look at, comes last.
static ON_DUPLICATE: LazyLock<String> = LazyLock::new(|| {
    let assignments: Vec<_> = COLUMNS
        .iter()
        .skip(KEY_COLUMNS)
        .map(|column| format!("{column} = IF(version = VALUES(previous), VALUES({column}), {column})"))
        .collect();
    format!("ON DUPLICATE KEY UPDATE {}", assignments.join(", "))
});

pub(super) struct MySqlLedger<'p>(pub(super) &'p Server<MySql>);

impl LedgerStore for MySqlLedger<'_> {
    async fn load(&self, keys: &[&Key<'_>]) -> Result<Vec<Option<Stored>>, sqlx::Error> {
        let places = places_for(keys.len());
        let sql = format!(
            "SELECT {} FROM larkfire_ledger WHERE (fingerprint, receiver) IN ({})",
            COLUMNS.join(", "),
            placeholders(KEY_COLUMNS, places)
        );
        let query = padded(keys, places)
            .fold(query(AssertSqlSafe(sql)), |query: Bound<'_, MySql>, key| bind_key(query, key));
        let rows = self.0.rows(query).await?;
        Ok(in_order_of(keys, rows.iter().map(Read::from).collect::<Result<_, _>>()?))
    }

    async fn save(&self, changes: &[RowChange<'_>], stamp: Stamp) -> Result<Vec<usize>, sqlx::Error> {
        // One statement for each kind: what they count tells then whether all of it was done.
        let (new, old): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.replaces.is_none());
        let mut is_done = true;
        for (kind, changes) in [(WriteKind::New, new), (WriteKind::Old, old)] {
            if !changes.is_empty() {
                is_done &= self.write(kind, &changes, stamp).await?;
            }
        }
        if is_done {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = changes.iter().map(|change| change.key).collect();
        Ok(losers(changes, &self.load(&keys).await?, stamp))
    }

    async fn clean(&self, before: Millis, rows_max: u32) -> Result<u64, sqlx::Error> {
        let statement = "DELETE FROM larkfire_ledger WHERE touched_at < ? ORDER BY touched_at LIMIT ?";
        Ok(self.0.execute(query(statement).bind(before).bind(rows_max)).await?.rows_affected())
    }

    async fn find(&self, wanted: TraceFilter<'_>, rows_max: u32) -> Result<Vec<TracedAlert>, sqlx::Error> {
        let query = bind_wanted(query(AssertSqlSafe(finding(wanted))), wanted);
        let rows = self.0.rows(query.bind(rows_max)).await?;
        rows.iter().map(|row| Read::from(row).map(Read::into_entry)).collect()
    }
}

/// Whether the rows are there already, as far as we know.
#[derive(Clone, Copy)]
enum WriteKind {
    New,
    Old,
}

impl MySqlLedger<'_> {
    /// Says whether each change was made; if not, it does not say which.
    async fn write(
        &self,
        kind: WriteKind,
        changes: &[&RowChange<'_>],
        stamp: Stamp,
    ) -> Result<bool, sqlx::Error> {
        let rows = changes.len();
        let places = places_for(changes.len());
        let (insert, on_duplicate) = match kind {
            WriteKind::New => ("INSERT IGNORE", ""),
            WriteKind::Old => ("INSERT", ON_DUPLICATE.as_str()),
        };
        let sql = format!(
            "{insert} INTO larkfire_ledger ({}) VALUES {} {on_duplicate}",
            COLUMNS.join(", "),
            placeholders(COLUMNS.len(), places)
        );
        let query = padded(changes, places)
            .fold(query(AssertSqlSafe(sql)), |query: Bound<'_, MySql>, change| {
                bind_change(query, change, stamp)
            });
        let counted = match self.0.execute(query).await {
            Ok(done) => done.rows_affected(),
            // Whoever was in the way has won; what is left of ours is decided again.
            Err(error) if is_deadlock(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        // A row counts as 1 if it is new, 2 if it was changed, and 1 if it was found and left alone (0 with INSERT
        // IGNORE). The repeats at the end find their row as the statement itself has made it, and leave it alone.
        let expected = match kind {
            WriteKind::New => rows,
            WriteKind::Old => 2 * rows + (places - rows),
        };
        Ok(usize::try_from(counted) == Ok(expected))
    }
}

fn is_deadlock(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>())
        .is_some_and(|error| error.number() == DEADLOCK)
}
