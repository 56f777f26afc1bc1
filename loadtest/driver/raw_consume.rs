//! *raw*, the other way: how fast bare lapin takes messages off a queue, with one acknowledgement for many; and the
//! same messages put back.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use testkit::rabbitmq::amqp_url;
use tokio::time::{Instant, timeout};

use crate::raw::RawError;

/// Messages on their way to the consumer, as a worker has by default.
const PREFETCH: u16 = 2_000;
/// Messages acknowledged at once.
const ACK_EVERY: u64 = 500;
/// Messages without a confirm while they are put back.
const UNCONFIRMED_MAX: usize = 250;
/// A queue that gives nothing for so long is empty.
const QUIET: Duration = Duration::from_secs(1);

/// A message, and where it came from.
#[derive(Clone)]
struct Message {
    exchange: ShortString,
    routing_key: ShortString,
    properties: BasicProperties,
    data: Vec<u8>,
}

/// What was on the queues, as it came.
pub(crate) struct Taken {
    messages: VecDeque<Message>,
    /// From the first message to the last.
    pub(crate) took: Duration,
}

/// Takes everything off these queues, one after the other.
pub(crate) async fn take(queues: &[String]) -> Result<Taken, RawError> {
    let mut taken = Taken { messages: VecDeque::new(), took: Duration::ZERO };
    for queue in queues {
        let connection = Connection::connect(&amqp_url(), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        taken.drain(&channel, queue).await?;
        connection.close(200, "done".into()).await?;
    }
    Ok(taken)
}

impl Taken {
    /// Each envelope in a message of its own, as where nothing waits long enough to share one.
    pub(crate) fn unpack(self) -> Self {
        let alone = |message: Message| {
            let lines = message.data.split_inclusive(|byte| *byte == b'\n');
            lines.map(|line| Message { data: line.to_vec(), ..message.clone() }).collect::<Vec<_>>()
        };
        Self { messages: self.messages.into_iter().flat_map(alone).collect(), took: self.took }
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    async fn drain(&mut self, channel: &Channel, queue: &str) -> Result<(), RawError> {
        let options = BasicConsumeOptions::default();
        let mut consumer =
            channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
        let mut first = None;
        let mut last = Instant::now();
        let mut unacked = None;
        let all = BasicAckOptions { multiple: true };
        while let Ok(Some(delivery)) = timeout(QUIET, consumer.next()).await {
            let delivery = delivery?;
            last = Instant::now();
            first.get_or_insert(last);
            let Delivery { exchange, routing_key, properties, data, acker, delivery_tag, .. } = delivery;
            self.messages.push_back(Message { exchange, routing_key, properties, data });
            unacked = Some(acker);
            if delivery_tag.is_multiple_of(ACK_EVERY)
                && let Some(acker) = unacked.take()
            {
                acker.ack(all).await?;
            }
        }
        if let Some(acker) = unacked {
            acker.ack(all).await?;
        }
        self.took += first.map_or(Duration::ZERO, |first| last - first);
        Ok(())
    }

    /// Puts everything back to where it was.
    pub(crate) async fn put_back(mut self) -> Result<(), RawError> {
        let connection = Connection::connect(&amqp_url(), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions { nowait: false }).await?;
        let publish = async |message: Message| {
            let options = BasicPublishOptions { mandatory: false, immediate: false };
            let Message { exchange, routing_key, properties, data } = message;
            channel.basic_publish(exchange, routing_key, options, &data, properties).await?.await
        };
        let mut in_flight = FuturesUnordered::new();
        loop {
            while in_flight.len() < UNCONFIRMED_MAX
                && let Some(message) = self.messages.pop_front()
            {
                in_flight.push(publish(message));
            }
            match in_flight.next().await {
                Some(Ok(Confirmation::Ack(_))) => {}
                Some(Ok(Confirmation::Nack(_) | Confirmation::NotRequested)) => {
                    return Err(RawError::NotConfirmed);
                }
                Some(Err(error)) => return Err(error.into()),
                None => break,
            }
        }
        drop(in_flight);
        Ok(connection.close(200, "done".into()).await?)
    }
}
