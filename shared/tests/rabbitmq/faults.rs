//! The broker itself is killed, or out of memory.

use std::time::Duration;

use shared::queue::{PublishError, Publisher, Subscription};
use testkit::broker_node::BrokerNode;
use testkit::queue_conformance::{Engine, PATIENCE, Session, alert, close, publish_all, take};
use tokio::time::Instant;

use crate::engine::RabbitEngine;

/// One test, because a node takes seconds to start.
#[tokio::test(flavor = "multi_thread")]
async fn confirmed_survives_a_kill_of_the_broker_and_an_alarm_hangs_nobody() {
    let mut broker = BrokerNode::start().await;
    let engine = RabbitEngine::on(broker.port()).await;
    let session = engine.open().await;
    let publisher = session.publisher();

    for number in 0..200 {
        publish_all(&publisher, [number]).await;
    }
    broker.kill().await;
    let away = publisher.publish(vec![alert(0)]).await;
    assert!(matches!(away, Err(PublishError::Unreachable)), "{away:?}");
    broker.restart().await;
    let mut consumer = session.consumer(Subscription::Alerts);
    let mut numbers = Vec::new();
    for (number, delivery) in take(&mut consumer, 200).await {
        numbers.extend(number);
        delivery.settle();
    }
    assert_eq!(numbers, (0..200).collect::<Vec<_>>(), "confirmed and gone");

    broker.control(&["set_vm_memory_high_watermark", "absolute", "1MB"]).await;
    let began = Instant::now();
    let blocked = publisher.publish(vec![alert(300)]).await;
    assert!(matches!(blocked, Err(PublishError::TimedOut)), "{blocked:?}");
    assert!(began.elapsed() < engine.config().publish_timeout + Duration::from_secs(1));
    broker.control(&["set_vm_memory_high_watermark", "0.6"]).await;
    let again = async {
        while publisher.publish(vec![alert(301)]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("the connection is unblocked");
    drop((publisher, consumer));
    close(session).await;
}
