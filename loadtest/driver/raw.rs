//! *raw*: what the broker and its client allow. Bare lapin, one message per publish, confirms on, one task per
//! channel (lapin mixes up the confirms of shared ones).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Confirmation, Connection, ConnectionProperties};
use testkit::rabbitmq::amqp_url;
use thiserror::Error;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::meter::{Pace, meter};
use crate::scenario::{Raw, Window};

/// AMQP's number for "survives a restart of the broker".
const PERSISTENT: u8 = 2;

/// Why the bare publisher measured nothing.
#[derive(Debug, Error)]
pub(crate) enum RawError {
    /// The broker or the way to it.
    #[error("the bare publisher failed: {0}")]
    Amqp(#[from] lapin::Error),
    /// A message was not stored.
    #[error("the broker did not confirm a message of the bare publisher")]
    NotConfirmed,
    /// A task of ours ended badly.
    #[error("the bare publisher failed: {0}")]
    Task(#[from] JoinError),
    /// `/proc` could not be read.
    #[error("cannot measure: {0}")]
    Meter(#[from] std::io::Error),
}

/// Publishes to the queue for a window; confirmed messages per second.
pub(crate) async fn measure(queue: &str, raw: &Raw, window: &Window) -> Result<Pace, RawError> {
    let confirmed = Arc::new(AtomicU64::new(0));
    let stop = CancellationToken::new();
    let mut owners = JoinSet::new();
    for _ in 0..raw.connections {
        let owner = Owner {
            queue: queue.to_owned(),
            body: vec![b'x'; raw.message_bytes],
            confirmed: Arc::clone(&confirmed),
            stop: stop.clone(),
        };
        owners.spawn(owner.publish(raw.unconfirmed_max));
    }
    let pace = tokio::select! {
        pace = meter(window, &confirmed, std::process::id()) => pace?,
        Some(ended) = owners.join_next() => return Err(ended?.err().unwrap_or(RawError::NotConfirmed)),
    };
    stop.cancel();
    while let Some(ended) = owners.join_next().await {
        ended??;
    }
    Ok(pace)
}

struct Owner {
    queue: String,
    body: Vec<u8>,
    confirmed: Arc<AtomicU64>,
    stop: CancellationToken,
}

impl Owner {
    async fn publish(self, unconfirmed_max: u32) -> Result<(), RawError> {
        let connection = Connection::connect(&amqp_url(), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions { nowait: false }).await?;
        let publish = || async {
            let options = BasicPublishOptions { mandatory: false, immediate: false };
            let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
            let queue = self.queue.as_str().into();
            channel.basic_publish("".into(), queue, options, &self.body, properties).await?.await
        };
        let mut in_flight: FuturesUnordered<_> = (0..unconfirmed_max).map(|_| publish()).collect();
        while let Some(confirmation) = in_flight.next().await {
            match confirmation? {
                Confirmation::Ack(_) => self.confirmed.fetch_add(1, Ordering::Relaxed),
                Confirmation::Nack(_) | Confirmation::NotRequested => return Err(RawError::NotConfirmed),
            };
            if !self.stop.is_cancelled() {
                in_flight.push(publish());
            }
        }
        drop(in_flight);
        Ok(connection.close(200, "done".into()).await?)
    }
}
