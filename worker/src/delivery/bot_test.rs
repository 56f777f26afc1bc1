//! Tests of one bot among several: each is sent through that one only, and whoever sent it waits for what becomes of it.

use std::time::Duration;

use super::batch::Batch;
use super::in_flight::InFlightEnvelope;
use super::outbox::Outbox;
use crate::budget::SendSlot;
use crate::feishu::verdict::Trouble;
use crate::test_alert::bot_of;

/// How far away the next slot of its bot may be for a test. In a storm a bot may send again within a second; one that
/// was told to slow down for longer has failed.
const SLOT_WAIT_MAX: Duration = Duration::from_secs(2);

impl Outbox {
    /// The bot that is tested next, by its place.
    pub(super) fn bot_test(&self) -> Option<usize> {
        self.pieces.last().and_then(|piece| piece.for_bot)
    }

    /// Takes out of what waits the tests of one of the bots.
    pub(super) fn bot_tests_that_came(&mut self) -> Vec<InFlightEnvelope> {
        let bots = self.receiver.group().len();
        let is_bot_test =
            |in_flight: &InFlightEnvelope| bot_of(&in_flight.envelope).is_some_and(|place| place < bots);
        self.waiting.extract_if(.., |in_flight| is_bot_test(in_flight)).collect()
    }

    /// Makes cards of their own of tests that came, and ends those that have failed.
    pub(super) async fn set_bot_tests_apart(&mut self) {
        let came = self.bot_tests_that_came();
        for in_flight in came {
            let Some(bot) = bot_of(&in_flight.envelope) else { continue };
            self.pieces.push(Batch::for_bot(bot, vec![in_flight]));
        }
        let bots = &self.bots;
        let is_over =
            |piece: &Batch| piece.for_bot.is_some_and(|bot| piece.has_failed() && bots.rough(bot).is_none());
        let over = self.pieces.extract_if(.., |piece| is_over(piece));
        let over: Vec<_> = over.flat_map(Batch::into_envelopes).collect();
        if !over.is_empty() {
            self.context.defer(&self.receiver.name, over, Duration::ZERO, false).await;
        }
    }

    /// Waits for the right to test this bot; a test for which that takes too long has failed.
    pub(super) async fn has_slot_for_bot_test(&mut self, bot: usize) -> bool {
        let Some((_, budget)) = self.budgets_of(&[bot]).pop() else { return false };
        self.bots.turn_to(bot);
        // In its turn among all that book ahead: a bot that is busy may not be free at any moment.
        match self.context.sender.book(&budget).await {
            SendSlot::AskAgain { after } if after > SLOT_WAIT_MAX => {
                self.end_bot_test(after).await;
                false
            }
            slot @ (SendSlot::Reserved { .. } | SendSlot::AskAgain { .. }) => {
                self.has_come(slot).await && self.has_slot_together().await
            }
        }
    }

    async fn end_bot_test(&mut self, after: Duration) {
        let Some(mut test) = self.pieces.pop() else { return };
        let why = format!("not tried: the bot may send again in {} s", after.as_secs());
        test.failed(&Trouble::without_code(why), self.context.clock.now());
        self.context.defer(&self.receiver.name, test.into_envelopes(), Duration::ZERO, false).await;
    }
}
