//! Publishing onwards: to a pause, or to the dead letters. Confirmed before anything is settled.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use shared::envelope::{EncodeError, Line, encode};
use shared::queue::{Destination, Failure, Headers, Message, ParkStep, Publisher, Reason};
use tracing::{debug, error, warn};

use super::House;
use super::hand::{Parcel, Share};
use super::intake::events_of;
use crate::card::Card;
use crate::metrics::Outcome;

/// How long the worker rests after the queue took nothing: what is given back comes again at once, and so would
/// the next request to Feishu.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);
/// Dead letters in one publish: few enough that their megabytes are confirmed within `queue.publish_timeout`.
const DEATHS_TOGETHER_MAX: usize = 100;

/// The publisher, for what leaves the worker by another way than Feishu.
pub(crate) struct Onward<P>(pub(crate) P);

/// A parcel to be put aside for a while.
pub(crate) struct Parking {
    pub(crate) parcel: Parcel,
    pub(crate) step: ParkStep,
    pub(crate) failure: Failure,
    /// Whether it counts towards longer pauses.
    pub(crate) counted: bool,
}

/// A parcel that goes to the dead letters, with the card that was refused if there is one.
pub(crate) struct Death<'c> {
    pub(crate) parcel: Parcel,
    pub(crate) failure: Failure,
    pub(crate) refused: Option<&'c Card>,
}

/// A line that is no envelope, and why.
pub(super) struct Unreadable {
    pub(super) line: Bytes,
    pub(super) headers: Headers,
    pub(super) why: String,
    pub(super) share: Share,
}

/// What stands below the envelope in a dead letter: what was refused.
#[derive(Serialize)]
struct RefusedCard<'c> {
    card: &'c Card,
}

impl<P: Publisher> Onward<P> {
    async fn publish(&self, messages: Vec<Message>) -> bool {
        match self.0.publish(messages).await {
            Ok(()) => true,
            Err(cause) => {
                warn!(%cause, "could not publish onwards ({cause}); the messages go back to the queue");
                false
            }
        }
    }
}

impl<P: Publisher> House<P> {
    /// Publishes onwards; says whether the queue has it. If not, what it stands for is to be given back.
    async fn send_on(&self, messages: Vec<Message>) -> bool {
        let taken = self.onward.publish(messages).await;
        if !taken {
            tokio::select! {
                () = self.lifecycle.stop.cancelled() => {}
                () = tokio::time::sleep(REFUSED_PAUSE) => {}
            }
        }
        taken
    }

    /// The same for what had to be written first. Strings, numbers and times only, so the serialiser has nothing to
    /// refuse; if it did, what was not written must not count as sent.
    async fn send_written(&self, messages: Result<Vec<Message>, EncodeError>) -> bool {
        match messages {
            Ok(messages) => self.send_on(messages).await,
            Err(fault) => {
                error!(%fault, "an envelope could not be written: {fault}");
                false
            }
        }
    }

    /// Puts parcels of one receiver aside for a while, all in one publish.
    pub(crate) async fn park(&self, receiver: &str, parkings: Vec<Parking>) {
        let Some(first) = parkings.first() else { return };
        let (code, message, step) = (first.failure.code, first.failure.message.clone(), first.step);
        let claims = parkings.iter().flat_map(|parking| events_of(&parking.parcel.envelope, receiver, false));
        self.ledger.renew(&claims.collect::<Vec<_>>()).await;
        let messages: Result<Vec<_>, _> = parkings.iter().map(messages_of).collect();
        if !self.send_written(messages.map(|messages| messages.concat())).await {
            return self.give_back(parkings.into_iter().map(|parking| parking.parcel));
        }
        let (envelopes, mut alerts) = (parkings.len(), 0);
        for Parking { parcel, step, .. } in parkings {
            let id = parcel.envelope.id;
            debug!(envelope.id = %id, receiver, "parked envelope {id} to {receiver} for {}", step.as_str());
            alerts += parcel.envelope.alerts.len();
            self.metrics.parked.inc();
            parcel.share.settle_onwards();
        }
        warn!(
            receiver,
            code,
            envelopes,
            alerts,
            wait_ms = millis(step.pause()),
            "parked {envelopes} envelopes to {receiver} for {}: {message}",
            step.as_str()
        );
    }

    /// Moves them to the dead letters, many in one publish. Once the queue takes none, those behind are not tried:
    /// whoever buries has others waiting.
    pub(crate) async fn bury(&self, mut deaths: Vec<Death<'_>>) {
        while !deaths.is_empty() {
            let rest = deaths.split_off(deaths.len().min(DEATHS_TOGETHER_MAX));
            let letters: Result<Vec<_>, _> = deaths.iter().map(letters_of).collect();
            if !self.send_written(letters.map(|letters| letters.concat())).await {
                return self.give_back(deaths.into_iter().chain(rest).map(|death| death.parcel));
            }
            // The next to come with these alerts tells them.
            let claims = deaths
                .iter()
                .flat_map(|death| events_of(&death.parcel.envelope, &death.failure.receiver, false));
            self.ledger.release(&claims.collect::<Vec<_>>()).await;
            for death in deaths {
                self.buried(death);
            }
            deaths = rest;
        }
    }

    fn buried(&self, Death { parcel, failure, .. }: Death<'_>) {
        let (id, alerts) = (parcel.envelope.id, parcel.envelope.alerts.len());
        let Failure { reason, receiver, code, message, attempts, .. } = failure;
        self.metrics.dead(reason);
        parcel.share.count(Outcome::Dead, alerts);
        error!(
            envelope.id = %id, receiver, alerts, reason = reason.as_str(), code, attempts,
            "envelope {id} went to the dead letters ({}): {message}", reason.as_str()
        );
        parcel.share.settle_onwards();
    }

    /// The same for lines that are no envelopes.
    pub(super) async fn bury_lines(&self, mut lines: Vec<Unreadable>) {
        while !lines.is_empty() {
            let rest = lines.split_off(lines.len().min(DEATHS_TOGETHER_MAX));
            let now = self.clock.now();
            if !self.send_on(lines.iter().map(|line| line.letter(now)).collect()).await {
                return self.metrics.given_back.inc_by((lines.len() + rest.len()) as u64);
            }
            for Unreadable { line, why, share, .. } in lines {
                let bytes = line.len();
                self.metrics.dead(Reason::Undecodable);
                error!(
                    reason = Reason::Undecodable.as_str(),
                    bytes, "a line of {bytes} bytes went to the dead letters: {why}"
                );
                share.settle_onwards();
            }
            lines = rest;
        }
    }

    /// Lets parcels go unsettled: their messages come again, here or elsewhere.
    pub(crate) fn give_back(&self, parcels: impl IntoIterator<Item = Parcel>) {
        self.metrics.given_back.inc_by(parcels.into_iter().map(|_given_back| 1).sum());
    }
}

/// The parcel in the wire format: those of its envelope's alerts that still have to be told. One message, as the whole
/// envelope was one line.
fn messages_of(parking: &Parking) -> Result<Vec<Message>, EncodeError> {
    let Parking { parcel, step, failure, counted } = parking;
    let to = Destination::Parked { shard_key: parcel.envelope.shard_key(), step: *step };
    let headers = Headers {
        attempt: parcel.headers.attempt.saturating_add(u32::from(*counted)),
        failure: Some(failure.clone()),
        ..parcel.headers.clone()
    };
    let message = |line: Line| Message { to, body: line.bytes, headers: headers.clone() };
    Ok(encode(&parcel.envelope)?.into_iter().map(message).collect())
}

impl Unreadable {
    fn letter(&self, now: Timestamp) -> Message {
        let before = self.headers.failure.as_ref();
        let failure = Failure {
            reason: Reason::Undecodable,
            receiver: String::new(),
            code: None,
            message: self.why.clone(),
            attempts: before.map_or(0, |failure| failure.attempts),
            first_failed_at: before.map_or(now, |failure| failure.first_failed_at),
            last_failed_at: now,
        };
        let headers = Headers { failure: Some(failure), ..self.headers.clone() };
        Message { to: Destination::Dead, body: self.line.clone(), headers }
    }
}

fn letters_of(death: &Death<'_>) -> Result<Vec<Message>, EncodeError> {
    let Death { parcel, failure, refused } = death;
    let headers = Headers { failure: Some(failure.clone()), ..parcel.headers.clone() };
    let letter = |line: Line| Message {
        to: Destination::Dead,
        body: with_card(line.bytes, *refused),
        headers: headers.clone(),
    };
    Ok(encode(&parcel.envelope)?.into_iter().map(letter).collect())
}

fn with_card(line: Bytes, refused: Option<&Card>) -> Bytes {
    let Some(card) = refused.and_then(|card| serde_json::to_vec(&RefusedCard { card }).ok()) else {
        return line;
    };
    let mut body = Vec::with_capacity(line.len() + card.len() + 1);
    body.extend_from_slice(&line);
    body.extend_from_slice(&card);
    body.push(b'\n');
    body.into()
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
