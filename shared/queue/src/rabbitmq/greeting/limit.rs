//! Finds out how often a message may come back, by letting one come back. AMQP has no question for it: the limit is the
//! version's default, or that of the policy whose pattern the queue's name matches.

use std::time::Duration;

use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection};

use super::DeliveryLimit;
use crate::rabbitmq::topology::Names;

/// Times it comes back at most: more than RabbitMQ 4 allows without a policy, which is 20.
const RETURNS_MAX: u32 = 22;
/// How long the broker has for storing a message, and for handing it out.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it is asked whether the message is back.
const GET_EVERY: Duration = Duration::from_millis(5);
/// When the broker deletes the queue by itself, should nobody do it.
const QUEUE_EXPIRES_MS: i64 = 60_000;

pub(super) async fn find(connection: &Connection, names: &Names) -> lapin::Result<DeliveryLimit> {
    let queue = names.of_check(runtime::entropy::random());
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions { nowait: false }).await?;
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-expires".into(), AMQPValue::LongLongInt(QUEUE_EXPIRES_MS));
    channel.queue_declare(queue.as_str().into(), options, arguments).await?;
    let found = try_queue(connection, &channel, &queue).await;
    // With an alarm lapin writes nothing on this connection until that is over: the broker deletes it later.
    if !matches!(found, Ok(DeliveryLimit::Alarm)) {
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await?;
    }
    found
}

async fn try_queue(connection: &Connection, channel: &Channel, queue: &str) -> lapin::Result<DeliveryLimit> {
    let options = BasicPublishOptions::default();
    let properties = BasicProperties::default().with_delivery_mode(2);
    let stored = async {
        channel.basic_publish("".into(), queue.into(), options, b"check", properties).await?.await.map(drop)
    };
    match tokio::time::timeout(PATIENCE, stored).await {
        Ok(stored) => stored?,
        Err(_) => return Ok(DeliveryLimit::Alarm),
    }
    for returns in 0..=RETURNS_MAX {
        let channel = connection.create_channel().await?;
        // Asked for, not consumed: lapin cancels a consumer that is dropped, and fails if its channel is closed by then.
        let Ok(got) = tokio::time::timeout(PATIENCE, get(&channel, queue)).await else {
            return Ok(DeliveryLimit::Found(returns.saturating_sub(1)));
        };
        let got = got?;
        if returns == RETURNS_MAX {
            got.ack(BasicAckOptions::default()).await?;
        }
        // It comes back as it does from a worker that is gone: lapin closes a channel that is dropped.
        drop(channel);
    }
    Ok(DeliveryLimit::NoneFound)
}

/// The message, as soon as it is back.
async fn get(channel: &Channel, queue: &str) -> lapin::Result<Delivery> {
    loop {
        if let Some(got) = channel.basic_get(queue.into(), BasicGetOptions { no_ack: false }).await? {
            return Ok(got.delivery);
        }
        tokio::time::sleep(GET_EVERY).await;
    }
}
