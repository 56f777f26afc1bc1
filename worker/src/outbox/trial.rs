//! Tests of one bot among several: each is sent through that one only, and whoever sent it waits for what becomes of it.

use std::time::Duration;

use shared::queue::Publisher;
use tokio::time::Instant;

use super::Outbox;
use super::fold::Fold;
use crate::budget::Slot;
use crate::feishu::verdict::Trouble;
use crate::pipeline::Parcel;
use crate::test_alert::bot_of;

/// What a test waits for its bot's budget at most. In a storm a bot may send again within a second; one that was told
/// to slow down for longer has failed.
const SLOT_WAIT_MAX: Duration = Duration::from_secs(2);

impl<P: Publisher> Outbox<P> {
    /// The bot that is tested next, by its place.
    pub(super) fn trial(&self) -> Option<usize> {
        self.pieces.last().and_then(|piece| piece.for_bot)
    }

    /// Makes cards of their own of tests that came, and ends those that have failed.
    pub(super) async fn set_trials_apart(&mut self) {
        let bots = self.receiver.group().len();
        let place = |parcel: &Parcel| bot_of(&parcel.envelope).filter(|place| *place < bots);
        let came: Vec<_> = self.waiting.extract_if(.., |parcel| place(parcel).is_some()).collect();
        for parcel in came {
            let Some(bot) = place(&parcel) else { continue };
            self.pieces.push(Fold::for_bot(bot, vec![parcel]));
        }
        let ring = &self.ring;
        let is_over =
            |piece: &Fold| piece.for_bot.is_some_and(|bot| piece.has_failed() && ring.rough(bot).is_none());
        let over = self.pieces.extract_if(.., |piece| is_over(piece));
        let over: Vec<_> = over.flat_map(Fold::into_parcels).collect();
        if !over.is_empty() {
            self.house.put_aside(&self.receiver.name, over, (Duration::ZERO, false)).await;
        }
    }

    /// Waits for the right to test this bot; a test for which that takes too long has failed.
    pub(super) async fn has_slot_for_trial(&mut self, bot: usize) -> bool {
        let Some(tested) = self.receiver.group().get(bot) else { return false };
        let slot = self.house.budget.reserve_now(&tested.name, tested.limits).await;
        match slot {
            Slot::Reserved { .. } => {
                self.ring.turn_to(bot);
                self.has_slot_together().await
            }
            Slot::AskAgain { after } if after <= SLOT_WAIT_MAX => {
                if !self.waited_until(Instant::now() + after).await {
                    self.give_everything_back();
                }
                false
            }
            Slot::AskAgain { after } => {
                let why = format!("not tried: the bot may send again in {} s", after.as_secs());
                let now = self.house.clock.now();
                if let Some(test) = self.pieces.last_mut() {
                    test.failed(&Trouble::without_code(why), now);
                }
                false
            }
        }
    }
}
