//! The connection goes and comes back; what is said about it, and what becomes of what was in hand.

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use config::QueueConfig;
use lapin::options::{BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel};
use queue::rabbitmq::greet;
use queue::{DeferStep, Headers, Message, MessageDestination, PublishError, Publisher, Subscription};
use runtime::lifecycle::Condition;
use testkit::queue_conformance::{Engine, PATIENCE, Session, alert, close, publish_all, run, take};
use testkit::wait_until::wait_until;
use tokio::time::Instant;

use crate::engine::RabbitEngine;

/// What was logged on the thread of this test, whose runtime has only that one.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

thread_local! {
    static OF_THREAD: RefCell<Option<Log>> = const { RefCell::new(None) };
}

impl Log {
    /// One subscriber for all tests: with one for each, a place that logs for the first time while another test sets its own
    /// is now and then taken for one that nobody listens to.
    fn collect() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            tracing_subscriber::fmt()
                .with_env_filter("queue=info")
                .with_ansi(false)
                .with_writer(|| OF_THREAD.with_borrow(|log| log.clone().unwrap_or_default()))
                .init();
        });
        let log = Self::default();
        OF_THREAD.set(Some(log.clone()));
        log
    }

    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().expect("a log").clone();
        String::from_utf8(bytes).expect("text").lines().map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Waits until the condition is as wanted.
async fn until(condition: &Condition, holds: bool) {
    let look = async || if condition.holds() == holds { Ok(()) } else { Err(!holds) };
    wait_until(PATIENCE, "the condition to change", look).await;
}

#[tokio::test]
async fn an_outage_is_one_warning_and_its_end_one_line_and_neither_shows_the_password() {
    let log = Log::collect();
    run(RabbitEngine::new().await, async |engine: &RabbitEngine| {
        let session = engine.open().await;
        let publisher = session.publisher();
        publish_all(&publisher, [1]).await;
        engine.proxy().cut();
        until(&session.publishing, false).await;
        let began = Instant::now();
        let refused = publisher.publish(vec![alert(2)]).await;
        assert!(matches!(refused, Err(PublishError::Unreachable)), "{refused:?}");
        assert!(began.elapsed() < Duration::from_secs(5));
        engine.proxy().restore();
        until(&session.publishing, true).await;
        publish_all(&publisher, [3]).await;
        drop(publisher);
        close(session).await;
    })
    .await;
    let lines = log.lines();
    let of = |level: &str, text: &str| {
        lines.iter().filter(|line| line.contains(level) && line.contains(text)).count()
    };
    assert_eq!(of("WARN", "no connection to RabbitMQ"), 1, "{lines:#?}");
    assert_eq!(of("INFO", "connected to RabbitMQ purpose=\"publishing\""), 2, "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("guest")), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_that_begins_during_a_short_outage_is_confirmed_after_it() {
    run(RabbitEngine::new().await, async |engine: &RabbitEngine| {
        engine.proxy().cut();
        let session = engine.open().await;
        let publisher = session.publisher();
        let (outcome, ()) = tokio::join!(publisher.publish(vec![alert(1)]), async {
            tokio::task::yield_now().await;
            engine.proxy().restore();
        });
        outcome.expect("a connection within the time a publish waits");
        drop(publisher);
        close(session).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_hand_when_the_connection_broke_comes_again_and_old_settlements_change_nothing() {
    run(RabbitEngine::new().await, async |engine: &RabbitEngine| {
        let session = engine.open().await;
        for number in 0..6 {
            publish_all(&session.publisher(), [number]).await;
        }
        let mut consumer = session.consumer(Subscription::Alerts);
        let stale = take(&mut consumer, 6).await;
        engine.proxy().cut();
        until(&session.consuming, false).await;
        engine.proxy().restore();
        let fresh = take(&mut consumer, 6).await;
        // Tags 1 to 6 again, of the old channel: acknowledged on the new one they would be somebody else's.
        for (_, delivery) in stale {
            delivery.settle();
        }
        drop(fresh);
        let again = take(&mut consumer, 6).await;
        for (_, delivery) in again {
            delivery.settle();
        }
        close(session).await;
    })
    .await;
}

#[tokio::test]
async fn a_queue_that_exists_with_other_settings_is_named_and_nothing_is_published() {
    let log = Log::collect();
    run(RabbitEngine::new().await, async |engine: &RabbitEngine| {
        let (_connection, channel) = engine.channel().await;
        let name = format!("{}.alerts.0", engine.prefix());
        classic(&channel, &name).await;
        let session = engine.open().await;
        let refused = session.publisher().publish(vec![alert(1)]).await;
        assert!(matches!(refused, Err(PublishError::Unreachable)), "{refused:?}");
        assert_eq!(session.lifecycle().readiness.unmet(), ["publishing", "consuming"]);
        let lines = log.lines();
        let said = lines.iter().find(|line| line.contains("ERROR")).expect("an error in the log");
        assert!(said.contains(&name) && said.contains("delete it once it is empty"), "{said}");
        close(session).await;
    })
    .await;
}

#[tokio::test]
async fn a_consumer_that_the_broker_cancels_is_said_by_its_queue_with_what_that_may_mean() {
    let log = Log::collect();
    run(RabbitEngine::new().await, async |engine: &RabbitEngine| {
        let session = engine.open().await;
        let consumer = session.consumer(Subscription::Alerts);
        until(&session.consuming, true).await;
        let (_connection, channel) = engine.channel().await;
        let queue = format!("{}.alerts.1", engine.prefix());
        // Connected is not consuming yet, and a queue without a consumer is deleted without anybody being told.
        wait_until(PATIENCE, "a consumer", async || {
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let there = channel.queue_declare(queue.as_str().into(), passive, FieldTable::default()).await;
            let consumers = there.expect("a queue").consumer_count();
            if consumers > 0 { Ok(()) } else { Err(consumers) }
        })
        .await;
        let said = format!("the broker cancelled the consumer of \"{queue}\" and gave no reason");
        // RabbitMQ keeps the consumer of a queue that is declared again at the very moment it is deleted, and the first look for
        // queues that are gone does that: then it is deleted once more.
        wait_until(PATIENCE, "a line about it", async || {
            let lines = log.lines();
            if lines.iter().any(|line| line.contains(&said) && line.contains("consumer timeout")) {
                return Ok(());
            }
            let gone = channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await;
            gone.expect("a deleted queue");
            Err(lines)
        })
        .await;
        // The queue is declared again with the next connection.
        until(&session.consuming, true).await;
        drop(consumer);
        close(session).await;
    })
    .await;
}

async fn classic(channel: &Channel, name: &str) {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, FieldTable::default()).await.expect("a classic queue");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_binding_takes_ends_with_the_dead_letters() {
    run(RabbitEngine::new().await, async |engine: &RabbitEngine| {
        let session = engine.open().await;
        publish_all(&session.publisher(), [1]).await;
        let (_connection, channel) = engine.channel().await;
        let exchange = engine.prefix().into();
        let options = BasicPublishOptions::default();
        let body = b"{\"number\":9}\n";
        let lost =
            channel.basic_publish(exchange, "nowhere".into(), options, body, BasicProperties::default());
        lost.await.expect("a written message").await.expect("no confirms on this channel");
        let mut dead = take(&mut session.consumer(Subscription::Dead), 1).await;
        let (numbers, delivery) = dead.pop().expect("one came");
        assert_eq!(numbers, [9]);
        delivery.settle();
        close(session).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_to_wait_in_a_queue_that_is_gone_ends_with_the_dead_letters() {
    run(RabbitEngine::new().await, async |engine: &RabbitEngine| {
        let session = engine.open().await;
        let publisher = session.publisher();
        publish_all(&publisher, [1]).await;
        let (_connection, channel) = engine.channel().await;
        let queue = format!("{}.retry.5s", engine.prefix());
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.expect("a deleted queue");
        let to = MessageDestination::Deferred { shard_key: 7, step: DeferStep::Seconds5 };
        let message = Message { to, body: "{\"number\":9}\n".into(), headers: Headers::default() };
        publisher.publish(vec![message]).await.expect("a confirm");
        for (numbers, delivery) in take(&mut session.consumer(Subscription::Dead), 1).await {
            assert_eq!(numbers, [9]);
            delivery.settle();
        }
        drop(publisher);
        close(session).await;
    })
    .await;
}

#[tokio::test]
async fn alerts_on_shards_that_are_none_any_more_are_read_and_said() {
    let log = Log::collect();
    run(RabbitEngine::new().await, async |engine: &RabbitEngine| {
        let session = engine.open().await;
        let publisher = session.publisher();
        let mut sent: Vec<usize> = (0..6).collect();
        for number in sent.clone() {
            // One for each shard there is, and again.
            let to = MessageDestination::Alerts { shard_key: number as u64 };
            let body = format!("{{\"number\":{number}}}\n");
            let message = Message { to, body: body.into(), headers: Headers::default() };
            publisher.publish(vec![message]).await.expect("a publish");
        }
        drop(publisher);
        close(session).await;
        // What `check --online` says of a broker that has more queues than shards are set.
        let greeting =
            greet(&QueueConfig { shards: 1, ..engine.config() }).await.expect("a broker that lets us in");
        let found: Vec<_> =
            greeting.left_over.iter().map(|(name, messages)| (name.as_str(), *messages)).collect();
        let [second, third] = [1, 2].map(|shard| format!("{}.alerts.{shard}", engine.prefix()));
        assert_eq!(found, [(second.as_str(), 2), (third.as_str(), 2)]);
        let session = engine.open_with_shards(1);
        let mut consumer = session.consumer(Subscription::Alerts);
        while !sent.is_empty() {
            for (numbers, delivery) in take(&mut consumer, 1).await {
                sent.retain(|number| !numbers.contains(number));
                delivery.settle();
            }
        }
        drop(consumer);
        close(session).await;
        for shard in [1, 2] {
            let fields = format!("queue=\"{}.alerts.{shard}\" messages=2 shards=1", engine.prefix());
            let said = ["WARN", "a queue beyond queue.shards", &fields];
            let lines = log.lines();
            assert!(lines.iter().any(|line| said.iter().all(|part| line.contains(part))), "{lines:#?}");
        }
    })
    .await;
}
