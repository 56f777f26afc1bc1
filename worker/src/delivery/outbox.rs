//! One receiver's outbox: waits for better health and for the budget, batches everything that waits onto one card,
//! sends it, and settles. Outboxes run side by side; one card at a time is under way in each, and what comes
//! meanwhile goes onto the next.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::envelope::EnvelopeId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::absence::Absence;
use super::batch::{Batch, tried_with};
use super::bot_pool::BotPool;
use super::card_updates::AppChatCards;
use super::context::DeliveryContext;
use super::health::ReceiverHealth;
use super::in_flight::InFlightEnvelope;
use super::retries::Retries;
use super::retries::Unresolved;
use super::thinning::Thinning;
use crate::budget::SendSlot;
use crate::feishu::limits::CallBudget;
use crate::receiver::Receiver;
use crate::render::Item;

/// What a stop waits for a slot of the budget at most, so that what is in hand is delivered rather than requeued.
const LAST_SLOT_WAIT_MAX: Duration = Duration::from_secs(2);

/// What a bot may keep the cards of its group waiting for its budget, where it alone was to send them: longer than slots
/// are booked ahead, so only one that was told to slow down does.
const HELD_MIN: Duration = Duration::from_secs(5);

/// A receiver, how it is doing, and what waits for it.
pub(crate) struct Outbox {
    pub(super) context: Arc<DeliveryContext>,
    pub(super) receiver: Receiver,
    pub(super) incoming: mpsc::UnboundedReceiver<InFlightEnvelope>,
    /// For a chat of the app's.
    pub(super) app_chat: Option<AppChatCards>,
    /// How its bots are doing.
    pub(super) bots: BotPool,
    /// The same, for the way in.
    pub(super) absence: Absence,
    /// What goes onto the next card.
    pub(super) waiting: Vec<InFlightEnvelope>,
    /// Parts of a batch that was refused as a whole; each is sent by itself, before anything else.
    pub(super) pieces: Vec<Batch>,
    /// What the last card could only count, to go onto a further one if nothing else is to be sent.
    pub(super) continuation: Option<Batch>,
    /// What is tried again after pauses of its own.
    pub(super) retries: Retries,
    /// Refusals since something was accepted.
    pub(super) refusals: u32,
    pub(super) unresolved: Unresolved,
    /// What its last cards told.
    pub(super) thinning: Thinning,
}

impl Outbox {
    pub(crate) fn new(
        context: Arc<DeliveryContext>,
        receiver: Receiver,
        incoming: mpsc::UnboundedReceiver<InFlightEnvelope>,
        app_chat: Option<AppChatCards>,
        absence: Absence,
    ) -> Self {
        let bots = BotPool::of(receiver.group().len());
        let waiting = Vec::new();
        let pieces = Vec::new();
        let continuation = None;
        let retries = Retries::default();
        let refusals = 0;
        let unresolved = Unresolved::default();
        let thinning = Thinning::default();
        Self {
            context,
            receiver,
            incoming,
            app_chat,
            bots,
            absence,
            waiting,
            pieces,
            continuation,
            retries,
            refusals,
            unresolved,
            thinning,
        }
    }

    /// Delivers until there is nothing more to come.
    pub(crate) async fn run(mut self) {
        loop {
            if self.is_empty() {
                self.show_oldest();
                if !self.has_work().await {
                    return self.defer_retries().await;
                }
            }
            self.gather();
            self.show_oldest();
            self.turn().await;
            self.absence.show(self.bots.absent_since());
        }
    }

    /// Shows since when the oldest of all that is in hand waits.
    fn show_oldest(&self) {
        let pieces = self.pieces.iter().chain(&self.continuation).flat_map(Batch::envelopes);
        let in_hand = self.waiting.iter().chain(pieces).chain(self.retries.envelopes());
        let oldest = in_hand.map(|in_flight| in_flight.envelope.received_at).min();
        self.context.oldest.holds(&self.receiver.name, oldest);
    }

    /// One step onwards: something is put off, waited for, or sent.
    pub(super) async fn turn(&mut self) {
        self.set_bot_tests_apart().await;
        self.try_for_operator();
        // Before it is looked what has to be put off: what is due may be among that.
        self.call_retries_in();
        self.put_off().await;
        self.sort_out().await;
        self.set_retries_apart();
        self.end_continuation_unless_calm().await;
        if self.is_empty() {
            return;
        }
        let now = Instant::now();
        let health = self.bot_test().map_or_else(|| self.bots.health(now), |bot| self.bots.rough(bot));
        if let Some(until) = health.and_then(ReceiverHealth::until).filter(|until| *until > now) {
            if !self.waited_until(until).await {
                self.give_everything_back();
            }
            return;
        }
        self.wait_for_more_of_the_same().await;
        // Before there is a slot, which has to be used when it comes.
        self.fetch_pictures().await;
        if !self.has_slot().await {
            return;
        }
        self.gather();
        self.sort_out().await;
        self.set_retries_apart();
        self.end_continuation_unless_calm().await;
        let batch = self.next_batch();
        if let Some((batch, record)) = self.standing(batch).await {
            self.send(batch, record).await;
        }
    }

    /// What goes out now: a piece, or everything that waits on one card; while the receiver is away, the first of it. A test of one bot that came while the slot of
    /// another was waited for is no part of that.
    pub(super) fn next_batch(&mut self) -> Batch {
        if let Some(piece) = self.pieces.pop() {
            return piece;
        }
        if let Some(further) = self.continuation.take_if(|_| self.waiting.is_empty()) {
            return further;
        }
        let bot_tests = self.bot_tests_that_came();
        let mut envelopes = std::mem::replace(&mut self.waiting, bot_tests);
        if self.bots.own().is_away() {
            let rest = envelopes.split_off(tried_with(&envelopes));
            self.waiting.splice(0..0, rest);
        }
        self.keep_apart(&mut envelopes);
        Batch::of(envelopes)
    }

    /// What is told instead of one receiver goes onto a card of its own, which says so.
    fn keep_apart(&mut self, envelopes: &mut Vec<InFlightEnvelope>) {
        let Some(first) = envelopes.first() else { return };
        let instead_of = first.envelope.instead_of.clone();
        let others: Vec<_> =
            envelopes.extract_if(.., |in_flight| in_flight.envelope.instead_of != instead_of).collect();
        self.waiting.splice(0..0, others);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.pieces.is_empty() && self.continuation.is_none()
    }

    /// Takes whatever has come.
    pub(super) fn gather(&mut self) {
        while let Ok(in_flight) = self.incoming.try_recv() {
            self.waiting.push(in_flight);
        }
        self.merge_copies();
    }

    /// What was delivered again, or stored although nobody confirmed it, is in hand twice: one copy is kept, with the
    /// attempts of the one that came first. One that is dead and alone is kept as well: the broker may be away for
    /// longer than Feishu.
    pub(super) fn merge_copies(&mut self) {
        let mut known: HashMap<EnvelopeId, usize> = HashMap::new();
        let ids = |envelopes: &[InFlightEnvelope]| {
            envelopes.iter().map(|in_flight| in_flight.envelope.id).collect::<Vec<_>>()
        };
        for id in self.retries.envelopes().map(|in_flight| in_flight.envelope.id).chain(ids(&self.waiting)) {
            *known.entry(id).or_default() += 1;
        }
        known.retain(|_, count| *count > 1);
        if known.is_empty() {
            return;
        }
        let mut merged: Vec<InFlightEnvelope> = Vec::with_capacity(self.waiting.len());
        for in_flight in std::mem::take(&mut self.waiting) {
            if !known.contains_key(&in_flight.envelope.id) {
                merged.push(in_flight);
                continue;
            }
            let before =
                self.retries.envelopes_mut().chain(&mut merged).find(|before| before.is_copy_of(&in_flight));
            match before {
                Some(before) => before.take_in(in_flight),
                None => merged.push(in_flight),
            }
        }
        self.waiting = merged;
    }

    /// Waits for the right to send a card. `false`: not now, or not any more.
    pub(super) async fn has_slot(&mut self) -> bool {
        match self.bot_test() {
            Some(bot) => self.has_slot_for_bot_test(bot).await,
            None => self.has_slot_through(&self.bots.turns(Instant::now())).await,
        }
    }

    /// The same, through one of these bots: the first that may send now, or else the one that may be the soonest.
    pub(super) async fn has_slot_through(&mut self, turns: &[usize]) -> bool {
        let mut soonest: Option<(Duration, usize, CallBudget)> = None;
        for (bot, budget) in self.budgets_of(turns) {
            let SendSlot::AskAgain { after } = self.context.sender.take(&budget).await else {
                self.bots.turn_to(bot);
                return self.has_slot_together().await;
            };
            if soonest.as_ref().is_none_or(|(least, ..)| after < *least) {
                soonest = Some((after, bot, budget));
            }
        }
        if let Some((after, bot, budget)) = soonest {
            self.bots.turn_to(bot);
            let now = Instant::now();
            if after > HELD_MIN && self.bots.has_another_than(turns, now) {
                // Another worker was told to slow down: the other bots need not wait for that as well.
                self.bots.own().held(now, now + after);
                return false;
            }
            if !self.has_slot_of(&budget).await {
                return false;
            }
        }
        self.has_slot_together().await
    }

    /// What these bots take from, each by itself; nothing where there is no choice.
    pub(super) fn budgets_of(&self, bots: &[usize]) -> Vec<(usize, CallBudget)> {
        let group = self.receiver.group();
        let each = bots.iter().filter_map(|place| Some((*place, group.get(*place)?)));
        each.map(|(place, bot)| (place, bot.budget.clone())).collect()
    }

    /// The same, from what the receiver takes from whoever sends to it.
    pub(super) async fn has_slot_together(&mut self) -> bool {
        for budget in self.receiver.budgets.clone() {
            if !self.has_slot_of(&budget).await {
                return false;
            }
        }
        true
    }

    /// The same, of one of the budgets.
    pub(super) async fn has_slot_of(&mut self, budget: &CallBudget) -> bool {
        let slot = self.context.sender.book(budget).await;
        self.has_come(slot).await
    }

    /// Waits for this slot.
    pub(super) async fn has_come(&mut self, slot: SendSlot) -> bool {
        match slot {
            SendSlot::Reserved { wait } if wait.is_zero() => true,
            SendSlot::Reserved { wait } => {
                let at = Instant::now() + wait;
                let in_time = self.waited_until(at).await;
                if !in_time && at > Instant::now() + LAST_SLOT_WAIT_MAX {
                    self.give_everything_back();
                    return false;
                }
                // Told to stop while the slot is near: what is in hand is delivered first.
                sleep_until(at).await;
                true
            }
            SendSlot::AskAgain { after } => {
                if !self.waited_until(Instant::now() + after).await {
                    self.give_everything_back();
                }
                false
            }
        }
    }

    /// Waits, and takes in what comes meanwhile. At a stop it says `false`, at once.
    pub(super) async fn waited_until(&mut self, until: Instant) -> bool {
        let stop = self.context.lifecycle.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                () = sleep_until(until) => return true,
                Some(in_flight) = self.incoming.recv() => {
                    self.context.oldest.came(&self.receiver.name, in_flight.envelope.received_at);
                    self.waiting.push(in_flight);
                }
            }
        }
    }

    /// In a storm that goes on: until something new comes, there is enough for another card, or the worker stops.
    async fn wait_for_more_of_the_same(&mut self) {
        let is_only_that = self.pieces.is_empty() && self.continuation.is_none() && self.bot_test().is_none();
        let until = self.thinning.until(Instant::now(), self.receiver.cards_per_minute());
        let Some(until) = until.filter(|_| is_only_that) else { return };
        if self.waiting.iter().any(|in_flight| self.has_news(in_flight)) {
            return;
        }
        let stop = self.context.lifecycle.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = sleep_until(until) => return,
                Some(in_flight) = self.incoming.recv() => {
                    self.context.oldest.came(&self.receiver.name, in_flight.envelope.received_at);
                    let has_news = self.has_news(&in_flight);
                    self.waiting.push(in_flight);
                    if has_news {
                        return;
                    }
                }
            }
        }
    }

    fn has_news(&self, in_flight: &InFlightEnvelope) -> bool {
        let envelope = &in_flight.envelope;
        self.thinning.has_news(envelope.alerts.iter().map(|alert| Item::of(envelope, alert)))
    }

    /// The same batch, less what was superseded while it waited and what is in it twice.
    pub(super) async fn confirmed(&self, mut batch: Batch) -> Batch {
        if batch.is_under_way() {
            // Feishu may have it already: to find out what its message is called it is sent as it was.
            return batch;
        }
        let standings = self.context.ledger.confirm(&batch.claims(&self.receiver.name)).await;
        let elsewhere = self.context.keep_standing(&self.receiver.name, &mut batch, &standings);
        self.context.leave_to_others(&self.receiver.name, elsewhere).await;
        batch
    }

    pub(super) fn give_everything_back(&mut self) {
        self.gather();
        self.keep_retries();
        let pieces = self.pieces.drain(..).chain(self.continuation.take()).flat_map(Batch::into_envelopes);
        self.context.requeue(self.waiting.drain(..).chain(pieces));
    }
}
