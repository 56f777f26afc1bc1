//! Keeps messages clear of the broker's delivery limit.
//!
//! A quorum queue counts how often a message was handed out and came back: a worker that was killed, a connection that
//! was lost, a stop. From RabbitMQ 4.0 on the limit is 20 where nothing else is set; what comes back once more is sent
//! to the queue's dead-letter exchange, and where there is none (dead letters, interactions) it is gone. A whole
//! prefetch window is counted, whoever was to blame. So a message that has come back often is published to its own queue
//! again, where it begins at nought, and the old one is acknowledged when that is confirmed.
//!
//! No queue argument can do it: those of a queue that exists cannot be changed, and 3.10 takes a limit of -1 for "drop
//! at the first return".

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::rabbitmq::topology::Route;
use crate::rabbitmq::{RabbitMq, RabbitPublisher};
use crate::{Delivery, PublishError};
use runtime::lifecycle::Condition;

/// From so many deliveries in vain on: half of what RabbitMQ 4 allows, so that ten more attempts are left to publish it.
pub const REPUBLISHED_FROM: u32 = 10;

/// A message that was taken, and whether it is on its queue a second time.
pub(super) struct Republished {
    pub(super) delivery: Delivery,
    pub(super) outcome: Result<(), PublishError>,
}

/// The connection for it, which is made when it is needed first: on the one that consumes, an alarm of the broker's
/// would hold up acknowledgements as well.
pub(super) struct Republisher {
    rabbit: RabbitMq,
    publisher: Option<RabbitPublisher>,
}

impl Republisher {
    pub(super) const fn new(rabbit: RabbitMq) -> Self {
        Self { rabbit, publisher: None }
    }

    /// Publishes the message again; takes no longer than a publish may.
    pub(super) fn republish(&mut self, route: Route, delivery: Delivery) -> BoxFuture<'static, Republished> {
        let publisher = self.publisher.get_or_insert_with(|| {
            let purpose = "publishing again what came back often";
            // Nothing to be unready for: without it messages are handed out as they are.
            RabbitPublisher::start_for(&self.rabbit, Condition::default(), purpose, "larkfire republisher", 1)
        });
        let publisher = publisher.clone();
        let body = Bytes::clone(&delivery.body);
        let headers = delivery.headers.clone();
        async move {
            let outcome = publisher.publish_to(route, body, headers).await;
            Republished { delivery, outcome }
        }
        .boxed()
    }
}
