//! Forgetting, in small batches: what waits is kept for ever, what is settled for a while.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{DeadLetters, State};
use crate::store::StoreError;
use crate::store::sql::{Transaction, Value, places, rows};

/// How long a letter is kept after it was replayed or discarded: for whoever asks later.
pub(super) const SETTLED_KEPT: Duration = Duration::from_hours(30 * 24);
/// Letters deleted in one transaction.
const DELETED_TOGETHER: i64 = 50;
/// Transactions of one cleaning; the next one does the rest.
const BATCHES_MAX: usize = 20;

impl DeadLetters {
    /// Deletes what was kept long enough. Says how many letters those were.
    pub async fn clean(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut deleted = 0;
        for _ in 0..BATCHES_MAX {
            let old = self.old(before(now, SETTLED_KEPT)).await?;
            if old.is_empty() {
                break;
            }
            self.store.within(self.delete(&old)).await?;
            deleted += old.len();
        }
        self.trail.clean().await?;
        Ok(deleted)
    }

    async fn old(&self, before_ms: i64) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let select = format!(
            "SELECT id, letter_key FROM larkfire_dead_letters WHERE state IN (?, ?) AND changed_ms < ? \
             LIMIT {DELETED_TOGETHER}"
        );
        let values = [State::Replayed.as_str().into(), State::Discarded.as_str().into(), before_ms.into()];
        self.store.within(rows(self.store.pool(), &select, &values)).await
    }

    async fn delete(&self, letters: &[(i64, Vec<u8>)]) -> Result<(), sqlx::Error> {
        let mut transaction = Transaction::begin(self.store.pool()).await?;
        let places = places(letters.len());
        let keys: Vec<Value<'_>> = letters.iter().map(|(_, key)| Value::Bytes(key)).collect();
        let alerts = format!("DELETE FROM larkfire_dead_alerts WHERE letter_key IN ({places})");
        transaction.execute(&alerts, &keys).await?;
        let ids: Vec<Value<'_>> = letters.iter().map(|(id, _)| Value::Number(*id)).collect();
        let letters = format!("DELETE FROM larkfire_dead_letters WHERE id IN ({places})");
        transaction.execute(&letters, &ids).await?;
        transaction.commit().await
    }
}

fn before(now: Timestamp, kept: Duration) -> i64 {
    let kept = SignedDuration::try_from(kept).unwrap_or(SignedDuration::MAX);
    now.checked_sub(kept).unwrap_or(Timestamp::MIN).as_millisecond()
}
