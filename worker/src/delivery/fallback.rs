//! What waits for a receiver that has been out of reach for too long is told through another one (`fallback_receiver`), and
//! its end goes where it was told.
//!
//! It travels over the queue as any other envelope, addressed to the other receiver and marked with the one it is for. For
//! the ledger it stays that one's: whichever of the two delivers it, it is delivered, and the first one is not told it again
//! as news.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::alert::Status;
use model::envelope::{EncodeError, Envelope, EnvelopeId, Line, encode};
use queue::{Headers, Message, MessageDestination};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::batch::Batch;
use super::context::DeliveryContext;
use super::in_flight::{IfDelivered, InFlightEnvelope, events_of};
use super::outbox::Outbox;
use crate::test_alert::is_test;

/// A pause of the receiver that is longer than this nobody waits for, once it has been out of reach for long enough.
const WAITED_FOR_MAX: Duration = Duration::from_secs(5);

impl Outbox {
    /// Hands on to another receiver what has waited for long enough.
    pub(super) async fn fall_back(&mut self) {
        let Some(fallback) = self.receiver.fallback.clone() else { return };
        let now = Instant::now();
        let health = self.bots.own();
        let pause = health.until().map(|until| until.saturating_duration_since(now)).unwrap_or_default();
        if !(health.is_away() || health.is_broken()) || self.context.lifecycle.stop.is_cancelled() {
            return;
        }
        let Some(since) = self.bots.absent_since() else { return };
        let is_long = now.saturating_duration_since(since) >= fallback.after;
        let clock = self.context.clock.now();
        let after = SignedDuration::try_from(fallback.after).unwrap_or(SignedDuration::MAX);
        let is_due = |in_flight: &InFlightEnvelope| {
            let tries = &in_flight.tries;
            // What is new is tried first, so that it is noticed when the receiver is back.
            let is_in_vain = is_long && (tries.was_tried() || pause > WAITED_FOR_MAX);
            let has_waited =
                tries.first_failed_at().is_some_and(|first| clock.duration_since(first) >= after);
            may_go_elsewhere(in_flight) && (is_in_vain || has_waited)
        };
        let mut due: Vec<_> = self.waiting.extract_if(.., |in_flight| is_due(in_flight)).collect();
        let is_piece_due = |piece: &Batch| {
            piece.for_bot.is_none() && !piece.is_under_way() && piece.envelopes().iter().all(is_due)
        };
        due.extend(self.pieces.extract_if(.., |piece| is_piece_due(piece)).flat_map(Batch::into_envelopes));
        if due.is_empty() {
            return;
        }
        let left = self.context.hand_over(&self.receiver.name, &fallback.receiver, due).await;
        self.waiting.extend(left);
        // What is deferred would wait for up to ten minutes more.
        self.context.publisher.recall(&self.receiver.name);
    }
}

/// Whether it may be told by another: it is not another's already, nobody waits for what becomes of it here, and it is not in
/// the chat, as far as anybody knows.
fn may_go_elsewhere(in_flight: &InFlightEnvelope) -> bool {
    in_flight.envelope.instead_of.is_empty()
        && !is_test(&in_flight.envelope)
        && in_flight.headers.replay.is_none()
        && !in_flight.tries.may_have_arrived()
}

impl DeliveryContext {
    /// Publishes envelopes of one receiver for another; those that the queue does not take come back.
    async fn hand_over(
        self: &Arc<Self>,
        receiver: &str,
        told: &str,
        mut envelopes: Vec<InFlightEnvelope>,
    ) -> Vec<InFlightEnvelope> {
        envelopes.retain(InFlightEnvelope::is_alive);
        let claims = envelopes
            .iter()
            .flat_map(|in_flight| events_of(&in_flight.envelope, receiver, IfDelivered::IsDuplicate));
        self.ledger.renew(&claims.collect::<Vec<_>>()).await;
        let messages = envelopes.iter().map(|in_flight| for_another(&in_flight.envelope, receiver, told));
        let messages = match messages.collect::<Result<Vec<_>, _>>() {
            Ok(messages) => messages.concat(),
            Err(error) => {
                warn!(%error, receiver, "an envelope could not be written for another receiver");
                return envelopes;
            }
        };
        if let Err(error) = self.publisher.publish(messages).await {
            warn!(%error, receiver, fallback = told, "could not hand alerts on to another receiver; they wait");
            return envelopes;
        }
        let mut alerts = 0;
        for in_flight in envelopes {
            let id = in_flight.envelope.id;
            debug!(envelope.id = %id, receiver, fallback = told, "envelope handed on to another receiver");
            self.note_handed_over(receiver, told, &in_flight);
            alerts += in_flight.envelope.alerts.len();
            in_flight.share.settle_onwards();
        }
        self.metrics.fallen_back(receiver, alerts);
        warn!(
            receiver,
            fallback = told,
            alerts,
            "alerts for a receiver that cannot be reached go to another"
        );
        Vec::new()
    }

    /// Sends the ends of what another receiver was told of there as well. Before they are recorded, so that they are sent once
    /// more if this process dies in between: there the ledger knows them.
    pub(super) async fn end_where_told(&self, receiver: &str, batch: &Batch) {
        let items = batch.items();
        let over = |item: &&crate::render::Item<'_>| {
            item.alert.status == Status::Resolved && item.envelope.instead_of.is_empty()
        };
        let fingerprints: Vec<_> =
            items.iter().filter(over).map(|item| item.alert.fingerprint.as_str()).collect();
        if fingerprints.is_empty() {
            return;
        }
        let found = match self.fallbacks.told_instead(receiver, &fingerprints).await {
            Ok(found) if !found.is_empty() => found,
            Ok(_) => return,
            Err(error) => {
                warn!(%error, receiver, "it is not known whether another receiver was told: ends go to this one only");
                return;
            }
        };
        let now = self.clock.now();
        let mut messages = Vec::new();
        for item in items.iter().filter(over) {
            let fingerprint = item.alert.fingerprint.as_str();
            if let Some(instead) = found.iter().find(|instead| instead.fingerprint == fingerprint) {
                messages.extend(end(item, &instead.told, now).unwrap_or_default());
            }
        }
        let ends = messages.len();
        if let Err(error) = self.publisher.publish(messages).await {
            warn!(%error, receiver, ends, "could not publish the ends of what another receiver was told of");
            return;
        }
        self.metrics.copied.inc_by(ends as u64);
        if let Err(error) = self.fallbacks.ended(receiver, &found).await {
            debug!(%error, receiver, "what another receiver was told of is not forgotten yet");
        }
        info!(receiver, ends, "the ends of what another receiver was told of go there as well");
    }
}

/// The same envelope, for another receiver instead of this one.
fn for_another(
    envelope: &Envelope<'static>,
    receiver: &str,
    told: &str,
) -> Result<Vec<Message>, EncodeError> {
    let instead = Envelope {
        receiver: told.to_owned().into(),
        instead_of: receiver.to_owned().into(),
        ..envelope.clone()
    };
    messages(&instead)
}

/// The end of one alert, for whoever was told of it.
fn end(item: &crate::render::Item<'_>, told: &str, now: Timestamp) -> Result<Vec<Message>, EncodeError> {
    let end = Envelope {
        id: EnvelopeId::new(now, runtime::entropy::random()),
        receiver: told.to_owned().into(),
        alerts: vec![item.alert.clone()],
        ..item.envelope.of_alerts(&[])
    };
    messages(&end)
}

fn messages(envelope: &Envelope<'_>) -> Result<Vec<Message>, EncodeError> {
    let to = MessageDestination::Alerts { shard_key: envelope.shard_key() };
    let message = |line: Line| Message { to, body: line.bytes, headers: Headers::default() };
    Ok(encode(envelope)?.into_iter().map(message).collect())
}
