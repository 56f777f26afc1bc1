//! The way from the broker's queue into the database, with faults on it.

use std::time::Duration;

use config::{ClientTls, QueueConfig, Secret};
use prometheus::{Registry, TextEncoder};
use queue::rabbitmq::topology::Names;
use queue::rabbitmq::{RabbitMq, RabbitPublisher};
use queue::{Headers, Message, MessageDestination, Publisher, QueueMetrics, Subscription};
use runtime::clock::Clock;
use runtime::lifecycle::{Drain, Lifecycle};
use testkit::chaos_proxy::ChaosProxy;
use testkit::prefix::unique_prefix;
use testkit::rabbitmq::{Leftovers, amqp_url, drain, lying};
use testkit::wait_until::wait_until;

use super::harness::{letters, line, refused};
use crate::databases::{Database, on_each_server};
use worker::dead_letters::{DeadLetters, Filter, Mover, Order, StoredDeadLetter};
use worker::metrics::Metrics;

const WITHIN: Duration = Duration::from_secs(20);

on_each_server! {
    letters_are_moved_and_leave_the_queue
    while_the_database_is_away_letters_stay_on_the_queue_and_none_is_lost
    letters_that_come_again_are_settled_and_not_doubled
}

/// A broker's queue of dead letters and a database behind a proxy.
struct MovePath {
    publisher: RabbitPublisher,
    dead_queue: String,
    /// Of the publisher; a mover has its own.
    _lifecycle: Lifecycle,
    proxy: ChaosProxy,
    letters: DeadLetters,
    database: Database,
    _leftovers: Leftovers,
}

/// One mover, as of one worker.
struct Moving {
    lifecycle: Lifecycle,
    registry: Registry,
}

impl MovePath {
    async fn lay(database: Database) -> Self {
        let prefix = unique_prefix();
        let names = Names::new(prefix.clone(), 1);
        let topology = names.topology();
        let leftovers = Leftovers::new()
            .queues(topology.queues.iter().map(|queue| queue.name.clone()))
            .exchanges(topology.exchanges.iter().map(|exchange| exchange.name.clone()));
        let lifecycle = Lifecycle::default();
        let publisher = rabbit(&prefix, &lifecycle).publisher(lifecycle.readiness.condition("publishing"));
        let proxy = ChaosProxy::start(database.server()).await;
        let (direct, store) = letters(database.url(), Clock::system(), WITHIN, &Registry::new());
        store.migrate().await.unwrap();
        Self {
            publisher,
            dead_queue: names.queues(Subscription::Dead).remove(0),
            _lifecycle: lifecycle,
            proxy,
            letters: direct,
            database,
            _leftovers: leftovers,
        }
    }

    async fn publish(&self, to: MessageDestination, body: String, headers: Headers) {
        let message = Message { to, body: body.into(), headers };
        wait_until(WITHIN, "a confirm", async || self.publisher.publish(vec![message.clone()]).await).await;
    }

    /// A worker's mover, with its database behind the proxy.
    fn start(&self) -> Moving {
        let lifecycle = Lifecycle::default();
        let registry = Registry::new();
        let url = self.database.url_at(self.proxy.address());
        let (letters, _) = letters(url, Clock::system(), Duration::from_millis(500), &registry);
        let metrics = Metrics::register(&registry).unwrap();
        let prefix = self.dead_queue.trim_end_matches(".dead");
        let consumer = rabbit(prefix, &lifecycle)
            .subscribe(Subscription::Dead, lifecycle.readiness.condition("consuming"));
        lifecycle.spawn_essential(
            "mover",
            Mover::new(letters, metrics, lifecycle.clone()).run(Box::new(consumer)),
        );
        Moving { lifecycle, registry }
    }

    async fn all(&self) -> Vec<StoredDeadLetter> {
        self.letters.find(&Filter::default(), Order::OldestFirst, 1_000).await.unwrap()
    }

    async fn wait_for_lying(&self, count: u32) {
        wait_until(WITHIN, "letters that lie on the queue", async || {
            let lying = lying(std::slice::from_ref(&self.dead_queue)).await;
            if lying == count { Ok(()) } else { Err(lying) }
        })
        .await;
    }

    async fn wait_for_letters(&self, count: usize) -> Vec<StoredDeadLetter> {
        wait_until(WITHIN, "the letters", async || {
            let all = self.all().await;
            if all.len() == count { Ok(all) } else { Err(all.len()) }
        })
        .await
    }
}

impl Moving {
    async fn stop(&self) {
        assert_eq!(self.lifecycle.drain(WITHIN).await, Drain::Clean);
    }

    fn shows(&self, metric: &str) -> bool {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        text.lines().any(|line| line == metric)
    }
}

fn rabbit(prefix: &str, lifecycle: &Lifecycle) -> RabbitMq {
    let config = QueueConfig {
        url: Secret::new(amqp_url()),
        tls: ClientTls::default(),
        prefix: prefix.to_owned(),
        shards: 1,
        publish_connections: 1,
        publish_window: 8,
        publish_timeout: Duration::from_secs(10),
        prefetch: 100,
    };
    RabbitMq::new(&config, lifecycle, QueueMetrics::register(&Registry::new()).unwrap()).unwrap()
}

async fn letters_are_moved_and_leave_the_queue(database: Database) {
    let way = MovePath::lay(database).await;
    let moving = way.start();
    way.publish(MessageDestination::DeadLetters, line(1), refused(1)).await;
    // As the broker does it: no failure of ours, and several envelopes in one message.
    way.publish(MessageDestination::DeadLetters, [line(2), line(3)].join("\n"), Headers::default()).await;
    let all = way.wait_for_letters(3).await;
    let reasons: Vec<_> = all.iter().map(|letter| letter.reason.as_str()).collect();
    assert_eq!(reasons, ["refused", "undeliverable", "undeliverable"]);
    wait_until(WITHIN, "the gauge", async || {
        moving.shows("larkfire_dead_letters_waiting 3").then_some(()).ok_or("not yet")
    })
    .await;
    assert!(moving.shows("larkfire_dead_letters_kept_total 3"));
    assert!(moving.shows("larkfire_dead_letters_total{reason=\"undeliverable\"} 2"));
    assert!(moving.shows("larkfire_dead_letters_total{reason=\"refused\"} 0"), "the pipeline counts those");
    moving.stop().await;
    assert_eq!(drain(&way.dead_queue, Duration::from_millis(500)).await.len(), 0);
}

async fn while_the_database_is_away_letters_stay_on_the_queue_and_none_is_lost(database: Database) {
    let way = MovePath::lay(database).await;
    let moving = way.start();
    way.publish(MessageDestination::DeadLetters, line(0), refused(1)).await;
    way.wait_for_letters(1).await;
    way.proxy.cut();
    for index in 1..=30 {
        way.publish(MessageDestination::DeadLetters, line(index), refused(1)).await;
    }
    wait_until(WITHIN, "an attempt", async || {
        moving.shows("larkfire_store_up 0").then_some(()).ok_or("not tried yet")
    })
    .await;
    // In nobody's hand: the broker counts how often they are there in vain.
    way.wait_for_lying(30).await;
    assert_eq!(way.all().await.len(), 1);
    // This worker goes without having moved any; another comes, and takes none as long as it cannot write.
    moving.stop().await;
    let moving = way.start();
    wait_until(WITHIN, "a question", async || {
        moving.shows("larkfire_store_up 0").then_some(()).ok_or("not asked yet")
    })
    .await;
    way.wait_for_lying(30).await;
    way.proxy.restore();
    way.wait_for_letters(31).await;
    moving.stop().await;
    assert_eq!(drain(&way.dead_queue, Duration::from_millis(500)).await.len(), 0);
}

async fn letters_that_come_again_are_settled_and_not_doubled(database: Database) {
    let way = MovePath::lay(database).await;
    for index in 0..10 {
        way.publish(MessageDestination::DeadLetters, line(index), refused(1)).await;
    }
    let moving = way.start();
    way.wait_for_letters(10).await;
    moving.stop().await;
    for index in 0..10 {
        way.publish(MessageDestination::DeadLetters, line(index), refused(1)).await;
    }
    let moving = way.start();
    wait_until(WITHIN, "the repeats", async || {
        moving.shows("larkfire_dead_letters_kept_total 10").then_some(()).ok_or("not yet")
    })
    .await;
    assert_eq!(way.all().await.len(), 10);
    moving.stop().await;
}
