//! The broker around a measurement: a queue for the bare publisher, and room again after each.

use std::time::Duration;

use lapin::options::{QueueDeclareOptions, QueuePurgeOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};
use queue::rabbitmq::topology::Names;
use testkit::prefix::unique_prefix;
use testkit::rabbitmq::Leftovers;
use thiserror::Error;
use tokio::time::timeout;

/// How long a look at the queues may take.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// Why the broker cannot be used.
#[derive(Debug, Error)]
pub(crate) enum BrokerError {
    /// Nobody answers there.
    #[error(
        "RabbitMQ does not answer ({0}); start it with deploy/dev/services.sh, or name another in TEST_AMQP_URL"
    )]
    Away(lapin::Error),
    /// A broker that has just started may keep a queue waiting for its leader.
    #[error("RabbitMQ did not answer within {} s", LOOK_WITHIN.as_secs())]
    Slow,
    /// It answered, and then said no.
    #[error("RabbitMQ refused: {0}")]
    Refused(#[from] lapin::Error),
}

/// A connection, and names of this run's own, deleted when it is dropped.
pub(crate) struct Broker {
    url: String,
    channel: Channel,
    /// What the names of queues and exchanges begin with.
    pub(crate) prefix: String,
    /// The bare publisher's queue.
    pub(crate) raw_queue: String,
    /// Where ingest's messages wait.
    alerts_queues: Vec<String>,
    /// Where they wait for another attempt.
    retry_queues: Vec<String>,
    _leftovers: Leftovers,
}

impl Broker {
    /// Connects, and declares the bare publisher's queue as ours are declared.
    pub(crate) async fn connect(url: String, shards: u32) -> Result<Self, BrokerError> {
        let connected = Connection::connect(&url, ConnectionProperties::default()).await;
        let channel = connected.map_err(BrokerError::Away)?.create_channel().await?;
        let prefix = unique_prefix();
        let raw_queue = format!("{prefix}.raw");
        let topology = Names::new(prefix.clone(), u16::try_from(shards).unwrap_or(u16::MAX)).topology();
        let queues: Vec<String> = topology.queues.into_iter().map(|queue| queue.name).collect();
        let leftovers = Leftovers::on(url.clone())
            .queues(queues.iter().chain([&raw_queue]))
            .exchanges(topology.exchanges.into_iter().map(|exchange| exchange.name));
        let mut arguments = FieldTable::default();
        for (name, value) in [("x-queue-type", "quorum"), ("x-overflow", "reject-publish")] {
            arguments.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(raw_queue.as_str().into(), options, arguments).await?;
        let named = |part: &str| queues.iter().filter(|name| name.contains(part)).cloned().collect();
        let alerts_queues = named(".alerts.");
        let retry_queues = named(".retry.");
        Ok(Self { url, channel, prefix, raw_queue, alerts_queues, retry_queues, _leftovers: leftovers })
    }

    /// Another connection in place of one that was lost, if the broker is there.
    pub(crate) async fn reconnect(&mut self) {
        let connecting = async {
            let connection = Connection::connect(&self.url, ConnectionProperties::default()).await?;
            connection.create_channel().await
        };
        if let Ok(Ok(channel)) = timeout(LOOK_WITHIN, connecting).await {
            self.channel = channel;
        }
    }

    /// Throws away what was published, so that no measurement finds the broker fuller than the one before.
    pub(crate) async fn empty(&self) -> Result<(), BrokerError> {
        for queue in self.alerts_queues.iter().chain([&self.raw_queue]) {
            self.channel.queue_purge(queue.as_str().into(), QueuePurgeOptions { nowait: false }).await?;
        }
        Ok(())
    }

    /// Where ingest's messages wait.
    pub(crate) fn alerts_queues(&self) -> &[String] {
        &self.alerts_queues
    }

    /// Messages that wait for a worker, and those that are deferred until another attempt.
    pub(crate) async fn depth(&self) -> Result<(u64, u64), BrokerError> {
        let look = async {
            Ok((self.waiting_in(&self.alerts_queues).await?, self.waiting_in(&self.retry_queues).await?))
        };
        timeout(LOOK_WITHIN, look).await.map_err(|_| BrokerError::Slow)?
    }

    async fn waiting_in(&self, queues: &[String]) -> Result<u64, BrokerError> {
        let mut messages = 0;
        for queue in queues {
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let declared =
                self.channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await?;
            messages += u64::from(declared.message_count());
        }
        Ok(messages)
    }
}
