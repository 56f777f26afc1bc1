//! RabbitMQ: quorum queues, confirms, one owner task per channel, group commit, reconnecting for ever.
//!
//! What lapin does that one would not expect is commented where it matters: `publisher::owner` (confirms of
//! shared channels, pipelining), `topology` (returns), `connection` (recovery, buffers, time-outs).

mod acks;
mod connection;
mod consumer;
mod declare;
mod greeting;
mod headers;
mod pack;
mod publisher;
mod reachability;
pub mod topology;

use tokio_util::sync::CancellationToken;

use crate::config::QueueConfig;
use crate::lifecycle::{Condition, Lifecycle};
use crate::queue::{QueueMetrics, Subscription};
use connection::Address;
use topology::Names;

pub use connection::AddressError;
pub use consumer::RabbitConsumer;
pub use greeting::{GreetingError, greet};
pub use publisher::RabbitPublisher;

/// A broker we know the way to. Nothing is connected before a publisher or a consumer is asked for.
#[derive(Clone)]
pub struct RabbitMq {
    address: Address,
    names: Names,
    config: QueueConfig,
    lifecycle: Lifecycle,
    metrics: QueueMetrics,
}

impl RabbitMq {
    /// Checks the address; does not connect.
    pub fn new(
        config: &QueueConfig,
        lifecycle: &Lifecycle,
        metrics: QueueMetrics,
    ) -> Result<Self, AddressError> {
        Ok(Self {
            address: Address::parse(&config.url, &config.prefix)?,
            names: Names::new(config.prefix.clone(), config.shards),
            config: config.clone(),
            lifecycle: lifecycle.clone(),
            metrics,
        })
    }

    /// Connects in the background, `publish_connections` times; `condition` holds while one is up.
    pub fn publisher(&self, condition: Condition) -> RabbitPublisher {
        RabbitPublisher::start(self, condition)
    }

    /// Connects in the background; `condition` holds while the connection is up.
    pub fn subscribe(&self, which: Subscription, condition: Condition) -> RabbitConsumer {
        RabbitConsumer::start(self, which, condition)
    }
}

/// A process whose connection task has panicked would look alive and do nothing: it is told to stop instead.
async fn stop_if_it_panics(stop: CancellationToken, task: impl Future<Output = ()>) {
    let guard = stop.drop_guard();
    task.await;
    let _still_running = guard.disarm();
}
