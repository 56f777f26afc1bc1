//! Messages → what is to be delivered. Decodes without copying, asks the ledger about everything at once, and copies only
//! what has to wait: in a storm of repeats that is next to nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::HeartbeatConfig;
use jiff::Timestamp;
use model::alert::{Alert, Fingerprint, Status};
use model::envelope::{Envelope, EnvelopeDecodeError, Source, decode, lines};
use queue::{Delivery, Headers};
use tokio::time::Instant;
use tracing::debug;

use super::attempts::AttemptState;
use super::in_flight::{AckGuard, IfDelivered, InFlightEnvelope, event, events_of};
use super::recently_settled::LineKey;
use super::requeue::Unreadable;
use super::routes::LiveRoutes;
use super::settlement::SettlementRecorder;
use crate::heartbeats::Heartbeats;
use crate::history::{History, RepeatCause};
use crate::ledger::{Decision, Event, Ledger, Occasion};
use crate::metrics::Outcome;
use crate::render::Item;
use crate::routing::{Chats, Parting, RoutedPart};
use crate::test_alert;

/// What decides without I/O of its own but the ledger's.
pub(crate) struct Intake {
    routes: LiveRoutes,
    /// The chats payloads may name.
    chats: Chats,
    recorder: Arc<SettlementRecorder>,
    history: History,
    heartbeats: Heartbeats,
}

/// What came of a batch and is not settled yet.
#[derive(Default)]
pub(super) struct Admitted {
    /// Receiver, how many envelopes share the message, and the envelope.
    pub(super) to_tell: Vec<(usize, usize, InFlightEnvelope)>,
    /// Receiver, until when, and what is to be decided about again then.
    pub(super) to_defer: Vec<(usize, Timestamp, InFlightEnvelope)>,
    pub(super) without_receiver: Vec<InFlightEnvelope>,
    /// Lines that are no envelopes, with the reason.
    pub(super) unreadable: Vec<Unreadable>,
}

/// One line of a message, before it is read.
struct UnreadLine {
    headers: Headers,
    share: AckGuard,
    /// How many envelopes its message has.
    siblings: usize,
}

impl Intake {
    pub(crate) const fn new(
        routes: LiveRoutes,
        chats: Chats,
        recorder: Arc<SettlementRecorder>,
        history: History,
        heartbeats: Heartbeats,
    ) -> Self {
        Self { routes, chats, recorder, history, heartbeats }
    }

    /// It waits for messages.
    pub(super) fn waits(&self) {
        self.heartbeats.listening().waits(Instant::now());
    }

    pub(super) async fn take(&self, deliveries: Vec<Delivery>, ledger: &Ledger, now: Timestamp) -> Admitted {
        // What died while it lay ready comes again. The ledger is not told that we have it: somebody else may have it by
        // now, and would take ours for the later copy.
        let deliveries = deliveries.into_iter().filter(Delivery::is_alive).collect();
        let taken_at = Instant::now();
        let router = self.routes.now();
        let (bodies, mut arrivals) = self.split(deliveries);
        let mut envelopes: Vec<_> = bodies.iter().map(|line| self.read(line)).collect();
        let settled_before = self.settled_before(&envelopes, &mut arrivals);
        self.took(&envelopes, &arrivals, now);
        self.expect(&mut envelopes, &settled_before, &arrivals).await;
        let part = |known: &Envelope<'_>| router.part(known);
        let partings = envelopes.iter().map(|known| known.as_ref().map_or(Parting::Whole(None), part));
        let partings: Vec<_> = partings.collect();
        let mut events = Vec::new();
        let mut formers = Vec::new();
        let is_expired = |envelope: &Envelope<'_>| test_alert::is_expired(envelope, now);
        for (index, envelope) in envelopes.iter().enumerate() {
            if let (Ok(envelope), false) = (envelope, settled_before[index])
                && !is_expired(envelope)
            {
                let if_delivered = IfDelivered::of(&arrivals[index].headers);
                add_events(&mut events, envelope, if_delivered, &partings[index], router.names());
                formers.extend(formers_of(envelope, &partings[index]));
            }
        }
        let mut goes_by_former = ledger.choose_names(&mut events, &formers).await.into_iter();
        let mut decisions = ledger.observe(&events).await.into_iter();
        drop((events, formers));
        let mut taken = Admitted::default();
        let each = arrivals.into_iter().zip(envelopes).zip(partings);
        for (index, ((arrival, envelope), parting)) in each.enumerate() {
            match (envelope, parting) {
                (Err(error), _) => {
                    taken.unreadable.push(arrival.into_unreadable(bodies[index].clone(), error.to_string()));
                }
                (Ok(envelope), _) if settled_before[index] => {
                    self.redelivered(arrival.share, &envelope);
                }
                (Ok(envelope), _) if envelope.alerts.is_empty() => arrival.share.settle(),
                (Ok(envelope), _) if is_expired(&envelope) => self.expire(arrival.share, &envelope),
                (Ok(envelope), Parting::Whole(None)) => {
                    taken.without_receiver.push(arrival.into_in_flight(envelope, taken_at));
                }
                (Ok(mut envelope), Parting::Whole(Some(receiver))) => {
                    let decided: Vec<_> = decisions.by_ref().take(envelope.alerts.len()).collect();
                    rename(&mut envelope, &mut goes_by_former);
                    router.address(&mut envelope, receiver);
                    self.note_known(&envelope, &router.names()[receiver], &decided, ledger);
                    taken.decide(arrival, envelope, receiver, &decided, taken_at);
                }
                (Ok(envelope), Parting::Parts(parts)) => {
                    let more = parts.iter().map(|part| part.alerts.len()).sum::<usize>();
                    arrival.share.count_copied(more.saturating_sub(envelope.alerts.len()));
                    for RoutedPart { receiver, alerts } in parts {
                        let mut part = envelope.of_alerts(&alerts);
                        let Some(receiver) = receiver else {
                            taken.without_receiver.push(arrival.twin().into_in_flight(part, taken_at));
                            continue;
                        };
                        let decided: Vec<_> = decisions.by_ref().take(alerts.len()).collect();
                        rename(&mut part, &mut goes_by_former);
                        router.address(&mut part, receiver);
                        self.note_known(&part, &router.names()[receiver], &decided, ledger);
                        taken.decide(arrival.twin(), part, receiver, &decided, taken_at);
                    }
                    arrival.share.settle();
                }
            }
        }
        taken
    }

    /// Says how late it takes what ingest has received. What was here before says nothing of that.
    fn took(
        &self,
        envelopes: &[Result<Envelope<'_>, EnvelopeDecodeError>],
        arrivals: &[UnreadLine],
        now: Timestamp,
    ) {
        let is_new = |headers: &Headers| headers.failure.is_none() && headers.replay.is_none();
        let each = envelopes.iter().zip(arrivals).filter(|(_, arrival)| is_new(&arrival.headers));
        let known = each.filter_map(|(envelope, _)| envelope.as_ref().ok());
        let is_first_hand =
            |known: &&Envelope<'_>| known.instead_of.is_empty() && known.source != Source::Larkfire;
        let newest = known.filter(is_first_hand).map(|known| known.received_at);
        let age = newest.max().map(|at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
        self.heartbeats.listening().took(age, Instant::now());
    }

    /// Takes out what is a sign of a heartbeat: it is expected, and delivered to nobody. When it came is written down before any
    /// of it is settled.
    async fn expect(
        &self,
        envelopes: &mut [Result<Envelope<'_>, EnvelopeDecodeError>],
        settled_before: &[bool],
        arrivals: &[UnreadLine],
    ) {
        let expected = self.heartbeats.expected();
        if expected.is_empty() {
            return;
        }
        let mut heard: BTreeMap<String, Timestamp> = BTreeMap::new();
        let each = envelopes.iter_mut().zip(settled_before).zip(arrivals);
        for ((envelope, settled_before), arrival) in each {
            let Ok(envelope) = envelope else { continue };
            // What we say ourselves, tests included, is a sign of nothing.
            if *settled_before || envelope.source == Source::Larkfire || test_alert::is_test(envelope) {
                continue;
            }
            let mut is_sign = Vec::with_capacity(envelope.alerts.len());
            for alert in &envelope.alerts {
                let mut first = None;
                for heartbeat in expected.of(&alert.labels) {
                    first.get_or_insert(heartbeat);
                    if alert.status == Status::Firing {
                        let last = heard.entry(heartbeat.name.clone()).or_insert(envelope.received_at);
                        *last = envelope.received_at.max(*last);
                    }
                }
                if let Some(heartbeat) = first {
                    self.note_expected(envelope, alert, heartbeat);
                }
                is_sign.push(first.is_some());
            }
            arrival.share.count(Outcome::Expected, is_sign.iter().filter(|is_sign| **is_sign).count());
            let mut is_sign = is_sign.into_iter();
            envelope.alerts.retain(|_| !is_sign.next().unwrap_or(false));
        }
        self.heartbeats.heard(heard).await;
    }

    /// Writes down that it was expected, and by what it was known.
    fn note_expected(&self, envelope: &Envelope<'_>, alert: &Alert<'_>, heartbeat: &HeartbeatConfig) {
        let name = &heartbeat.name;
        let receiver = heartbeat.receiver.as_deref().unwrap_or_default();
        debug!(
            outcome = Outcome::Expected.as_str(),
            envelope.id = %envelope.id,
            heartbeat = name,
            alert.fingerprint = alert.fingerprint.as_str(),
            "a heartbeat"
        );
        let noted = (Item::of(envelope, alert), Outcome::Expected.into());
        self.history.note_again(receiver, None, std::iter::once(noted), |_| RepeatCause {
            reason: match alert.status {
                Status::Firing => format!("a sign of the heartbeat {name}"),
                Status::Resolved => {
                    format!("the end of a sign of the heartbeat {name}, which is missing if none follows")
                }
            },
            ..RepeatCause::default()
        });
    }

    fn redelivered(&self, share: AckGuard, envelope: &Envelope<'_>) {
        self.recorder.metrics.redelivered(envelope.alerts.len() as u64);
        share.settle();
    }

    /// A test that lay on the queue until nobody waited for it is delivered to nobody.
    fn expire(&self, share: AckGuard, envelope: &Envelope<'_>) {
        let outcome = Outcome::Superseded;
        share.count(outcome, envelope.alerts.len());
        let each = envelope.alerts.iter().map(|alert| (Item::of(envelope, alert), outcome.into()));
        self.history.note_again(&envelope.receiver, None, each, |_| RepeatCause {
            reason: "a test nobody waited for any more".to_owned(),
            ..RepeatCause::default()
        });
        share.settle();
    }

    /// Writes down what is not delivered because it is known, and by what.
    fn note_known(&self, envelope: &Envelope<'_>, receiver: &str, decided: &[Decision], ledger: &Ledger) {
        let outcome = |decision: &Decision| match decision {
            Decision::Duplicate => Some(Outcome::Duplicate),
            Decision::Superseded => Some(Outcome::Superseded),
            Decision::Deliver(_) | Decision::Copy | Decision::Elsewhere | Decision::Defer { .. } => None,
        };
        if !self.history.is_kept() || decided.iter().all(|decision| outcome(decision).is_none()) {
            return;
        }
        let each = envelope.alerts.iter().zip(decided);
        let known =
            each.filter_map(|(alert, decision)| Some((Item::of(envelope, alert), outcome(decision)?.into())));
        self.history.note_again(receiver, None, known, |item| {
            let by = ledger.known_by(&event(item.envelope, item.alert, receiver, IfDelivered::IsDuplicate));
            let reason = by.map_or("it was known", |by| by.reason).to_owned();
            RepeatCause { reason, by: by.map(|by| by.envelope), ..RepeatCause::default() }
        });
    }

    /// Reads a line, and addresses it to the chat it names.
    fn read<'l>(&self, line: &'l [u8]) -> Result<Envelope<'l>, EnvelopeDecodeError> {
        let mut envelope = decode(line)?;
        self.recorder.metrics.named(self.chats.address(&mut envelope));
        Ok(envelope)
    }

    fn split(&self, deliveries: Vec<Delivery>) -> (Vec<Bytes>, Vec<UnreadLine>) {
        let mut bodies = Vec::new();
        let mut arrivals = Vec::new();
        for delivery in deliveries {
            let body = delivery.body.clone();
            let headers = delivery.headers.clone();
            // An empty message is taken for one empty line: nobody publishes it, so somebody should know of it.
            let found: Vec<_> = if body.is_empty() { vec![&body[..]] } else { lines(&body).collect() };
            let siblings = found.len();
            let shares = AckGuard::of(delivery, siblings, &self.recorder);
            bodies.extend(found.into_iter().map(|line| body.slice_ref(line)));
            arrivals.extend(shares.into_iter().map(|share| UnreadLine {
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
        envelopes: &[Result<Envelope<'_>, EnvelopeDecodeError>],
        arrivals: &mut [UnreadLine],
    ) -> Vec<bool> {
        let lines: Vec<_> =
            envelopes.iter().map(|envelope| envelope.as_ref().ok().map(LineKey::of)).collect();
        self.recorder.held.came(lines.iter().copied().flatten());
        let mut known = self.recorder.recent.knows(lines.iter().copied().flatten()).into_iter();
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

impl Admitted {
    /// Counts what is known, keeps what is to be delivered.
    fn decide(
        &mut self,
        arrival: UnreadLine,
        mut envelope: Envelope<'_>,
        receiver: usize,
        decided: &[Decision],
        taken_at: Instant,
    ) {
        let count = |wanted: Decision| decided.iter().filter(|decision| **decision == wanted).count();
        arrival.share.count(Outcome::Duplicate, count(Decision::Duplicate));
        arrival.share.count(Outcome::Superseded, count(Decision::Superseded));
        arrival.share.count_copies(count(Decision::Copy));
        self.defer(&arrival, &envelope, receiver, decided, taken_at);
        let overtakes = decided.contains(&Decision::Deliver(Occasion::Overtaking));
        let mut reminders = Vec::new();
        let mut decided = decided.iter();
        envelope.alerts.retain(|_| match decided.next() {
            Some(Decision::Deliver(occasion)) => {
                reminders.push(*occasion == Occasion::Reminder);
                true
            }
            // Only asked about when a card is made.
            Some(Decision::Elsewhere) => {
                reminders.push(false);
                true
            }
            Some(Decision::Duplicate | Decision::Superseded | Decision::Copy | Decision::Defer { .. })
            | None => false,
        });
        if envelope.alerts.is_empty() {
            return arrival.share.settle();
        }
        let siblings = arrival.siblings;
        let in_flight =
            InFlightEnvelope { reminders, overtakes, ..arrival.into_in_flight(envelope, taken_at) };
        self.to_tell.push((receiver, siblings, in_flight));
    }
}

impl Admitted {
    /// Takes out what cannot be decided yet, into an envelope of its own.
    fn defer(
        &mut self,
        arrival: &UnreadLine,
        envelope: &Envelope<'_>,
        receiver: usize,
        decided: &[Decision],
        taken_at: Instant,
    ) {
        let until = |decision: &Decision| match decision {
            Decision::Defer { until } => Some(*until),
            Decision::Deliver(_)
            | Decision::Duplicate
            | Decision::Superseded
            | Decision::Copy
            | Decision::Elsewhere => None,
        };
        if let Some(last) = decided.iter().filter_map(until).max() {
            let is_deferred = |place: &usize| decided.get(*place).and_then(until).is_some();
            let places: Vec<_> = (0..envelope.alerts.len()).filter(is_deferred).collect();
            let in_flight = arrival.twin().into_in_flight(envelope.of_alerts(&places), taken_at);
            self.to_defer.push((receiver, last, in_flight));
        }
    }
}

impl UnreadLine {
    fn into_unreadable(self, line: Bytes, why: String) -> Unreadable {
        Unreadable { line, headers: self.headers, why, share: self.share }
    }

    /// The same for a part of the envelope.
    fn twin(&self) -> Self {
        Self { headers: self.headers.clone(), share: self.share.twin(), siblings: self.siblings }
    }

    fn into_in_flight(self, envelope: Envelope<'_>, taken_at: Instant) -> InFlightEnvelope {
        let reminders = vec![false; envelope.alerts.len()];
        let envelope = envelope.into_owned();
        let tries = AttemptState::of(&self.headers);
        let Self { headers, share, siblings: _ } = self;
        InFlightEnvelope {
            envelope,
            reminders,
            headers,
            tries,
            taken_at,
            is_sorted: false,
            share,
            place: None,
            overtakes: false,
        }
    }
}

/// Adds what the ledger is asked about an envelope, in the order in which its answers are looked at.
fn add_events<'e>(
    events: &mut Vec<Event<'e>>,
    envelope: &'e Envelope<'_>,
    if_delivered: IfDelivered,
    parting: &Parting,
    names: &'e [String],
) {
    match parting {
        Parting::Whole(None) => {}
        Parting::Whole(Some(receiver)) => events.extend(events_of(envelope, &names[*receiver], if_delivered)),
        Parting::Parts(parts) => {
            for part in parts {
                let Some(receiver) = part.receiver else { continue };
                let alerts = part.alerts.iter().map(|index| &envelope.alerts[*index]);
                events.extend(alerts.map(|alert| event(envelope, alert, &names[receiver], if_delivered)));
            }
        }
    }
}

/// The former names of the alerts the ledger is asked about, in the order of `add_events`.
fn formers_of<'e>(envelope: &'e Envelope<'_>, parting: &Parting) -> Vec<Option<&'e str>> {
    let former = |alert: &'e Alert<'_>| alert.former.as_ref().map(Fingerprint::as_str);
    match parting {
        Parting::Whole(None) => Vec::new(),
        Parting::Whole(Some(_)) => envelope.alerts.iter().map(former).collect(),
        Parting::Parts(parts) => {
            let routed = parts.iter().filter(|part| part.receiver.is_some()).flat_map(|part| &part.alerts);
            routed.map(|index| former(&envelope.alerts[*index])).collect()
        }
    }
}

/// Gives those alerts their former names that go by them: cards and whatever else is kept of them have those.
fn rename(envelope: &mut Envelope<'_>, goes_by_former: &mut impl Iterator<Item = bool>) {
    for alert in &mut envelope.alerts {
        if goes_by_former.next() == Some(true) {
            alert.go_by_former();
        }
    }
}
