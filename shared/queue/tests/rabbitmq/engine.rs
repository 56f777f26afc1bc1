//! RabbitMQ as the conformance suite sees it: names of the test's own, a proxy that can stall in front.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use config::{ClientTls, QueueConfig, Secret};
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Channel, Connection, ConnectionProperties};
use prometheus::Registry;
use queue::rabbitmq::topology::Names;
use queue::rabbitmq::{RabbitConsumer, RabbitMq, RabbitPublisher};
use queue::{QueueMetrics, Subscription};
use runtime::lifecycle::{Condition, Lifecycle};
use testkit::chaos_proxy::{ChaosProxy, Direction};
use testkit::prefix::unique_prefix;
use testkit::queue_conformance::{Engine, Session};

const PREFIX_VARIABLE: &str = "LARKFIRE_TEST_PREFIX";
const SHARDS: u16 = 3;

/// A prefix on a broker.
pub(crate) struct RabbitEngine {
    broker: SocketAddr,
    prefix: String,
    /// In front of the broker; a child process goes through its parent's.
    proxy: Option<ChaosProxy>,
}

/// One process's worth of RabbitMQ.
pub(crate) struct RabbitSession {
    rabbit: RabbitMq,
    lifecycle: Lifecycle,
    /// Of the publisher.
    pub(crate) publishing: Condition,
    /// Of the consumer.
    pub(crate) consuming: Condition,
}

impl RabbitEngine {
    /// On the machine's broker.
    pub(crate) async fn new() -> Self {
        Self::on(5672).await
    }

    /// On the broker at this port.
    pub(crate) async fn on(port: u16) -> Self {
        let broker = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self { broker, prefix: unique_prefix(), proxy: Some(ChaosProxy::start(broker).await) }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn proxy(&self) -> &ChaosProxy {
        self.proxy.as_ref().expect("the proxy of this process")
    }

    fn address(&self) -> SocketAddr {
        self.proxy.as_ref().map_or(self.broker, ChaosProxy::address)
    }

    /// A channel past the proxy, and what keeps it alive.
    pub(crate) async fn channel(&self) -> (Connection, Channel) {
        let url = format!("amqp://guest:guest@{}/%2f", self.broker);
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.expect("a broker");
        let channel = connection.create_channel().await.expect("a channel");
        (connection, channel)
    }

    pub(crate) fn config(&self) -> QueueConfig {
        QueueConfig {
            url: Secret::new(format!("amqp://guest:guest@{}/%2f", self.address())),
            tls: ClientTls::default(),
            prefix: self.prefix.clone(),
            shards: SHARDS,
            publish_connections: 2,
            publish_window: 32,
            publish_timeout: Duration::from_secs(4),
            prefetch: 600,
        }
    }
}

impl RabbitEngine {
    /// A process that is told of so many shards.
    pub(crate) fn open_with_shards(&self, shards: u16) -> RabbitSession {
        RabbitSession::of(&QueueConfig { shards, ..self.config() })
    }
}

impl RabbitSession {
    /// A process with these settings.
    pub(crate) fn of(config: &QueueConfig) -> Self {
        let lifecycle = Lifecycle::default();
        let metrics = QueueMetrics::register(&Registry::new()).expect("an empty registry");
        let rabbit = RabbitMq::new(config, &lifecycle, metrics).expect("a valid address");
        let publishing = lifecycle.readiness.condition("publishing");
        let consuming = lifecycle.readiness.condition("consuming");
        Self { rabbit, lifecycle, publishing, consuming }
    }
}

impl Engine for RabbitEngine {
    type Session = RabbitSession;

    async fn open(&self) -> RabbitSession {
        self.open_with_shards(SHARDS)
    }

    async fn stall(&self) {
        self.proxy().stall(Direction::Both);
    }

    async fn resume(&self) {
        self.proxy().restore();
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![(PREFIX_VARIABLE, format!("{} {}", self.address(), self.prefix))]
    }

    fn from_environment() -> Option<Self> {
        let told = std::env::var(PREFIX_VARIABLE).ok()?;
        let (broker, prefix) = told.split_once(' ').expect("an address and a prefix");
        let broker = broker.parse().expect("an address");
        Some(Self { broker, prefix: prefix.to_owned(), proxy: None })
    }

    async fn remove(self) {
        let (_connection, channel) = self.channel().await;
        let topology = Names::new(self.prefix.clone(), SHARDS).topology();
        for queue in topology.queues {
            let deleted = channel.queue_delete(queue.name.into(), QueueDeleteOptions::default()).await;
            deleted.expect("a deleted queue");
        }
        for exchange in topology.exchanges {
            let deleted =
                channel.exchange_delete(exchange.name.into(), ExchangeDeleteOptions::default()).await;
            deleted.expect("a deleted exchange");
        }
    }
}

impl Session for RabbitSession {
    type Publisher = RabbitPublisher;
    type Consumer = RabbitConsumer;

    fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    fn publisher(&self) -> RabbitPublisher {
        self.rabbit.publisher(self.publishing.clone())
    }

    fn consumer(&self, which: Subscription) -> RabbitConsumer {
        self.rabbit.subscribe(which, self.consuming.clone())
    }
}
