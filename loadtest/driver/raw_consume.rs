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
use lapin::types::FieldTable;
use lapin::{Channel, Confirmation, Connection, ConnectionProperties};
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

/// What was on the queues, as it came.
pub(crate) struct Taken {
    messages: VecDeque<Delivery>,
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
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    async fn drain(&mut self, channel: &Channel, queue: &str) -> Result<(), RawError> {
        let options = BasicConsumeOptions::default();
        let mut consumer =
            channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
        let (mut first, mut last) = (None, Instant::now());
        let all = BasicAckOptions { multiple: true };
        while let Ok(Some(delivery)) = timeout(QUIET, consumer.next()).await {
            let delivery = delivery?;
            last = Instant::now();
            first.get_or_insert(last);
            if delivery.delivery_tag.is_multiple_of(ACK_EVERY) {
                delivery.ack(all).await?;
            }
            self.messages.push_back(delivery);
        }
        if let Some(delivery) = self.messages.back().filter(|_| first.is_some()) {
            delivery.ack(all).await?;
        }
        self.took += first.map_or(Duration::ZERO, |first| last - first);
        Ok(())
    }

    /// Puts everything back to where it was.
    pub(crate) async fn put_back(mut self) -> Result<(), RawError> {
        let connection = Connection::connect(&amqp_url(), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions { nowait: false }).await?;
        let publish = async |message: Delivery| {
            let options = BasicPublishOptions { mandatory: false, immediate: false };
            let Delivery { exchange, routing_key, properties, data, .. } = message;
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
