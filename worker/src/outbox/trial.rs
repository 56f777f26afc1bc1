//! Tests of one bot among several: each is sent through that one only, and whoever sent it waits for what becomes of it.

use std::time::Duration;

use shared::queue::Publisher;

use super::Outbox;
use super::fold::Fold;
use crate::budget::Slot;
use crate::feishu::verdict::Trouble;
use crate::pipeline::Parcel;
use crate::test_alert::bot_of;

/// How far away the next slot of its bot may be for a test. In a storm a bot may send again within a second; one that
/// was told to slow down for longer has failed.
const SLOT_WAIT_MAX: Duration = Duration::from_secs(2);

impl<P: Publisher> Outbox<P> {
    /// The bot that is tested next, by its place.
    pub(super) fn trial(&self) -> Option<usize> {
        self.pieces.last().and_then(|piece| piece.for_bot)
    }

    /// Takes out of what waits the tests of one of the bots.
    pub(super) fn trials_that_came(&mut self) -> Vec<Parcel> {
        let bots = self.receiver.group().len();
        let is_trial = |parcel: &Parcel| bot_of(&parcel.envelope).is_some_and(|place| place < bots);
        self.waiting.extract_if(.., |parcel| is_trial(parcel)).collect()
    }

    /// Makes cards of their own of tests that came, and ends those that have failed.
    pub(super) async fn set_trials_apart(&mut self) {
        let came = self.trials_that_came();
        for parcel in came {
            let Some(bot) = bot_of(&parcel.envelope) else { continue };
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
        let Some((_, name, limits)) = self.budgets_of(&[bot]).pop() else { return false };
        self.ring.turn_to(bot);
        // In its turn among all that book ahead: a bot that is busy may not be free at any moment.
        match self.house.budget.reserve(&name, limits).await {
            Slot::AskAgain { after } if after > SLOT_WAIT_MAX => {
                self.end_trial(after).await;
                false
            }
            slot @ (Slot::Reserved { .. } | Slot::AskAgain { .. }) => {
                self.has_come(slot).await && self.has_slot_together().await
            }
        }
    }

    async fn end_trial(&mut self, after: Duration) {
        let Some(mut test) = self.pieces.pop() else { return };
        let why = format!("not tried: the bot may send again in {} s", after.as_secs());
        test.failed(&Trouble::without_code(why), self.house.clock.now());
        self.house.put_aside(&self.receiver.name, test.into_parcels(), (Duration::ZERO, false)).await;
    }
}
