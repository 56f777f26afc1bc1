//! The helpers against the real broker.

#![expect(clippy::unwrap_used, reason = "a helper that fails has to fail its test")]

use std::time::Duration;

use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, ExchangeKind};
use testkit::prefix::unique_prefix;
use testkit::rabbitmq::{Leftovers, channel, drain, take};

const DEADLINE: Duration = Duration::from_secs(10);

/// Long enough for what is in the queue to be handed out.
const QUIET: Duration = Duration::from_millis(300);

/// A quorum queue with messages `0`, `1`, … in it.
async fn filled(channel: &Channel, queue: &str, count: usize) {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    for number in 0..count {
        let options = BasicPublishOptions::default();
        let properties = BasicProperties::default();
        let body = number.to_string();
        let published =
            channel.basic_publish("".into(), queue.into(), options, body.as_bytes(), properties).await;
        published.unwrap().await.unwrap();
    }
}

async fn exists(queue: &str) -> bool {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    channel().await.queue_declare(queue.into(), passive, FieldTable::default()).await.is_ok()
}

#[tokio::test]
async fn messages_are_taken_in_order_and_the_rest_is_left() {
    let queue = format!("{}.taken", unique_prefix());
    let _leftovers = Leftovers::new().queues([&queue]);
    filled(&channel().await, &queue, 25).await;

    assert_eq!(take(&queue, 3, DEADLINE).await, [b"0", b"1", b"2"]);
    let rest = drain(&queue, QUIET).await;
    assert_eq!((rest.len(), rest[0].as_slice()), (22, b"3".as_slice()));
    assert_eq!(drain(&queue, QUIET).await.len(), 0);
}

#[tokio::test]
#[should_panic(expected = "1 of 2 messages came on")]
async fn too_few_messages_fail_the_test() {
    let queue = format!("{}.few", unique_prefix());
    let _leftovers = Leftovers::new().queues([&queue]);
    filled(&channel().await, &queue, 1).await;
    take(&queue, 2, QUIET).await;
}

#[tokio::test]
async fn leftovers_are_deleted_and_missing_ones_do_no_harm() {
    let prefix = unique_prefix();
    let queue = format!("{prefix}.queue");
    let exchange = format!("{prefix}.exchange");
    let channel = channel().await;
    filled(&channel, &queue, 2).await;
    let options = ExchangeDeclareOptions::default();
    let name = exchange.as_str().into();
    channel.exchange_declare(name, ExchangeKind::Direct, options, FieldTable::default()).await.unwrap();
    assert!(exists(&queue).await);

    drop(Leftovers::new().queues([&queue, &format!("{prefix}.never")]).exchanges([&exchange]));

    assert!(!exists(&queue).await);
    let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let name = exchange.as_str().into();
    let found = channel.exchange_declare(name, ExchangeKind::Direct, passive, FieldTable::default()).await;
    assert!(found.is_err());
}
