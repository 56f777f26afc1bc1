//! What is too old, or too much, makes room: a little at a time, so that nobody waits for it.

use super::{History, HistoryState, sizes};
use crate::store::{AgedRows, StoreError};

const ROWS: AgedRows =
    AgedRows { table: "larkfire_history", key: "at_ms, number", time: "at_ms", together: 500 };

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
    async fn clean(&self) -> Result<u64, StoreError> {
        let kept_ms = i64::try_from(self.config.keep.as_millis()).unwrap_or(i64::MAX);
        let too_old = self.clock.now().as_millisecond().saturating_sub(kept_ms);
        let too_much = sizes::beyond(&self.store, self.config.rows, self.config.bytes).await?;
        let before_ms = too_old.max(too_much);
        let removed = ROWS.forget(&self.store, before_ms).await?;
        self.metrics.cleaned.inc_by(removed);
        sizes::forget(&self.store, before_ms).await?;
        Ok(removed)
    }
}
