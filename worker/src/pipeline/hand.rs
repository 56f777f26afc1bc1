//! What the worker has in hand: alerts of one envelope that are to be told, and their share in the message they
//! came with.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::envelope::{Envelope, EnvelopeId};
use shared::queue::{Delivery, Headers, Replay};
use tokio::time::Instant;

use super::book::{Book, Entry};
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
        self.share.settle(self.envelope.id);
    }

    /// Cuts off everything behind the first `count` alerts, into a parcel of its own.
    pub(crate) fn split_off(&mut self, count: usize) -> Self {
        let rest = self.envelope.alerts.split_off(count);
        let mut envelope = self.envelope.clone();
        envelope.alerts = rest;
        Self {
            envelope,
            reminders: self.reminders.split_off(count),
            headers: self.headers.clone(),
            tries: self.tries.clone(),
            taken_at: self.taken_at,
            share: self.share.twin(),
            // The first part keeps the place of both.
            place: None,
        }
    }
}

/// One envelope's share in a message. When the last share is gone the message is settled if every one of them was;
/// else it is given back, so that a task which fails or is cut off loses nothing.
#[derive(Debug)]
pub(crate) struct Share(Arc<Message>);

/// What became of an envelope's alerts when a share was let go.
#[derive(Debug, Default)]
struct Tally {
    counts: [AtomicU64; Outcome::ALL.len()],
    envelopes: Mutex<Envelopes>,
}

#[derive(Debug, Default)]
struct Envelopes {
    finished: Vec<EnvelopeId>,
    /// Those of which something travels on. They come again because they are meant to.
    moved_on: Vec<EnvelopeId>,
}

#[derive(Debug)]
struct Message {
    delivery: Option<Delivery>,
    unsettled: AtomicUsize,
    tally: Tally,
    replay: Option<Replay>,
    book: Book,
}

impl Share {
    /// The shares of a message, one for each of its envelopes.
    pub(super) fn of(delivery: Delivery, envelopes: usize, book: &Book) -> Vec<Self> {
        let message = Arc::new(Message {
            replay: delivery.headers.replay,
            delivery: Some(delivery),
            unsettled: AtomicUsize::new(envelopes),
            tally: Tally::default(),
            book: book.clone(),
        });
        let share = || {
            book.metrics.in_flight.inc();
            Self(Arc::clone(&message))
        };
        std::iter::repeat_with(share).take(envelopes).collect()
    }

    /// A further share in the same message: it is settled when both are.
    fn twin(&self) -> Self {
        self.0.unsettled.fetch_add(1, Ordering::AcqRel);
        self.0.book.metrics.in_flight.inc();
        Self(Arc::clone(&self.0))
    }

    /// Says what became of some of its alerts. Counted once the message is settled: one that is given back comes
    /// again, and is counted then.
    pub(crate) fn count(&self, outcome: Outcome, alerts: usize) {
        let alerts = u64::try_from(alerts).unwrap_or(u64::MAX);
        self.0.tally.counts[outcome as usize].fetch_add(alerts, Ordering::Relaxed);
    }

    /// Says that this envelope is settled for good.
    pub(crate) fn settle(self, envelope: EnvelopeId) {
        self.envelopes().finished.push(envelope);
        self.0.unsettled.fetch_sub(1, Ordering::AcqRel);
    }

    /// Says that this share is settled because what it stands for was published onwards.
    pub(crate) fn settle_onwards(self, envelope: EnvelopeId) {
        self.envelopes().moved_on.push(envelope);
        self.0.unsettled.fetch_sub(1, Ordering::AcqRel);
    }

    /// The same for what never was an envelope.
    pub(super) fn settle_unnamed(self) {
        self.0.unsettled.fetch_sub(1, Ordering::AcqRel);
    }

    fn envelopes(&self) -> MutexGuard<'_, Envelopes> {
        self.0.tally.envelopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.book.metrics.in_flight.dec();
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
        let envelopes = std::mem::take(&mut self.tally.envelopes).into_inner();
        let Envelopes { mut finished, moved_on } = envelopes.unwrap_or_else(PoisonError::into_inner);
        finished.retain(|envelope| !moved_on.contains(envelope));
        let counts = self.tally.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        self.book.enter(Entry { counts, finished, replay: self.replay });
    }
}
