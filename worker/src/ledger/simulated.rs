//! The ledger in the database of a simulation.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::batch::Key;
use super::port::{LedgerStore, RowChange, Stamp, Stored};
use super::row::Millis;
use super::traced_alert::{TraceFilter, TracedAlert};
use crate::store::SimulatedDatabase;

pub(super) struct SimulatedLedger<'d>(pub(super) &'d SimulatedDatabase);

/// Each row, and when it was written.
type Rows = BTreeMap<Key<'static>, (Stored, Millis)>;

impl LedgerStore for SimulatedLedger<'_> {
    async fn load(&self, keys: &[&Key<'_>]) -> Result<Vec<Option<Stored>>, sqlx::Error> {
        let keys: Vec<_> = keys.iter().map(|key| owned(key)).collect();
        let read =
            |rows: &mut Rows| keys.iter().map(|key| rows.get(key).map(|(stored, _)| *stored)).collect();
        self.0.statement(read).await
    }

    async fn save(&self, changes: &[RowChange<'_>], stamp: Stamp) -> Result<Vec<usize>, sqlx::Error> {
        let changes: Vec<_> =
            changes.iter().map(|change| (owned(change.key), change.row, change.replaces)).collect();
        let write = |rows: &mut Rows| {
            let mut losers = Vec::new();
            for (place, (key, row, replaces)) in changes.into_iter().enumerate() {
                if rows.get(&key).map(|(stored, _)| stored.version) == replaces {
                    rows.insert(key, (Stored { row, version: stamp.version }, stamp.now));
                } else {
                    losers.push(place);
                }
            }
            losers
        };
        self.0.statement(write).await
    }

    async fn clean(&self, before: Millis, rows_max: u32) -> Result<u64, sqlx::Error> {
        let remove = |rows: &mut Rows| {
            let old = rows.iter().filter(|(_, (_, touched))| *touched < before);
            let old: Vec<_> = old.map(|(key, _)| key.clone()).take(rows_max as usize).collect();
            for key in &old {
                rows.remove(key);
            }
            old.len() as u64
        };
        self.0.statement(remove).await
    }

    /// For commands, which no simulation gives.
    async fn find(&self, _: TraceFilter<'_>, _: u32) -> Result<Vec<TracedAlert>, sqlx::Error> {
        self.0.statement(|(): &mut ()| Vec::new()).await
    }
}

fn owned(key: &Key<'_>) -> Key<'static> {
    Key {
        fingerprint: Cow::Owned(key.fingerprint.clone().into_owned()),
        receiver: Cow::Owned(key.receiver.clone().into_owned()),
    }
}
