//! Publishing onwards: to a pause, or to the dead letters. Confirmed before anything is settled.

use std::time::Duration;

use bytes::Bytes;
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

    /// Moves a parcel to the dead letters, with the card that was refused if there is one.
    pub(crate) async fn bury(&self, parcel: Parcel, failure: Failure, refused: Option<&Card>) {
        let (id, alerts, reason) = (parcel.envelope.id, parcel.envelope.alerts.len(), failure.reason);
        let (receiver, code, message) = (failure.receiver.clone(), failure.code, failure.message.clone());
        let attempts = failure.attempts;
        let headers = Headers { failure: Some(failure), ..parcel.headers.clone() };
        let letter = |line: Line| Message {
            to: Destination::Dead,
            body: with_card(line.bytes, refused),
            headers: headers.clone(),
        };
        let letters = encode(&parcel.envelope).map(|lines| lines.into_iter().map(letter).collect());
        if !self.send_written(letters).await {
            return self.give_back([parcel]);
        }
        // The next to come with these alerts tells them.
        self.ledger.release(&events_of(&parcel.envelope, &receiver, false).collect::<Vec<_>>()).await;
        self.metrics.dead(reason);
        parcel.share.count(Outcome::Dead, alerts);
        error!(
            envelope.id = %id, receiver, alerts, reason = reason.as_str(), code, attempts,
            "envelope {id} went to the dead letters ({}): {message}", reason.as_str()
        );
        parcel.share.settle_onwards();
    }

    /// The same for a line that is no envelope.
    pub(super) async fn bury_line(&self, line: Bytes, headers: &Headers, why: &str, share: Share) {
        let (now, bytes) = (self.clock.now(), line.len());
        let before = headers.failure.as_ref();
        let failure = Failure {
            reason: Reason::Undecodable,
            receiver: String::new(),
            code: None,
            message: why.to_owned(),
            attempts: before.map_or(0, |failure| failure.attempts),
            first_failed_at: before.map_or(now, |failure| failure.first_failed_at),
            last_failed_at: now,
        };
        let headers = Headers { failure: Some(failure), ..headers.clone() };
        if !self.send_on(vec![Message { to: Destination::Dead, body: line, headers }]).await {
            self.metrics.given_back.inc();
            return;
        }
        self.metrics.dead(Reason::Undecodable);
        error!(
            reason = Reason::Undecodable.as_str(),
            bytes, "a line of {bytes} bytes went to the dead letters: {why}"
        );
        share.settle_onwards();
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
