//! Out of a full disk: room for what is settled first, then for what is published.

use tracing::debug;

use super::Keeper;
use crate::queue::lanes::Lane;
use crate::queue::store::is_full;

impl Keeper {
    /// Whether something has to be tried again.
    pub(super) fn is_troubled(&self) -> bool {
        self.health.is_failing() || self.ballast.is_spent()
    }

    /// Deletes what is settled; what is settled must not wait for room that only its deletion makes.
    pub(super) async fn delete_settled(&mut self) {
        let mut deleted = self.write(&[]).await;
        if deleted.as_ref().is_err_and(is_full) && self.ballast.spend() {
            deleted = self.write(&[]).await;
        }
        if let Err(error) = deleted {
            self.health.failed(&error);
        }
    }

    /// Tries, once in a while, whether the queue can store again.
    pub(super) async fn recover(&mut self) {
        if !self.is_troubled() || !self.health.is_due() {
            return;
        }
        if self.lanes.iter().any(Lane::has_settled) {
            // Deletions go first: the room is theirs.
            return;
        }
        if self.ballast.is_spent() {
            if let Err(error) = self.store.compact().await {
                debug!(%error, "the queue's file could not be made smaller: {error}");
            }
            self.ballast.restore().await;
        }
        if self.health.is_failing() && !self.ballast.is_spent() {
            match self.store.probe().await {
                Ok(()) => self.health.stored(),
                Err(error) => self.still_failing(&error),
            }
        }
    }

    /// Something other than a deletion has failed again.
    pub(super) fn still_failing(&mut self, error: &sqlx::Error) {
        self.health.failed(error);
        // Without a look at the volume, a file at its own limit would spend and lay the ballast for ever.
        if is_full(error) && self.ballast.volume_is_full() {
            self.ballast.spend();
        }
    }
}
