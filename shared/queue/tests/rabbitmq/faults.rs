//! The broker itself is killed.

use queue::{PublishError, Publisher, Subscription};
use testkit::broker_node::BrokerNode;
use testkit::queue_conformance::{Engine, Session, alert, close, publish_all, take};

use crate::engine::RabbitEngine;

#[tokio::test(flavor = "multi_thread")]
async fn confirmed_survives_a_kill_of_the_broker() {
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
    drop((publisher, consumer));
    close(session).await;
}
