//! Messages → what is to be told. Decodes without copying, asks the ledger about everything at once, and copies only
//! what has to wait: in a storm of repeats that is next to nothing.

use bytes::Bytes;
use shared::envelope::{DecodeError, Envelope, decode, lines};
use shared::queue::{Delivery, Headers};
use tokio::time::Instant;

use super::book::Book;
use super::hand::{Parcel, Share};
use crate::ledger::{Decision, Event, Ledger, Occasion};
use crate::metrics::Outcome;
use crate::outbox::tries::Tries;
use crate::routing;

/// What decides without I/O of its own but the ledger's.
pub(super) struct Intake {
    /// The receivers' names; a route is an index into them.
    pub(super) names: Vec<String>,
    pub(super) book: Book,
}

/// What came of a batch and is not settled yet.
#[derive(Default)]
pub(super) struct Taken {
    /// Receiver, how many envelopes share the message, and the parcel.
    pub(super) to_tell: Vec<(usize, usize, Parcel)>,
    pub(super) without_receiver: Vec<Parcel>,
    /// Lines that are no envelopes, with the reason.
    pub(super) unreadable: Vec<(Bytes, Headers, String, Share)>,
}

/// One line of a message, before it is read.
struct Arrival {
    headers: Headers,
    share: Share,
    /// How many envelopes its message has.
    siblings: usize,
}

impl Intake {
    pub(super) async fn take(&self, deliveries: Vec<Delivery>, ledger: &Ledger) -> Taken {
        let taken_at = Instant::now();
        let (bodies, arrivals) = self.split(deliveries);
        let envelopes: Vec<_> = bodies.iter().map(|line| decode(line)).collect();
        let settled_before = self.settled_before(&envelopes, &arrivals);
        let routes: Vec<_> = envelopes.iter().map(|envelope| self.route(envelope)).collect();
        let mut events = Vec::new();
        for (index, envelope) in envelopes.iter().enumerate() {
            if let (Ok(envelope), Some(receiver), false) = (envelope, routes[index], settled_before[index]) {
                let forced = arrivals[index].headers.replay.is_some_and(|replay| replay.forced);
                events.extend(events_of(envelope, &self.names[receiver], forced));
            }
        }
        let mut decisions = ledger.observe(&events).await.into_iter();
        drop(events);
        let mut taken = Taken::default();
        for (index, (arrival, envelope)) in arrivals.into_iter().zip(envelopes).enumerate() {
            match (envelope, routes[index]) {
                (Err(error), _) => {
                    let line = bodies[index].clone();
                    taken.unreadable.push((line, arrival.headers, error.to_string(), arrival.share));
                }
                (Ok(envelope), _) if settled_before[index] => {
                    self.book.metrics.redelivered(envelope.alerts.len());
                    arrival.share.settle(envelope.id);
                }
                (Ok(envelope), None) => taken.without_receiver.push(arrival.into_parcel(envelope, taken_at)),
                (Ok(envelope), Some(receiver)) => {
                    let decided: Vec<_> = decisions.by_ref().take(envelope.alerts.len()).collect();
                    taken.decide(arrival, envelope, receiver, (&decided, taken_at));
                }
            }
        }
        taken
    }

    fn split(&self, deliveries: Vec<Delivery>) -> (Vec<Bytes>, Vec<Arrival>) {
        let (mut bodies, mut arrivals) = (Vec::new(), Vec::new());
        for delivery in deliveries {
            let (body, headers) = (delivery.body.clone(), delivery.headers.clone());
            // An empty message is taken for one empty line: nobody publishes it, so somebody should know of it.
            let found: Vec<_> = if body.is_empty() { vec![&body[..]] } else { lines(&body).collect() };
            let siblings = found.len();
            let shares = Share::of(delivery, siblings, &self.book);
            bodies.extend(found.into_iter().map(|line| body.slice_ref(line)));
            arrivals.extend(shares.into_iter().map(|share| Arrival {
                headers: headers.clone(),
                share,
                siblings,
            }));
        }
        (bodies, arrivals)
    }

    /// Which envelopes come only because the word that they were settled was lost on its way.
    fn settled_before(
        &self,
        envelopes: &[Result<Envelope<'_>, DecodeError>],
        arrivals: &[Arrival],
    ) -> Vec<bool> {
        let ids = envelopes.iter().flatten().map(|envelope| envelope.id);
        let mut known = self.book.recent.knows(ids).into_iter();
        let each = envelopes.iter().zip(arrivals);
        // A replay is meant to come again.
        each.map(|(envelope, arrival)| {
            envelope.is_ok() && known.next().unwrap_or(false) && arrival.headers.replay.is_none()
        })
        .collect()
    }

    fn route(&self, envelope: &Result<Envelope<'_>, DecodeError>) -> Option<usize> {
        routing::choose(&envelope.as_ref().ok()?.receiver, &self.names)
    }
}

impl Taken {
    /// Counts what is known, keeps what is to be told.
    fn decide(
        &mut self,
        arrival: Arrival,
        mut envelope: Envelope<'_>,
        receiver: usize,
        (decided, taken_at): (&[Decision], Instant),
    ) {
        let count = |wanted: Decision| decided.iter().filter(|decision| **decision == wanted).count();
        arrival.share.count(Outcome::Known, count(Decision::Known));
        arrival.share.count(Outcome::Stale, count(Decision::Stale));
        let mut reminders = Vec::new();
        let mut decided = decided.iter();
        envelope.alerts.retain(|_| match decided.next() {
            Some(Decision::Tell(occasion)) => {
                reminders.push(*occasion == Occasion::Reminder);
                true
            }
            Some(Decision::Known | Decision::Stale) | None => false,
        });
        if envelope.alerts.is_empty() {
            return arrival.share.settle(envelope.id);
        }
        let siblings = arrival.siblings;
        let parcel = Parcel { reminders, ..arrival.into_parcel(envelope, taken_at) };
        self.to_tell.push((receiver, siblings, parcel));
    }
}

impl Arrival {
    fn into_parcel(self, envelope: Envelope<'_>, taken_at: Instant) -> Parcel {
        let reminders = vec![false; envelope.alerts.len()];
        let envelope = envelope.into_owned();
        let tries = Tries::of(&self.headers);
        let Self { headers, share, siblings: _ } = self;
        Parcel { envelope, reminders, headers, tries, taken_at, share, place: None }
    }
}

/// The envelope's alerts as the ledger sees them, in their order.
pub(crate) fn events_of<'e>(
    envelope: &'e Envelope<'_>,
    receiver: &'e str,
    forced: bool,
) -> impl Iterator<Item = Event<'e>> {
    envelope.alerts.iter().map(move |alert| Event {
        receiver,
        fingerprint: alert.fingerprint.as_str(),
        status: alert.status,
        starts_at: alert.starts_at,
        received_at: envelope.received_at,
        envelope: envelope.id,
        forced,
    })
}
