//! The right to update a card's message: one process at a time, or an older state could arrive after a newer one.
//! A lease ends by itself if its holder is gone.

use std::time::Duration;

use super::kept::CardId;
use super::{Cards, millis};
use crate::store::StoreError;
use crate::store::sql::execute;

/// Nobody updates a card again before this, so that it is not updated more than 5 times a second (reference "Feishu",
/// 4.5).
const SPACING: Duration = Duration::from_millis(250);

/// The right to update one card, for a while.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    holder: i64,
}

impl Cards {
    /// Takes the lease; `None` while somebody else has it, or has had it a moment ago.
    pub(crate) async fn take(&self, card: &CardId, length: Duration) -> Result<Option<Lease>, StoreError> {
        let holder: i64 = rand::random();
        let update =
            "UPDATE larkfire_cards SET holder = ?, lease_until_ms = ? WHERE card = ? AND lease_until_ms <= ?";
        let now = self.now_ms();
        let values = [holder.into(), (now + millis(length)).into(), card.as_bytes().into(), now.into()];
        let taken = self.store.within(execute(self.store.pool(), update, &values)).await? > 0;
        Ok(taken.then_some(Lease { holder }))
    }

    /// The message shows this version now. Ends the lease.
    pub(crate) async fn shown(
        &self,
        card: &CardId,
        lease: Lease,
        (version, is_over_told): (i64, bool),
    ) -> Result<(), StoreError> {
        let update = "UPDATE larkfire_cards SET shown = ?, is_over_told = ?, lease_until_ms = ?, \
             due_ms = CASE WHEN version = ? THEN NULL ELSE due_ms END WHERE card = ? AND holder = ?";
        let values = [
            version.into(),
            i64::from(is_over_told).into(),
            (self.now_ms() + millis(SPACING)).into(),
            version.into(),
            card.as_bytes().into(),
            lease.holder.into(),
        ];
        self.store.within(execute(self.store.pool(), update, &values)).await?;
        Ok(())
    }

    /// The message could not be updated; it is tried again after a pause. Ends the lease.
    pub(crate) async fn put_off(
        &self,
        card: &CardId,
        lease: Lease,
        pause: Duration,
    ) -> Result<(), StoreError> {
        let update = "UPDATE larkfire_cards SET lease_until_ms = ?, due_ms = ? WHERE card = ? AND holder = ?";
        let now = self.now_ms();
        let values = [
            (now + millis(SPACING)).into(),
            (now + millis(pause)).into(),
            card.as_bytes().into(),
            lease.holder.into(),
        ];
        self.store.within(execute(self.store.pool(), update, &values)).await?;
        Ok(())
    }
}
