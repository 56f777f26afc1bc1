//! Messages → what is to be told. Decodes without copying, asks the ledger about everything at once, and copies only
//! what has to wait: in a storm of repeats that is next to nothing.

use std::sync::Arc;

use bytes::Bytes;
use shared::alert::Alert;
use shared::envelope::{DecodeError, Envelope, decode, lines};
use shared::queue::{Delivery, Headers};
use tokio::time::Instant;

use super::book::Book;
use super::hand::{Parcel, Share};
use super::onward::Unreadable;
use super::recent::LineKey;
use super::routes::LiveRoutes;
use crate::ledger::{Decision, Event, Ledger, Occasion};
use crate::metrics::Outcome;
use crate::outbox::tries::Tries;
use crate::routing::{Chats, Part, Parting};

/// What decides without I/O of its own but the ledger's.
pub(crate) struct Intake {
    routes: LiveRoutes,
    /// The chats payloads may name.
    chats: Chats,
    book: Arc<Book>,
}

/// What came of a batch and is not settled yet.
#[derive(Default)]
pub(super) struct Taken {
    /// Receiver, how many envelopes share the message, and the parcel.
    pub(super) to_tell: Vec<(usize, usize, Parcel)>,
    pub(super) without_receiver: Vec<Parcel>,
    /// Lines that are no envelopes, with the reason.
    pub(super) unreadable: Vec<Unreadable>,
}

/// One line of a message, before it is read.
struct Arrival {
    headers: Headers,
    share: Share,
    /// How many envelopes its message has.
    siblings: usize,
}

impl Intake {
    pub(crate) const fn new(routes: LiveRoutes, chats: Chats, book: Arc<Book>) -> Self {
        Self { routes, chats, book }
    }

    pub(super) async fn take(&self, deliveries: Vec<Delivery>, ledger: &Ledger) -> Taken {
        let (taken_at, router) = (Instant::now(), self.routes.now());
        let (bodies, mut arrivals) = self.split(deliveries);
        let envelopes: Vec<_> = bodies.iter().map(|line| self.read(line)).collect();
        let settled_before = self.settled_before(&envelopes, &mut arrivals);
        let partings: Vec<_> = envelopes
            .iter()
            .map(|envelope| envelope.as_ref().map_or(Parting::Whole(None), |envelope| router.part(envelope)))
            .collect();
        let mut events = Vec::new();
        for (index, envelope) in envelopes.iter().enumerate() {
            if let (Ok(envelope), false) = (envelope, settled_before[index]) {
                let forced = arrivals[index].headers.replay.is_some_and(|replay| replay.forced);
                add_events(&mut events, (envelope, forced), &partings[index], router.names());
            }
        }
        let mut decisions = ledger.observe(&events).await.into_iter();
        drop(events);
        let mut taken = Taken::default();
        let each = arrivals.into_iter().zip(envelopes).zip(partings);
        for (index, ((arrival, envelope), parting)) in each.enumerate() {
            match (envelope, parting) {
                (Err(error), _) => {
                    let Arrival { headers, share, .. } = arrival;
                    let (line, why) = (bodies[index].clone(), error.to_string());
                    taken.unreadable.push(Unreadable { line, headers, why, share });
                }
                (Ok(envelope), _) if settled_before[index] => {
                    self.book.metrics.redelivered(envelope.alerts.len());
                    arrival.share.settle();
                }
                (Ok(envelope), Parting::Whole(None)) => {
                    taken.without_receiver.push(arrival.into_parcel(envelope, taken_at));
                }
                (Ok(mut envelope), Parting::Whole(Some(receiver))) => {
                    let decided: Vec<_> = decisions.by_ref().take(envelope.alerts.len()).collect();
                    router.address(&mut envelope, receiver);
                    taken.decide(arrival, envelope, receiver, (&decided, taken_at));
                }
                (Ok(envelope), Parting::Parts(parts)) => {
                    let more = parts.iter().map(|part| part.alerts.len()).sum::<usize>();
                    arrival.share.count_copied(more.saturating_sub(envelope.alerts.len()));
                    for Part { receiver, alerts } in parts {
                        let mut part = envelope.of_alerts(&alerts);
                        let Some(receiver) = receiver else {
                            taken.without_receiver.push(arrival.twin().into_parcel(part, taken_at));
                            continue;
                        };
                        let decided: Vec<_> = decisions.by_ref().take(alerts.len()).collect();
                        router.address(&mut part, receiver);
                        taken.decide(arrival.twin(), part, receiver, (&decided, taken_at));
                    }
                    arrival.share.settle();
                }
            }
        }
        taken
    }

    /// Reads a line, and addresses it to the chat it names.
    fn read<'l>(&self, line: &'l [u8]) -> Result<Envelope<'l>, DecodeError> {
        let mut envelope = decode(line)?;
        self.book.metrics.named(self.chats.address(&mut envelope));
        Ok(envelope)
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
        arrivals: &mut [Arrival],
    ) -> Vec<bool> {
        let lines: Vec<_> =
            envelopes.iter().map(|envelope| envelope.as_ref().ok().map(LineKey::of)).collect();
        let mut known = self.book.recent.knows(lines.iter().copied().flatten()).into_iter();
        let each = lines.into_iter().zip(arrivals);
        each.map(|(line, arrival)| {
            let Some(line) = line else { return false };
            arrival.share.of_line(line);
            // A replay is meant to come again.
            known.next().unwrap_or(false) && arrival.headers.replay.is_none()
        })
        .collect()
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
            return arrival.share.settle();
        }
        let siblings = arrival.siblings;
        let parcel = Parcel { reminders, ..arrival.into_parcel(envelope, taken_at) };
        self.to_tell.push((receiver, siblings, parcel));
    }
}

impl Arrival {
    /// The same for a part of the envelope.
    fn twin(&self) -> Self {
        Self { headers: self.headers.clone(), share: self.share.twin(), siblings: self.siblings }
    }

    fn into_parcel(self, envelope: Envelope<'_>, taken_at: Instant) -> Parcel {
        let reminders = vec![false; envelope.alerts.len()];
        let envelope = envelope.into_owned();
        let tries = Tries::of(&self.headers);
        let Self { headers, share, siblings: _ } = self;
        Parcel { envelope, reminders, headers, tries, taken_at, is_sorted: false, share, place: None }
    }
}

/// Adds what the ledger is asked about an envelope, in the order in which its answers are looked at.
fn add_events<'e>(
    events: &mut Vec<Event<'e>>,
    (envelope, forced): (&'e Envelope<'_>, bool),
    parting: &Parting,
    names: &'e [String],
) {
    match parting {
        Parting::Whole(None) => {}
        Parting::Whole(Some(receiver)) => events.extend(events_of(envelope, &names[*receiver], forced)),
        Parting::Parts(parts) => {
            for part in parts {
                let Some(receiver) = part.receiver else { continue };
                let alerts = part.alerts.iter().map(|index| &envelope.alerts[*index]);
                events.extend(alerts.map(|alert| event(envelope, alert, &names[receiver], forced)));
            }
        }
    }
}

/// The envelope's alerts as the ledger sees them, in their order.
pub(crate) fn events_of<'e>(
    envelope: &'e Envelope<'_>,
    receiver: &'e str,
    forced: bool,
) -> impl Iterator<Item = Event<'e>> {
    envelope.alerts.iter().map(move |alert| event(envelope, alert, receiver, forced))
}

fn event<'e>(envelope: &'e Envelope<'_>, alert: &'e Alert<'_>, receiver: &'e str, forced: bool) -> Event<'e> {
    Event {
        receiver,
        fingerprint: alert.fingerprint.as_str(),
        status: alert.status,
        starts_at: alert.starts_at,
        received_at: envelope.received_at,
        envelope: envelope.id,
        forced,
    }
}
