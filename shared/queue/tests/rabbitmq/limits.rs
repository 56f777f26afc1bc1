//! The broker gives up what comes back too often, and takes nothing while it is short of memory.

use std::time::Duration;

use prometheus::Registry;
use queue::rabbitmq::{DeliveryLimit, RabbitMq, greet};
use queue::{
    Consumer, Delivery, Headers, Message, MessageDestination, PublishError, Publisher, QueueMetrics,
    Subscription,
};
use runtime::lifecycle::{Condition, Lifecycle};
use testkit::broker_node::BrokerNode;
use testkit::queue_conformance::{Engine, PATIENCE, Session, alert, close, publish_all, take};
use testkit::wait_until::wait_until;

use crate::engine::RabbitEngine;

/// One more than RabbitMQ 4 allows without a policy.
const DEATHS: u32 = 25;
const ALL: [(Subscription, MessageDestination); 3] = [
    (Subscription::Alerts, MessageDestination::Alerts { shard_key: 7 }),
    (Subscription::Dead, MessageDestination::DeadLetters),
    (Subscription::Interactions, MessageDestination::Interactions),
];
const MESSAGES: usize = 3;

/// One test, because a node takes seconds to start.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_given_up_that_comes_back_often_and_an_alarm_is_an_answer_at_once() {
    let broker = BrokerNode::start().await;
    broker.limit_deliveries().await;
    a_check_finds_the_limit(&broker).await;
    survives_deaths(&broker).await;
    is_not_given_back_during_an_alarm(&broker).await;
    alarm_is_an_answer(&broker).await;
}

async fn a_check_finds_the_limit(broker: &BrokerNode) {
    let engine = RabbitEngine::on(broker.port()).await;
    let greeting = within(greet(&engine.config())).await.expect("a broker that lets us in");
    assert_eq!((greeting.limit, greeting.left_over), (DeliveryLimit::Found(20), Vec::new()));
    let version = greeting.version.unwrap_or_default();
    assert!(version.split('.').count() == 3, "{version:?}");
    broker.alarm(true).await;
    let greeting = within(greet(&engine.config())).await.expect("a broker that lets us in");
    assert_eq!(greeting.limit, DeliveryLimit::Alarm);
    broker.alarm(false).await;
}

async fn survives_deaths(broker: &BrokerNode) {
    let engine = RabbitEngine::on(broker.port()).await;
    let session = engine.open().await;
    let publisher = session.publisher();
    for (_, to) in ALL {
        for number in 0..MESSAGES {
            let body = format!("{{\"number\":{number}}}\n").into();
            publisher
                .publish(vec![Message { to, body, headers: Headers::default() }])
                .await
                .expect("a publish");
        }
    }
    let mut consumers = ALL.map(|(which, _)| session.consumer(which));
    for death in 0..DEATHS {
        for consumer in &mut consumers {
            drop(in_hand(consumer, death).await);
        }
        // What was prefetched counts like what was handed out: no test of ours sees which it was.
        engine.proxy().cut();
        engine.proxy().restore();
    }
    for consumer in &mut consumers {
        for (_, delivery) in take(consumer, MESSAGES).await {
            delivery.settle();
        }
    }
    drop((publisher, consumers));
    close(session).await;
}

/// Everything that is there, which a connection that is cut gives back.
async fn in_hand(consumer: &mut impl Consumer, death: u32) -> Vec<Delivery> {
    let mut all = Vec::new();
    while all.len() < MESSAGES {
        let batch = tokio::time::timeout(PATIENCE, consumer.receive()).await;
        assert!(batch.is_ok(), "{} of {MESSAGES} came after {death} deaths", all.len());
        let Ok(batch) = batch else { return all };
        all.extend(batch.expect("no stop"));
    }
    all
}

async fn is_not_given_back_during_an_alarm(broker: &BrokerNode) {
    let engine = RabbitEngine::on(broker.port()).await;
    let session = engine.open().await;
    let publisher = session.publisher();
    publish_all(&publisher, [1]).await;
    let mut consumer = session.consumer(Subscription::Alerts);
    let delivery = take(&mut consumer, 1).await;
    broker.alarm(true).await;
    let refused = publisher.publish(vec![alert(2)]).await;
    assert!(refused.is_err(), "{refused:?}");
    drop(delivery);
    // Whoever gives back again and again what he is handed, for as long as a command takes.
    let mut given_back = 0;
    let asked = broker.control(&["list_queues"]);
    tokio::pin!(asked);
    loop {
        tokio::select! {
            () = &mut asked => break,
            batch = consumer.receive() => given_back += batch.map_or(0, |batch| batch.len()),
        }
    }
    assert_eq!(given_back, 0);
    broker.alarm(false).await;
    // The one that was refused was on its way already; it may come, too.
    let mut numbers = Vec::new();
    while !numbers.contains(&1) {
        for (more, delivery) in take(&mut consumer, 1).await {
            numbers.extend(more);
            delivery.settle();
        }
    }
    drop((publisher, consumer));
    close(session).await;
}

async fn alarm_is_an_answer(broker: &BrokerNode) {
    let engine = RabbitEngine::on(broker.port()).await;
    let lifecycle = Lifecycle::default();
    let config = config::QueueConfig { publish_timeout: Duration::from_hours(1), ..engine.config() };
    let metrics = QueueMetrics::register(&Registry::new()).expect("an empty registry");
    let rabbit = RabbitMq::new(&config, &lifecycle, metrics).expect("a valid address");
    let condition = lifecycle.readiness.condition("queue");
    let publisher = rabbit.publisher(condition.clone());
    publish_all(&publisher, [1]).await;
    broker.alarm(true).await;
    // The first learns of it on its way, the next ones are not sent any more; none waits for the hour to end.
    let first = within(publisher.publish(vec![alert(2)])).await;
    assert!(matches!(first, Err(PublishError::TimedOut)), "{first:?}");
    let next = within(publisher.publish(vec![alert(3)])).await;
    assert!(matches!(&next, Err(PublishError::Refused(why)) if why.contains("memory")), "{next:?}");
    let is_said =
        |unmet: &[String]| matches!(unmet, [why] if why.starts_with("queue (") && why.contains("memory"));
    wait_until(PATIENCE, "a reason not to be ready", async || {
        let unmet = lifecycle.readiness.unmet();
        if is_said(&unmet) { Ok(()) } else { Err(unmet) }
    })
    .await;
    broker.alarm(false).await;
    until_ready(&condition).await;
    publish_all(&publisher, [4]).await;
    drop(publisher);
}

async fn within<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, answer).await.expect("an answer long before the publish timeout")
}

async fn until_ready(condition: &Condition) {
    let look = async || if condition.holds() { Ok(()) } else { Err("not ready") };
    wait_until(PATIENCE, "readiness", look).await;
}
