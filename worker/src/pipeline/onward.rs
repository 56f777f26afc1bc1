//! Publishing onwards: to a pause, or to the dead letters. Confirmed before anything is settled.

use std::time::Duration;

use bytes::Bytes;
use shared::queue::{Destination, Failure, Headers, Message, ParkStep, Publisher};
use tracing::{error, warn};

use super::House;
use super::hand::{Parcel, Share};

/// The publisher, for what leaves the worker by another way than Feishu.
pub(crate) struct Onward<P>(pub(crate) P);

impl<P: Publisher> Onward<P> {
    async fn publish(&self, to: Destination, body: Bytes, headers: Headers) -> bool {
        match self.0.publish(vec![Message { to, body, headers }]).await {
            Ok(()) => true,
            Err(cause) => {
                warn!(%cause, "could not publish onwards ({cause}); the message goes back to the queue");
                false
            }
        }
    }
}

/// How long the worker rests after the queue took nothing: what is given back comes again at once, and so would
/// the next request to Feishu.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

impl<P: Publisher> House<P> {
    /// Publishes onwards; says whether the queue has it. If not, the envelope is to be given back.
    async fn send_on(&self, to: Destination, body: Bytes, headers: Headers) -> bool {
        let taken = self.onward.publish(to, body, headers).await;
        if !taken {
            tokio::select! {
                () = self.lifecycle.stop.cancelled() => {}
                () = tokio::time::sleep(REFUSED_PAUSE) => {}
            }
        }
        taken
    }

    /// Puts the envelope aside for a while; `counted` says whether that counts towards longer pauses.
    pub(super) async fn park(&self, parcel: Parcel, step: ParkStep, failure: Failure, counted: bool) {
        let attempt = parcel.headers.attempt.saturating_add(u32::from(counted));
        let to = Destination::Parked { shard_key: parcel.envelope.shard_key(), step };
        let (receiver, code, message) = (failure.receiver.clone(), failure.code, failure.message.clone());
        let headers =
            Headers { attempt, failure: Some(failure), traceparent: parcel.headers.traceparent.clone() };
        if !self.send_on(to, parcel.line.clone(), headers).await {
            return self.give_back(parcel);
        }
        self.metrics.parked.inc();
        warn!(
            envelope.id = %parcel.envelope.id, receiver, code, attempt, wait_ms = millis(step.pause()),
            "parked envelope {} to {receiver} for {}: {message}", parcel.envelope.id, step.as_str()
        );
        parcel.share.settle();
    }

    /// Moves the envelope to the dead letters.
    pub(super) async fn bury(&self, parcel: Parcel, failure: Failure) {
        let (id, alerts, reason) = (parcel.envelope.id, parcel.envelope.alerts.len(), failure.reason);
        let (receiver, code, message) = (failure.receiver.clone(), failure.code, failure.message.clone());
        let attempts = failure.attempts;
        if !self.lay_to_rest(parcel.line.clone(), &parcel.headers, failure).await {
            return self.give_back(parcel);
        }
        self.metrics.dead(reason, alerts);
        error!(
            envelope.id = %id, receiver, alerts, reason = reason.as_str(), code, attempts,
            "envelope {id} went to the dead letters ({}): {message}", reason.as_str()
        );
        parcel.share.settle();
    }

    /// The same for a line that is no envelope.
    pub(super) async fn bury_line(&self, line: Bytes, headers: &Headers, failure: Failure, share: Share) {
        let (reason, message, bytes) = (failure.reason, failure.message.clone(), line.len());
        if !self.lay_to_rest(line, headers, failure).await {
            self.metrics.given_back.inc();
            return;
        }
        self.metrics.dead(reason, 0);
        error!(
            reason = reason.as_str(),
            bytes, "a line of {bytes} bytes went to the dead letters: {message}"
        );
        share.settle();
    }

    async fn lay_to_rest(&self, line: Bytes, headers: &Headers, failure: Failure) -> bool {
        let headers = Headers { failure: Some(failure), ..headers.clone() };
        self.send_on(Destination::Dead, line, headers).await
    }

    /// Lets the envelope go unsettled: its message comes again, here or elsewhere.
    pub(super) fn give_back(&self, parcel: Parcel) {
        self.metrics.given_back.inc();
        drop(parcel);
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
