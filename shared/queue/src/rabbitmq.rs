//! RabbitMQ: quorum queues, confirms, one owner task per channel, group commit, reconnecting for ever.
//!
//! What lapin does that one would not expect is commented where it matters: `publisher::owner` (confirms of
//! shared channels, pipelining), `topology` (returns), `connection` (recovery, buffers, time-outs).

mod acks;
mod alarm;
mod connect_error;
mod connection;
mod consumer;
mod declare;
mod greeting;
mod headers;
mod left_over;
mod pack;
pub mod probe;
mod publisher;
mod reachability;
mod recall;
pub mod topology;
mod transport;

use tokio_util::sync::CancellationToken;

use crate::{QueueMetrics, Subscription};
use alarm::Alarm;
use config::QueueConfig;
use connection::{Address, Link};
use runtime::lifecycle::{Condition, Lifecycle};
use topology::Names;

pub use config::AddressError;
pub use consumer::{REPUBLISHED_FROM, RabbitConsumer};
pub use greeting::{DeliveryLimit, Greeting, GreetingError, QueueHome, greet, queue_home};
pub use publisher::RabbitPublisher;

/// A broker we know the way to. Nothing is connected before a publisher or a consumer is asked for.
#[derive(Clone)]
pub struct RabbitMq {
    address: Address,
    names: Names,
    config: QueueConfig,
    lifecycle: Lifecycle,
    metrics: QueueMetrics,
    /// Known to all connections of this process.
    alarm: Alarm,
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
            alarm: Alarm::default(),
        })
    }

    /// Connects in the background, `publish_connections` times; `condition` holds while one is up.
    pub fn publisher(&self, condition: Condition) -> RabbitPublisher {
        RabbitPublisher::start(self, condition)
    }

    fn link(&self, name: &'static str) -> Link {
        let names = self.names.clone();
        Link::new(&self.address, &self.config, names, name, self.alarm.clone())
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
