//! Forgetting, in small batches: what cannot change any more.

use std::time::Duration;

use super::kept::CardId;
use super::{Cards, ONCE_WITHIN, UPDATABLE, millis};
use crate::store::StoreError;
use crate::store::sql::rows;

/// How long a card is kept on which nothing fires: for whoever presses a button on it, or asks what it was.
const OVER_KEPT: Duration = Duration::from_hours(24);
/// Cards deleted in one transaction.
const DELETED_TOGETHER: usize = 50;
/// Transactions of one cleaning; the next one does the rest.
const BATCHES_MAX: usize = 100;

impl Cards {
    /// Deletes what was kept long enough. Says how many cards those were.
    pub async fn clean(&self) -> Result<usize, StoreError> {
        let mut deleted = 0;
        for _ in 0..BATCHES_MAX {
            let old = self.old().await?;
            if old.is_empty() {
                break;
            }
            self.store.within(self.delete(&old)).await?;
            deleted += old.len();
        }
        Ok(deleted)
    }

    async fn old(&self) -> Result<Vec<CardId>, StoreError> {
        let select = format!(
            "SELECT card FROM larkfire_cards WHERE begun_ms < ? AND (begun_ms < ? OR message IS NULL \
             OR (begun_ms < ? AND firing = 0 AND due_ms IS NULL)) ORDER BY begun_ms LIMIT {DELETED_TOGETHER}"
        );
        let now = self.now_ms();
        let values = [
            (now - millis(ONCE_WITHIN)).into(),
            (now - millis(UPDATABLE)).into(),
            (now - millis(OVER_KEPT)).into(),
        ];
        let rows: Vec<(Vec<u8>,)> = self.store.within(rows(self.store.pool(), &select, &values)).await?;
        Ok(rows.iter().map(|(card,)| CardId::from_bytes(card)).collect())
    }
}
