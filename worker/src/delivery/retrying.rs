//! An outbox's cards with pauses of their own: set apart, called in when they are due, and deferred at a stop.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use queue::Reason;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use super::batch::Batch;
use super::card_draft::CardDraft;
use super::ids::ids;
use super::in_flight::InFlightEnvelope;
use super::outbox::Outbox;
use super::requeue::DeadLetter;
use super::retries::{self, Beside};
use crate::feishu::verdict::Trouble;
use crate::receiver::BotAccess;
use crate::test_alert::is_test;

/// For how many unresolved attempts in a row a card is sent in halves, to find the alert that draws them: as many as it
/// takes to ask for each quarter. When none of these is accepted, everything is answered so, and all of it waits.
const HALVED_MAX: u32 = 7;
/// For how long a card waits with everything else for a receiver that answers, and does not take it.
const APART_AFTER: Duration = Duration::from_secs(10);
/// After how many pauses a card that may have arrived, and that others overtake, is sent in halves.
const HALVED_AFTER: u32 = 2;

impl Outbox {
    /// It was sent, and may be in the chat. Another bot, or a later attempt, shows it twice.
    pub(super) async fn may_have_arrived(
        &mut self,
        batch: Batch,
        hint: Option<Duration>,
        timed_out: bool,
        trouble: Trouble,
    ) {
        self.unresolved.in_a_row += 1;
        let now = Instant::now();
        let is_away = self.bots.own().is_away();
        let name = self.receiver.bot_name(self.bots.at());
        let alerts = batch.alerts();
        let envelopes = ids(batch.envelopes());
        let pauses = unresolved(&batch);
        let why = &trouble.message;
        if pauses == 0 && !is_away {
            warn!(
                receiver = name,
                code = trouble.code,
                alerts,
                envelopes,
                error = why,
                "the receiver did not say whether it shows a card; it is sent again after pauses that grow"
            );
        } else {
            debug!(
                receiver = name,
                code = trouble.code,
                alerts,
                envelopes,
                pauses,
                error = why,
                "the receiver did not say it again"
            );
        }
        // Whatever waits beside it is not sent twice by going elsewhere.
        let in_place = if self.bots.has_another(now) { 1 } else { self.context.delivery.attempts_in_place };
        self.bots.own().failed(in_place, now, runtime::entropy::random(), hint);
        // One alert may be the reason where everything else is delivered; to break up what may be shown needs a sign of that.
        // What takes too long takes it for whatever is sent.
        let others_are_delivered = self.unresolved.in_a_row == 1 || self.unresolved.halved > 0;
        if !timed_out && pauses >= HALVED_AFTER && others_are_delivered && self.can_halve(&batch) {
            return self.halve(batch);
        }
        // What was too slow once is likely to be as slow again.
        let timeouts = if timed_out { self.context.delivery.request_timeout * 2 } else { Duration::ZERO };
        self.retry_later(batch, timeouts.max(hint.unwrap_or_default())).await;
    }

    /// It was refused, and nobody knows why. If it is one of many alerts, halves of them find that one; what is left
    /// waits by itself until patience is at its end.
    pub(super) async fn answered_unknown(
        &mut self,
        batch: Batch,
        draft: &CardDraft,
        hint: Option<Duration>,
        trouble: Trouble,
    ) {
        self.unresolved.in_a_row += 1;
        let is_away = self.bots.own().is_away();
        let name = self.receiver.bot_name(self.bots.at());
        let alerts = batch.alerts();
        let envelopes = ids(batch.envelopes());
        let pauses = unresolved(&batch);
        let why = &trouble.message;
        if pauses == 0 && !is_away {
            warn!(
                receiver = name,
                code = trouble.code,
                alerts,
                envelopes,
                error = why,
                "the receiver did not take a card; its alerts are tried again by themselves"
            );
        } else {
            debug!(
                receiver = name,
                code = trouble.code,
                alerts,
                envelopes,
                pauses,
                error = why,
                "the receiver did not take them again"
            );
        }
        if self.unresolved.in_a_row >= self.context.delivery.attempts_in_place {
            self.bots.own().failed(1, Instant::now(), runtime::entropy::random(), hint);
        }
        if self.can_halve(&batch) {
            return self.halve(batch);
        }
        let now = self.context.clock.now();
        let patience = self.context.delivery.give_up_after;
        if let [only] = batch.envelopes()
            && alerts == 1
            && only.tries.exhausted(patience, now)
        {
            let failure = only.tries.failure(Reason::GaveUp, &self.receiver.name, now);
            let refused = draft.content.card().or(draft.refused.as_deref());
            let dead_letters = batch.into_envelopes().into_iter().map(|in_flight| DeadLetter {
                in_flight,
                failure: failure.clone(),
                refused,
            });
            return self.context.dead_letter(dead_letters.collect()).await;
        }
        self.retry_later(batch, hint.unwrap_or_default()).await;
    }

    /// It was answered, and not taken: it waits with the others, or by itself.
    pub(super) async fn not_taken_now(
        &mut self,
        mut batch: Batch,
        draft: &CardDraft,
        hint: Option<Duration>,
        trouble: Trouble,
    ) {
        if !self.is_tried_apart(&batch) {
            return self.not_taken(batch, draft, hint, true, &trouble);
        }
        let trouble = trouble.by_itself();
        batch.attempted();
        batch.failed(&trouble, self.context.clock.now());
        batch.again = draft.record.kept();
        self.answered_unknown(batch, draft, hint, trouble).await;
    }

    /// Whether what was not taken this time waits no longer with everything else: all of that would wait for as long,
    /// even if it is one alert that Feishu will never take.
    fn is_tried_apart(&mut self, batch: &Batch) -> bool {
        let now = self.context.clock.now();
        let is_old = |in_flight: &InFlightEnvelope| {
            let first = in_flight.tries.first_failed_at();
            first.is_some_and(|first| positive(now.duration_since(first)) >= APART_AFTER)
        };
        batch.for_bot.is_none()
            && (unresolved(batch) > 0 || (self.bots.own().is_away() && batch.envelopes().iter().any(is_old)))
    }

    fn can_halve(&self, batch: &Batch) -> bool {
        let is_free = batch.for_bot.is_none() && !batch.is_under_way();
        is_free && batch.alerts() > 1 && self.unresolved.halved < HALVED_MAX
    }

    /// Both halves are tried at once, the widest first: of four quarters three are delivered before the fourth is looked into.
    fn halve(&mut self, batch: Batch) {
        self.unresolved.halved += 1;
        match batch.halves() {
            Ok((first, second)) => drop(self.pieces.splice(0..0, [second, first])),
            Err(only) => self.waiting.push(*only),
        }
    }

    /// Waits for its next attempt, in hand or deferred; a test fails instead, and so does what has waited for too long.
    async fn retry_later(&mut self, batch: Batch, at_least: Duration) {
        let now = Instant::now();
        let hold = self.context.delivery.hold;
        let again = batch.again.clone();
        let shown_once = matches!(self.receiver.way, BotAccess::AppChat(_));
        let patience = self.context.delivery.give_up_after;
        let clock = self.context.clock.now();
        let mut in_hand: BTreeMap<Duration, Vec<InFlightEnvelope>> = BTreeMap::new();
        let mut aside: BTreeMap<Duration, Vec<InFlightEnvelope>> = BTreeMap::new();
        for mut in_flight in batch.into_envelopes() {
            in_flight.tries.left_unresolved();
            let attempts = in_flight.tries.unresolved();
            let pause = if shown_once {
                let first = in_flight.tries.first_failed_at().unwrap_or(clock);
                retries::pause_shown_once(attempts, positive(clock.duration_since(first))).max(at_least)
            } else {
                retries::pause(attempts, at_least)
            };
            let is_over = is_test(&in_flight.envelope) || in_flight.tries.exhausted(patience, clock);
            let in_all = (now + pause).saturating_duration_since(in_flight.taken_at);
            let is_deferred = retries::is_deferred(pause, in_flight.tries.may_have_arrived(), in_all, hold);
            let side = if is_over || is_deferred { &mut aside } else { &mut in_hand };
            side.entry(pause).or_default().push(in_flight);
        }
        for (pause, envelopes) in in_hand {
            let batch = match &again {
                Some(card) => Batch::again(card.clone(), envelopes),
                None => Batch::of(envelopes),
            };
            self.retries.push(now + pause, batch);
        }
        for (pause, envelopes) in aside {
            self.context.defer(&self.receiver.name, envelopes, pause, false).await;
        }
    }

    /// Takes out of what waits that which came back from a retry queue for its next attempt, and so is due now.
    pub(super) fn set_retries_apart(&mut self) {
        let now = Instant::now();
        let is_retry = |in_flight: &InFlightEnvelope| in_flight.tries.unresolved() > 0;
        let back: Vec<_> = self.waiting.extract_if(.., |in_flight| is_retry(in_flight)).collect();
        if !back.is_empty() {
            self.retries.push(now, Batch::of(back));
        }
    }

    /// The same for what was under way when a worker died, or is to be tried again as the same message.
    fn set_pieces_apart(&mut self) {
        let now = Instant::now();
        let is_again = |piece: &Batch| piece.is_under_way() && piece.for_bot.is_none();
        for piece in self.pieces.extract_if(.., |piece| is_again(piece)) {
            self.retries.push(now, piece);
        }
    }

    /// What is due goes next, unless that was so the last time and there is something else.
    pub(super) fn call_retries_in(&mut self) {
        self.set_pieces_apart();
        if !self.pieces.is_empty() || self.context.lifecycle.stop.is_cancelled() {
            return;
        }
        let shown_once = matches!(self.receiver.way, BotAccess::AppChat(_));
        let may_be_shown =
            |batch: &Batch| batch.envelopes().iter().any(|in_flight| in_flight.tries.may_have_arrived());
        let has_name = |batch: &Batch| batch.is_under_way() || (shown_once && may_be_shown(batch));
        let beside = Beside { others_wait: !self.waiting.is_empty(), is_away: self.bots.own().is_away() };
        if let Some(batch) = self.retries.take_due(Instant::now(), beside, has_name) {
            self.unresolved.halved = 0;
            if !shown_once && may_be_shown(&batch) {
                self.context.metrics.sent_again.inc();
            }
            self.pieces.push(batch);
        }
    }

    /// Waits for something to come, or for a card to be tried again: `false` once nothing comes any more.
    pub(super) async fn has_work(&mut self) -> bool {
        let due = self.retries.next_due().filter(|_| !self.context.lifecycle.stop.is_cancelled());
        let due = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            in_flight = self.incoming.recv() => match in_flight {
                Some(in_flight) => self.waiting.push(in_flight),
                None => return false,
            },
            () = due => {}
        }
        true
    }

    /// Those in line for an attempt go back to the others: what is requeued at a stop is not among them.
    pub(super) fn keep_retries(&mut self) {
        self.set_retries_apart();
        for piece in self.pieces.extract_if(.., |piece| unresolved(piece) > 0) {
            self.retries.push(Instant::now(), piece);
        }
    }

    /// At a stop they are deferred: requeued they would come again at once, with their attempts forgotten.
    pub(super) async fn defer_retries(&mut self) {
        for (left, batch) in self.retries.drain(Instant::now()) {
            self.context.defer(&self.receiver.name, batch.into_envelopes(), left, false).await;
        }
    }
}

/// How often anything on it was left alone at most.
fn unresolved(batch: &Batch) -> u32 {
    batch.envelopes().iter().map(|in_flight| in_flight.tries.unresolved()).max().unwrap_or(0)
}

fn positive(age: SignedDuration) -> Duration {
    Duration::try_from(age).unwrap_or_default()
}
