//! What the worker has in hand: alerts of one envelope that are to be delivered, and their share in the message they
//! came with.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::alert::Alert;
use model::envelope::Envelope;
use queue::{Delivery, Headers, Replay};
use tokio::time::Instant;

use super::attempts::AttemptState;
use super::fair_share::HeldPlace;
use super::recently_settled::LineKey;
use super::settlement::{Settlement, SettlementRecorder};
use crate::ledger::Event;
use crate::metrics::Outcome;
use crate::render::Item;

/// How an alert ended that is not on the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It has an outcome of its own.
    Outcome(Outcome),
    /// Another copy of its envelope delivers it, or has: this one has no outcome.
    Copy,
}

/// Alerts of one envelope on their way to one receiver.
#[derive(Debug)]
pub(crate) struct InFlightEnvelope {
    /// The envelope, with those of its alerts only that are still to be delivered here.
    pub(crate) envelope: Envelope<'static>,
    /// For each alert, whether it was delivered before and fires on.
    pub(crate) reminders: Vec<bool>,
    pub(crate) headers: Headers,
    /// The attempts at it so far.
    pub(crate) tries: AttemptState,
    /// When its message was taken off the queue.
    pub(crate) taken_at: Instant,
    /// Whether it is known that it goes onto a card of its own; else it may be about what is on a card already.
    pub(crate) is_sorted: bool,
    pub(crate) share: AckGuard,
    /// Its place among everything that is held, once it has one; free again when it is gone.
    pub(crate) place: Option<HeldPlace>,
    /// Whether another worker may be sending an older state of one of its alerts at this moment.
    pub(crate) overtakes: bool,
}

/// What becomes of an alert that was delivered already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfDelivered {
    /// It is a duplicate.
    IsDuplicate,
    /// It is delivered again: an operator replays it and wants that.
    DeliverAgain,
}

impl IfDelivered {
    /// By what travels beside an envelope.
    pub(super) fn of(headers: &Headers) -> Self {
        if headers.replay.is_some_and(|replay| replay.forced) {
            Self::DeliverAgain
        } else {
            Self::IsDuplicate
        }
    }
}

impl InFlightEnvelope {
    /// Whether it is a replay that is delivered whatever is known.
    pub(crate) fn is_forced(&self) -> bool {
        self.if_delivered() == IfDelivered::DeliverAgain
    }

    /// What becomes of an alert of it that was delivered already.
    pub(crate) fn if_delivered(&self) -> IfDelivered {
        IfDelivered::of(&self.headers)
    }

    /// What its first alert is called, by which people look for it in the log.
    pub(crate) fn first_name(&self) -> &str {
        let envelope = &self.envelope;
        let item = |alert| Item::of(envelope, alert);
        envelope.alerts.first().map_or("", |alert| item(alert).name())
    }

    /// Whether its message is still ours to settle. If not, it is delivered again.
    pub(crate) fn is_alive(&self) -> bool {
        self.share.is_alive()
    }

    /// Whether the other is one more copy of it.
    pub(crate) fn is_copy_of(&self, other: &Self) -> bool {
        let names = |in_flight: &Self| {
            in_flight.envelope.alerts.iter().map(|alert| alert.fingerprint.clone()).collect()
        };
        let ours: Vec<_> = names(self);
        let theirs: Vec<_> = names(other);
        self.envelope.id == other.envelope.id && self.is_forced() == other.is_forced() && ours == theirs
    }

    /// It is kept because the queue did not say that it has it.
    pub(crate) fn begin_to_hold(&self) {
        self.share.message.recorder.held.begin(LineKey::of(&self.envelope));
    }

    /// It is not kept any longer; says whether a copy has come meanwhile, which goes on in its place.
    pub(crate) fn end_to_hold(&self) -> bool {
        self.share.message.recorder.held.end(LineKey::of(&self.envelope))
    }

    /// A copy goes on in its place.
    pub(crate) fn settle_as_copy(self) {
        self.share.count_copies(self.envelope.alerts.len());
        self.settle();
    }

    /// Makes one of two copies: a living one, that knows of the attempts at this one. The other is settled.
    pub(crate) fn take_in(&mut self, mut copy: Self) {
        if !self.is_alive() {
            std::mem::swap(&mut self.share, &mut copy.share);
            std::mem::swap(&mut self.place, &mut copy.place);
            self.taken_at = copy.taken_at;
        }
        copy.settle_as_copy();
    }

    /// Drops the alerts that ended otherwise, and counts them; one item per alert, in their order.
    pub(crate) fn drop_ended(&mut self, ended: impl Iterator<Item = Option<End>>) {
        let ended: Vec<_> = ended.collect();
        let mut of_alerts = ended.iter();
        let mut of_reminders = ended.iter();
        let stays = |next: Option<&Option<End>>| next.is_none_or(Option::is_none);
        self.envelope.alerts.retain(|_| stays(of_alerts.next()));
        self.reminders.retain(|_| stays(of_reminders.next()));
        for end in ended.into_iter().flatten() {
            match end {
                End::Outcome(outcome) => self.share.count(outcome, 1),
                End::Copy => self.share.count_copies(1),
            }
        }
    }

    /// Everything in it has ended, and is counted.
    pub(crate) fn settle(self) {
        self.share.settle();
    }

    /// Cuts off everything behind the first `count` alerts, into an envelope of its own.
    pub(crate) fn split_off(&mut self, count: usize) -> Self {
        let alerts = self.envelope.alerts.split_off(count);
        let reminders = self.reminders.split_off(count);
        self.part(alerts, reminders)
    }

    /// Takes it apart by where each of its alerts, in their order, goes next. The alerts that go the same way stay
    /// together.
    pub(crate) fn take_apart<W: Ord>(mut self, ways: Vec<W>) -> Vec<(W, Self)> {
        let mut parts: BTreeMap<W, (Vec<Alert<'static>>, Vec<bool>)> = BTreeMap::new();
        let alerts = std::mem::take(&mut self.envelope.alerts);
        let reminders = std::mem::take(&mut self.reminders);
        for ((way, alert), reminder) in ways.into_iter().zip(alerts).zip(reminders) {
            let part = parts.entry(way).or_default();
            part.0.push(alert);
            part.1.push(reminder);
        }
        let Some((way, (alerts, reminders))) = parts.pop_first() else { return Vec::new() };
        let rest = parts.into_iter().map(|(way, (alerts, reminders))| (way, self.part(alerts, reminders)));
        let rest: Vec<_> = rest.collect();
        (self.envelope.alerts, self.reminders) = (alerts, reminders);
        std::iter::once((way, self)).chain(rest).collect()
    }

    /// An envelope of its own with some of the alerts.
    fn part(&self, alerts: Vec<Alert<'static>>, reminders: Vec<bool>) -> Self {
        let envelope = &self.envelope;
        Self {
            envelope: Envelope {
                alerts,
                receiver: envelope.receiver.clone(),
                group_key: envelope.group_key.clone(),
                group_labels: envelope.group_labels.clone(),
                external_url: envelope.external_url.clone(),
                notice: envelope.notice.clone(),
                instead_of: envelope.instead_of.clone(),
                ..*envelope
            },
            reminders,
            headers: self.headers.clone(),
            tries: self.tries.clone(),
            taken_at: self.taken_at,
            is_sorted: self.is_sorted,
            share: self.share.twin(),
            // The first part keeps the place of all.
            place: None,
            overtakes: self.overtakes,
        }
    }
}

/// One envelope's share in a message. When the last share is gone the message is settled if every one of them was;
/// else it is requeued, so that a task which fails or is cut off loses nothing.
#[derive(Debug)]
pub(crate) struct AckGuard {
    message: Arc<InFlightMessage>,
    /// The line it is a share of; `None` as long as nobody could read it.
    line: Option<LineKey>,
}

/// What became of an envelope's alerts when a share was let go.
#[derive(Debug, Default)]
struct Tally {
    counts: [AtomicU64; Outcome::ALL.len()],
    copied: AtomicU64,
    own_copies: AtomicU64,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    finished: Vec<LineKey>,
    /// Those of which something is still under way, on the queue or by another copy. They come again because they are
    /// meant to: whoever took them for finished would drop the last copy there is.
    under_way: Vec<LineKey>,
}

#[derive(Debug)]
struct InFlightMessage {
    delivery: Option<Delivery>,
    unsettled: AtomicUsize,
    tally: Tally,
    replay: Option<Replay>,
    recorder: Arc<SettlementRecorder>,
}

impl AckGuard {
    /// The shares of a message, one for each of its envelopes.
    pub(super) fn of(delivery: Delivery, envelopes: usize, recorder: &Arc<SettlementRecorder>) -> Vec<Self> {
        let message = Arc::new(InFlightMessage {
            replay: delivery.headers.replay,
            delivery: Some(delivery),
            unsettled: AtomicUsize::new(envelopes),
            tally: Tally::default(),
            recorder: Arc::clone(recorder),
        });
        let share = || {
            recorder.metrics.in_flight.inc();
            Self { message: Arc::clone(&message), line: None }
        };
        std::iter::repeat_with(share).take(envelopes).collect()
    }

    /// Says which line it is a share of.
    pub(super) const fn of_line(&mut self, line: LineKey) {
        self.line = Some(line);
    }

    /// A further share in the same line: its message is settled when both are.
    pub(super) fn twin(&self) -> Self {
        self.message.unsettled.fetch_add(1, Ordering::AcqRel);
        self.message.recorder.metrics.in_flight.inc();
        Self { message: Arc::clone(&self.message), line: self.line }
    }

    /// Says what became of some of its alerts. Counted once the message is settled: one that is requeued comes
    /// again, and what was not delivered is counted then.
    pub(crate) fn count(&self, outcome: Outcome, alerts: usize) {
        let alerts = u64::try_from(alerts).unwrap_or(u64::MAX);
        self.message.tally.counts[outcome as usize].fetch_add(alerts, Ordering::Relaxed);
    }

    /// Says that so many more alerts end than came, counted in the same way.
    pub(super) fn count_copied(&self, alerts: usize) {
        let alerts = u64::try_from(alerts).unwrap_or(u64::MAX);
        self.message.tally.copied.fetch_add(alerts, Ordering::Relaxed);
    }

    /// Says that some of its alerts are delivered by another copy of their envelope, or were. That copy may be requeued
    /// and come again, so its line is not remembered as finished on account of this one.
    pub(crate) fn count_copies(&self, alerts: usize) {
        if alerts > 0 {
            let count = u64::try_from(alerts).unwrap_or(u64::MAX);
            self.message.tally.own_copies.fetch_add(count, Ordering::Relaxed);
            self.lines().under_way.extend(self.line);
        }
    }

    /// Whether its message is still ours to settle.
    pub(crate) fn is_alive(&self) -> bool {
        self.message.delivery.as_ref().is_some_and(Delivery::is_alive)
    }

    /// Says that what it stands for is settled for good.
    pub(crate) fn settle(self) {
        self.lines().finished.extend(self.line);
        self.message.unsettled.fetch_sub(1, Ordering::AcqRel);
    }

    /// Says that it is settled because what it stands for was published onwards.
    pub(crate) fn settle_onwards(self) {
        self.lines().under_way.extend(self.line);
        self.message.unsettled.fetch_sub(1, Ordering::AcqRel);
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.message.tally.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AckGuard {
    fn drop(&mut self) {
        self.message.recorder.metrics.in_flight.dec();
    }
}

impl Drop for InFlightMessage {
    fn drop(&mut self) {
        let Some(delivery) = self.delivery.take() else { return };
        let counts = self.tally.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        let is_settled = self.unsettled.load(Ordering::Acquire) == 0;
        // Dropped instead of settled, the delivery is requeued; settled without its connection, it comes again as well.
        // What the ledger has as delivered is a copy then; the rest is counted then.
        if !(is_settled && delivery.settle()) {
            return self.recorder.enter_delivered(counts);
        }
        let lines = std::mem::take(&mut self.tally.lines).into_inner();
        let Lines { mut finished, under_way } = lines.unwrap_or_else(PoisonError::into_inner);
        finished.retain(|line| !under_way.contains(line));
        self.recorder.enter(Settlement {
            counts,
            copied: self.tally.copied.load(Ordering::Relaxed),
            copies: self.tally.own_copies.load(Ordering::Relaxed),
            finished,
            replay: self.replay,
        });
    }
}

/// The envelope's alerts as the ledger sees them, in their order.
pub(crate) fn events_of<'e>(
    envelope: &'e Envelope<'_>,
    receiver: &'e str,
    if_delivered: IfDelivered,
) -> impl Iterator<Item = Event<'e>> {
    envelope.alerts.iter().map(move |alert| event(envelope, alert, receiver, if_delivered))
}

pub(super) fn event<'e>(
    envelope: &'e Envelope<'_>,
    alert: &'e Alert<'_>,
    receiver: &'e str,
    if_delivered: IfDelivered,
) -> Event<'e> {
    // What is told instead of another is that one's: it is told once, by whichever of the two.
    let receiver = if envelope.instead_of.is_empty() { receiver } else { &envelope.instead_of };
    Event {
        receiver,
        fingerprint: alert.fingerprint.as_str(),
        status: alert.status,
        starts_at: alert.starts_at,
        ends_at: alert.ends_at,
        received_at: envelope.received_at,
        is_repeat: envelope.is_repeat,
        envelope: envelope.id,
        forced: if_delivered == IfDelivered::DeliverAgain,
    }
}
