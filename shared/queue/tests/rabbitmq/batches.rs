//! How much is handed out at once.

use bytes::Bytes;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use queue::{Consumer, Headers, Message, MessageDestination, Publisher, Subscription};
use testkit::queue_conformance::{Engine, PATIENCE, Session, close};
use testkit::wait_until::wait_until;

use crate::engine::RabbitEngine;

const MIB: usize = 1 << 20;
const MESSAGES: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_are_handed_out_a_few_at_a_time() {
    let engine = RabbitEngine::new().await;
    let session = engine.open().await;
    let publisher = session.publisher();
    for _ in 0..MESSAGES {
        let to = MessageDestination::Alerts { shard_key: 7 };
        let body = Bytes::from(vec![b'x'; MIB]);
        publisher.publish(vec![Message { to, body, headers: Headers::default() }]).await.expect("a publish");
    }
    let mut consumer = session.consumer(Subscription::Alerts);
    everything_has_left_the_broker(&engine).await;

    let mut taken = 0;
    let mut largest = 0;
    while taken < MESSAGES {
        let batch = tokio::time::timeout(PATIENCE, consumer.receive()).await.expect("a batch in time");
        let batch = batch.expect("the consumer is not told to stop");
        largest = largest.max(batch.iter().map(|delivery| delivery.body.len()).sum());
        taken += batch.len();
        for delivery in batch {
            delivery.settle();
        }
    }
    assert!(largest <= 5 * MIB, "{largest} bytes at once");
    drop((publisher, consumer));
    close(session).await;
    engine.remove().await;
}

/// Waits until whatever was published waits on our side of the connection.
async fn everything_has_left_the_broker(engine: &RabbitEngine) {
    let (_connection, channel) = engine.channel().await;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    wait_until(PATIENCE, "all messages to be handed to the consumer", async || {
        let mut waiting = 0;
        for shard in 0..3 {
            let name = format!("{}.alerts.{shard}", engine.prefix());
            let queue = channel.queue_declare(name.into(), passive, FieldTable::default()).await;
            waiting += queue.expect("a queue that is there").message_count();
        }
        if waiting == 0 { Ok(()) } else { Err(waiting) }
    })
    .await;
}
