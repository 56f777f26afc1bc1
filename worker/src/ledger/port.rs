//! What the ledger needs of a database: one trait, the rows it reads and writes, and the sizes all engines keep to.

use std::future::Future;

use super::batch::Key;
use super::row::{LedgerRow, Millis};
use super::traced_alert::{TraceFilter, TracedAlert};

/// Rows in one statement at most. More gain nothing (`MySQL` does some 180 000 rows a second at this size), and the
/// deadline of the database is for one statement.
pub(crate) const ROWS_MAX: usize = 512;

/// A row as it stands in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) row: LedgerRow,
    /// Random, and another one after each write.
    pub(crate) version: i64,
}

/// A row to be written, if nobody has written it since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowChange<'c> {
    pub(crate) key: &'c Key<'c>,
    pub(crate) row: LedgerRow,
    /// The version it replaces; `None` if there is no row yet.
    pub(crate) replaces: Option<i64>,
}

/// What all rows of one write have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// Their new version. Never 0, which stands for "no row".
    pub(crate) version: i64,
    pub(crate) now: Millis,
}

/// What the ledger needs of a database. At most [`ROWS_MAX`] keys at a time, sorted and without repeats.
pub(crate) trait LedgerStore {
    /// The rows of these keys, in their order.
    fn load(
        &self,
        keys: &[&Key<'_>],
    ) -> impl Future<Output = Result<Vec<Option<Stored>>, sqlx::Error>> + Send;

    /// Writes what still stands as the change says: each row whole or not at all, decided by its version, so nothing
    /// is locked while somebody decides. Returns which changes came too late.
    fn save(
        &self,
        changes: &[RowChange<'_>],
        stamp: Stamp,
    ) -> impl Future<Output = Result<Vec<usize>, sqlx::Error>> + Send;

    /// Removes some of the rows not written since `before`, at most `rows_max`; returns how many.
    fn clean(&self, before: Millis, rows_max: u32) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// The rows that are wanted, at most `rows_max`.
    fn find(
        &self,
        wanted: TraceFilter<'_>,
        rows_max: u32,
    ) -> impl Future<Output = Result<Vec<TracedAlert>, sqlx::Error>> + Send;
}

/// Which changes are not what the database has now: somebody else was faster.
pub(crate) fn losers(changes: &[RowChange<'_>], now: &[Option<Stored>], stamp: Stamp) -> Vec<usize> {
    let lost = |(place, _): &(usize, &RowChange<'_>)| {
        now.get(*place).copied().flatten().is_none_or(|stored| stored.version != stamp.version)
    };
    changes.iter().enumerate().filter(lost).map(|(place, _)| place).collect()
}
