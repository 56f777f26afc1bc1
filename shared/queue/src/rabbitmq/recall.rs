//! Ends pauses early: moves what waits in the retry queues to its shards, once a receiver that was away takes messages
//! again.
//!
//! The broker cannot be asked for the messages of one receiver, so all are moved, and what belongs to one that is still
//! away is deferred once more. Hence not often, however many receivers come and go.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{join_all, try_join_all};
use jiff::Timestamp;
use lapin::message::Delivery as AmqpDelivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Confirmation};
use runtime::clock::Clock;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::connect_error::ConnectError;
use super::connection::Link;
use super::headers;
use crate::DeferStep;

/// Between two moves.
const RECALLED_EVERY: Duration = Duration::from_mins(1);
/// The queues that are emptied, the longest pause first. What is back in five seconds is left where it is.
const RECALLED: [DeferStep; 3] = [DeferStep::Minutes10, DeferStep::Minutes2, DeferStep::Seconds30];
/// Messages that are published, confirmed and acknowledged together.
const WINDOW: u16 = 200;
/// How long any answer of the broker's is waited for.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);
/// How long the next message is waited for before there is none.
const ARRIVES_WITHIN: Duration = Duration::from_secs(2);
/// How long a further one is waited for to go with those that have come.
const JOINS_WITHIN: Duration = Duration::from_millis(20);
/// Messages of one queue that are moved at once: where a clock is behind, what was just deferred again looks old.
const RECALLED_MAX: u64 = 2_000_000;

/// Why not everything was moved.
#[derive(Debug, thiserror::Error)]
enum RecallError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// What was not confirmed stays where it is, and may be on its shard as well: the ledger absorbs that.
    #[error("the broker did not store a message again")]
    Refused,
}

impl From<lapin::Error> for RecallError {
    fn from(error: lapin::Error) -> Self {
        Self::Connect(error.into())
    }
}

/// Moves when it is asked to.
pub(super) struct Recaller {
    pub(super) link: Link,
    pub(super) wanted: Arc<Notify>,
    /// Cancelled when the last publisher is gone.
    pub(super) unused: CancellationToken,
    pub(super) stop: CancellationToken,
}

impl Recaller {
    /// Serves until the last publisher is gone, or the stop: what is cut off goes back to its retry queue.
    pub(super) async fn run(self) {
        let over = async {
            tokio::select! {
                () = self.unused.cancelled() => {}
                () = self.stop.cancelled() => {}
            }
        };
        tokio::select! {
            () = over => {}
            () = self.serve() => {}
        }
    }

    async fn serve(&self) {
        loop {
            self.wanted.notified().await;
            match self.recall().await {
                Ok(0) => {}
                Ok(messages) => info!(messages, "what was deferred comes back before its time"),
                Err(error) => {
                    warn!(%error, "what was deferred could not be called back; it is tried again");
                    self.wanted.notify_one();
                }
            }
            tokio::time::sleep(RECALLED_EVERY).await;
        }
    }

    /// Moves what is deferred now; says how many messages that were.
    async fn recall(&self) -> Result<u64, RecallError> {
        let began = Clock::system().now();
        // On a connection of its own: an alarm of the broker's would hold up acknowledgements on one that consumes.
        let connection = answered(self.link.connect()).await?;
        let mut moved = 0;
        for step in RECALLED {
            // What was taken and not moved goes back when its channel is closed.
            let channel = answered(connection.create_channel()).await?;
            answered(channel.confirm_select(ConfirmSelectOptions { nowait: false })).await?;
            answered(channel.basic_qos(WINDOW, BasicQosOptions { global: false })).await?;
            moved += self.empty(&channel, step, began).await?;
            answered(channel.close(200, "OK".into())).await?;
        }
        answered(connection.close(200, "OK".into())).await?;
        Ok(moved)
    }

    /// Moves the messages that were deferred before that time: those of a receiver that is still away come back behind them.
    /// The broker's count of a quorum queue is seconds old, so it does not say where to stop.
    async fn empty(&self, channel: &Channel, step: DeferStep, began: Timestamp) -> Result<u64, RecallError> {
        let queue = self.link.names.retry(step);
        let options = BasicConsumeOptions { no_local: false, no_ack: false, exclusive: false, nowait: false };
        let name = queue.as_str();
        let consumer = channel.basic_consume(name.into(), name.into(), options, FieldTable::default());
        let mut consumer = answered(consumer).await?;
        let mut moved = 0;
        let mut is_over = false;
        while !is_over && moved < RECALLED_MAX {
            let mut window = Vec::new();
            while !is_over && window.len() < usize::from(WINDOW) {
                let within = if window.is_empty() { ARRIVES_WITHIN } else { JOINS_WITHIN };
                let Ok(got) = timeout(within, consumer.next()).await else {
                    is_over = window.is_empty();
                    break;
                };
                let message = got.ok_or_else(|| ConnectError::Cancelled(queue.clone()))??;
                is_over = is_later(&message, began);
                if !is_over {
                    window.push(message);
                }
            }
            if let Some(last) = window.last().map(|message| message.delivery_tag) {
                self.publish(channel, &window).await?;
                answered(channel.basic_ack(last, BasicAckOptions { multiple: true })).await?;
                moved += window.len() as u64;
            }
        }
        Ok(moved)
    }

    /// Publishes them to their shards, and waits until all are stored. The key they were deferred with is their shard's.
    async fn publish(&self, channel: &Channel, window: &[AmqpDelivery]) -> Result<(), RecallError> {
        let exchange = self.link.names.exchange();
        let written = window.iter().map(|message| {
            let options = BasicPublishOptions { mandatory: false, immediate: false };
            let key = message.routing_key.clone();
            // Ours only: what the broker has added is for this delivery.
            let properties = headers::properties(&headers::decode(message.properties.headers().as_ref()));
            channel.basic_publish(exchange.into(), key, options, &message.data, properties)
        });
        let confirms = answered(try_join_all(written)).await?;
        let outcomes = answered(async { Ok(join_all(confirms).await) }).await?;
        let is_stored = |outcome: lapin::Result<Confirmation>| match outcome {
            Ok(Confirmation::Ack(_)) => Ok(()),
            Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => Err(RecallError::Refused),
            Err(error) => Err(error.into()),
        };
        outcomes.into_iter().try_for_each(is_stored)
    }
}

/// Whether it was deferred since that time.
fn is_later(message: &AmqpDelivery, began: Timestamp) -> bool {
    let headers = headers::decode(message.properties.headers().as_ref());
    headers.failure.is_some_and(|failure| failure.last_failed_at >= began)
}

/// An answer of the broker's: lapin leaves some of its calls waiting for ever when the connection is lost under them.
async fn answered<T>(answer: impl Future<Output = lapin::Result<T>>) -> Result<T, ConnectError> {
    let answer = timeout(ANSWERED_WITHIN, answer).await;
    Ok(answer.map_err(|_| ConnectError::TimedOut(ANSWERED_WITHIN))??)
}
