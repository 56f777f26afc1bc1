//! What is too old, or too much, makes room: a little at a time, so that nobody waits for it.

use std::time::Duration;

use tokio::time::sleep;

use super::{History, HistoryState, sizes};
use crate::store::sql::{Value, execute};
use crate::store::{Pool, StoreError};

/// How soon after the start that is looked for: a process that is restarted every hour cleans as well.
pub(super) const FIRST_CLEANED_AFTER: Duration = Duration::from_mins(1);
/// How often.
pub(super) const CLEANED_EVERY: Duration = Duration::from_mins(10);
/// Rows that one statement removes.
const REMOVED_TOGETHER: u64 = 500;
/// The pause after each such statement: whoever else has something to do with the database comes first.
const PAUSE: Duration = Duration::from_millis(20);
/// Statements of one cleaning; the next one does the rest.
const STATEMENTS_MAX: u32 = 10_000;

impl History {
    /// Removes what is too old, or too much. Returns how many rows that were.
    pub async fn clean(&self) -> Result<u64, StoreError> {
        match &self.0 {
            Some(state) => state.clean().await,
            None => Ok(0),
        }
    }
}

impl HistoryState {
    pub(super) async fn clean(&self) -> Result<u64, StoreError> {
        let kept_ms = i64::try_from(self.config.keep.as_millis()).unwrap_or(i64::MAX);
        let too_old = self.clock.now().as_millisecond().saturating_sub(kept_ms);
        let too_much = sizes::beyond(&self.store, self.config.rows, self.config.bytes).await?;
        let before_ms = too_old.max(too_much);
        let mut removed = 0;
        for _ in 0..STATEMENTS_MAX {
            let rows = self.remove_some(before_ms).await?;
            self.metrics.cleaned.inc_by(rows);
            removed += rows;
            if rows < REMOVED_TOGETHER {
                sizes::forget(&self.store, before_ms).await?;
                break;
            }
            sleep(PAUSE).await;
        }
        Ok(removed)
    }

    async fn remove_some(&self, before_ms: i64) -> Result<u64, StoreError> {
        let delete = match self.store.pool() {
            Pool::MySql(_) => "DELETE FROM larkfire_history WHERE at_ms < ? ORDER BY at_ms, number LIMIT ?",
            Pool::Sqlite(_) | Pool::Simulated(_) => {
                "DELETE FROM larkfire_history WHERE (at_ms, number) IN \
                 (SELECT at_ms, number FROM larkfire_history WHERE at_ms < ? ORDER BY at_ms, number LIMIT ?)"
            }
        };
        let together = i64::try_from(REMOVED_TOGETHER).unwrap_or(i64::MAX);
        let values: [Value<'_>; 2] = [before_ms.into(), together.into()];
        self.store.within(|| execute(self.store.pool(), delete, &values)).await
    }
}
