//! What the worker has in hand: alerts of one envelope that are to be told, and their share in the message they
//! came with.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::alert::Alert;
use shared::envelope::Envelope;
use shared::queue::{Delivery, Headers, Replay};
use tokio::time::Instant;

use super::book::{Book, Entry};
use super::recent::LineKey;
use super::window::Place;
use crate::metrics::Outcome;
use crate::outbox::tries::Tries;

/// Alerts of one envelope on their way to one receiver.
#[derive(Debug)]
pub(crate) struct Parcel {
    /// The envelope, with those of its alerts only that are still to be told here.
    pub(crate) envelope: Envelope<'static>,
    /// For each alert, whether it was told before and fires on.
    pub(crate) reminders: Vec<bool>,
    pub(crate) headers: Headers,
    /// The attempts at it so far.
    pub(crate) tries: Tries,
    /// When its message was taken off the queue.
    pub(crate) taken_at: Instant,
    /// Whether it is known that it goes onto a card of its own; else it may be about what is on a card already.
    pub(crate) is_sorted: bool,
    pub(crate) share: Share,
    /// Its place among everything that is held, once it has one; free again when it is gone.
    pub(crate) place: Option<Place>,
}

impl Parcel {
    /// Whether it is a replay that is told whatever is known.
    pub(crate) fn is_forced(&self) -> bool {
        self.headers.replay.is_some_and(|replay| replay.forced)
    }

    /// Drops the alerts that ended otherwise, and counts them; one item per alert, in their order.
    pub(crate) fn drop_ended(&mut self, ended: impl Iterator<Item = Option<Outcome>>) {
        let ended: Vec<_> = ended.collect();
        let (mut of_alerts, mut of_reminders) = (ended.iter(), ended.iter());
        let stays = |next: Option<&Option<Outcome>>| next.is_none_or(Option::is_none);
        self.envelope.alerts.retain(|_| stays(of_alerts.next()));
        self.reminders.retain(|_| stays(of_reminders.next()));
        for outcome in ended.into_iter().flatten() {
            self.share.count(outcome, 1);
        }
    }

    /// Everything in it has ended, and is counted.
    pub(crate) fn settle(self) {
        self.share.settle();
    }

    /// Cuts off everything behind the first `count` alerts, into a parcel of its own.
    pub(crate) fn split_off(&mut self, count: usize) -> Self {
        let (alerts, reminders) = (self.envelope.alerts.split_off(count), self.reminders.split_off(count));
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

    /// A parcel of its own with some of the alerts.
    fn part(&self, alerts: Vec<Alert<'static>>, reminders: Vec<bool>) -> Self {
        let envelope = &self.envelope;
        Self {
            envelope: Envelope {
                alerts,
                receiver: envelope.receiver.clone(),
                group_key: envelope.group_key.clone(),
                group_labels: envelope.group_labels.clone(),
                external_url: envelope.external_url.clone(),
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
        }
    }
}

/// One envelope's share in a message. When the last share is gone the message is settled if every one of them was;
/// else it is given back, so that a task which fails or is cut off loses nothing.
#[derive(Debug)]
pub(crate) struct Share {
    message: Arc<Message>,
    /// The line it is a share of; `None` as long as nobody could read it.
    line: Option<LineKey>,
}

/// What became of an envelope's alerts when a share was let go.
#[derive(Debug, Default)]
struct Tally {
    counts: [AtomicU64; Outcome::ALL.len()],
    copied: AtomicU64,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    finished: Vec<LineKey>,
    /// Those of which something travels on. They come again because they are meant to.
    moved_on: Vec<LineKey>,
}

#[derive(Debug)]
struct Message {
    delivery: Option<Delivery>,
    unsettled: AtomicUsize,
    tally: Tally,
    replay: Option<Replay>,
    book: Arc<Book>,
}

impl Share {
    /// The shares of a message, one for each of its envelopes.
    pub(super) fn of(delivery: Delivery, envelopes: usize, book: &Arc<Book>) -> Vec<Self> {
        let message = Arc::new(Message {
            replay: delivery.headers.replay,
            delivery: Some(delivery),
            unsettled: AtomicUsize::new(envelopes),
            tally: Tally::default(),
            book: Arc::clone(book),
        });
        let share = || {
            book.metrics.in_flight.inc();
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
        self.message.book.metrics.in_flight.inc();
        Self { message: Arc::clone(&self.message), line: self.line }
    }

    /// Says what became of some of its alerts. Counted once the message is settled: one that is given back comes
    /// again, and is counted then.
    pub(crate) fn count(&self, outcome: Outcome, alerts: usize) {
        let alerts = u64::try_from(alerts).unwrap_or(u64::MAX);
        self.message.tally.counts[outcome as usize].fetch_add(alerts, Ordering::Relaxed);
    }

    /// Says that so many more alerts end than came, counted in the same way.
    pub(super) fn count_copied(&self, alerts: usize) {
        let alerts = u64::try_from(alerts).unwrap_or(u64::MAX);
        self.message.tally.copied.fetch_add(alerts, Ordering::Relaxed);
    }

    /// Says that what it stands for is settled for good.
    pub(crate) fn settle(self) {
        self.lines().finished.extend(self.line);
        self.message.unsettled.fetch_sub(1, Ordering::AcqRel);
    }

    /// Says that it is settled because what it stands for was published onwards.
    pub(crate) fn settle_onwards(self) {
        self.lines().moved_on.extend(self.line);
        self.message.unsettled.fetch_sub(1, Ordering::AcqRel);
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.message.tally.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.message.book.metrics.in_flight.dec();
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        let Some(delivery) = self.delivery.take() else { return };
        if self.unsettled.load(Ordering::Acquire) > 0 {
            // The delivery is dropped here, which gives it back.
            return;
        }
        if !delivery.settle() {
            // Its connection is gone, so it comes again and is counted then.
            return;
        }
        let lines = std::mem::take(&mut self.tally.lines).into_inner();
        let Lines { mut finished, moved_on } = lines.unwrap_or_else(PoisonError::into_inner);
        finished.retain(|line| !moved_on.contains(line));
        let counts = self.tally.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        let copied = self.tally.copied.load(Ordering::Relaxed);
        self.book.enter(Entry { counts, copied, finished, replay: self.replay });
    }
}
