//! Ends what nobody will ever end at custom bots. The end is published to the queue and goes the way of any other, so that
//! the budget is kept and the ledger takes it once, whatever dies on the way. Its card says since when nothing was heard.

use std::sync::Arc;

use model::envelope::{EncodeError, Envelope, encode};
use queue::{Headers, Message, MessageDestination};
use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::context::DeliveryContext;
use crate::card_store::LOOK_EVERY;
use crate::firing::Over;

impl DeliveryContext {
    /// Looks, until the stop, after what custom bots have delivered and nobody is heard of.
    pub(crate) async fn end_unheard(self: Arc<Self>, mut over: Over) {
        let look = async {
            loop {
                sleep(LOOK_EVERY).await;
                // A failure is the store's to tell; the next look is soon.
                for (receiver, ends) in Box::pin(over.look()).await.unwrap_or_default() {
                    over.ended(self.publish_ends(&receiver, &ends).await);
                }
            }
        };
        self.lifecycle.stop.run_until_cancelled(Box::pin(look)).await;
    }

    /// All of a receiver in one message, so that they come to its outbox together and onto one card. What the queue does
    /// not take may be stored: it stays taken for a while, and is looked at again then.
    async fn publish_ends(&self, receiver: &str, ends: &[Envelope<'_>]) -> usize {
        let alerts = ends.iter().map(|end| end.alerts.len()).sum();
        let message = match message(ends) {
            Ok(message) => message,
            Err(fault) => {
                warn!(error = %fault, receiver, alerts, "the end of alerts could not be written");
                return 0;
            }
        };
        if let Err(cause) = self.publisher.publish(vec![message]).await {
            warn!(error = %cause, receiver, alerts, "could not publish the end of alerts");
            return 0;
        }
        for alert in ends.iter().flat_map(|end| &end.alerts) {
            let fingerprint = alert.fingerprint.as_str();
            let since = alert.ends_at.map(|since| since.to_string());
            debug!(
                alert.fingerprint = fingerprint,
                receiver, since, "an alert has not been heard of for long: it is over"
            );
        }
        info!(receiver, alerts, "alerts have not been heard of for long: they are over");
        alerts
    }
}

fn message(ends: &[Envelope<'_>]) -> Result<Message, EncodeError> {
    let mut body = Vec::new();
    for end in ends {
        for line in encode(end)? {
            body.extend_from_slice(&line.bytes);
        }
    }
    let to = MessageDestination::Alerts { shard_key: ends.first().map_or(0, Envelope::shard_key) };
    Ok(Message { to, body: body.into(), headers: Headers::default() })
}
