//! The connection goes and comes back; what is said about it, and what becomes of what was in hand.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lapin::options::{BasicPublishOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel};
use shared::lifecycle::Condition;
use shared::queue::{PublishError, Publisher, Subscription};
use testkit::queue_conformance::{Engine, PATIENCE, Session, alert, close, publish_all, run, take};
use testkit::wait_until::wait_until;
use tokio::time::Instant;

use crate::engine::RabbitEngine;

/// What was logged, and what keeps it being collected: of this thread, so the test's runtime has only one.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn collect() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("shared=info")
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
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
    let (log, _collecting) = Log::collect();
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
    assert_eq!(of("INFO", "connected to RabbitMQ for publishing"), 2, "{lines:#?}");
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
    let (log, _collecting) = Log::collect();
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
        let (exchange, options) = (engine.prefix().into(), BasicPublishOptions::default());
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
