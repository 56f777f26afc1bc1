//! The test broker: names that vanish with their test, and messages counted by consuming them.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, ExchangeDeleteOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, Consumer};
use tokio::time::timeout;

/// How long connecting and deleting may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Messages on their way while a queue is emptied.
const PREFETCH: u16 = 1_000;

/// The broker for tests, from `TEST_AMQP_URL` where it is not the usual one.
pub fn amqp_url() -> String {
    std::env::var("TEST_AMQP_URL").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned())
}

/// Deletes a test's queues and exchanges when dropped, also after a failure.
#[derive(Debug)]
pub struct Leftovers {
    broker: String,
    queues: Vec<String>,
    exchanges: Vec<String>,
}

impl Leftovers {
    /// Nothing to delete yet, on the broker for tests.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same on another broker, by its URL.
    pub const fn on(broker: String) -> Self {
        Self { broker, queues: Vec::new(), exchanges: Vec::new() }
    }

    /// Adds queues, which need not exist.
    #[must_use]
    pub fn queues(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.queues.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds exchanges, which need not exist.
    #[must_use]
    pub fn exchanges(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.exchanges.extend(names.into_iter().map(Into::into));
        self
    }
}

impl Default for Leftovers {
    fn default() -> Self {
        Self::on(amqp_url())
    }
}

impl Drop for Leftovers {
    #[expect(clippy::print_stderr, reason = "a second panic while a test fails would hide the first one")]
    fn drop(&mut self) {
        let queues = std::mem::take(&mut self.queues);
        let exchanges = std::mem::take(&mut self.exchanges);
        let broker = std::mem::take(&mut self.broker);
        // The test's own runtime cannot be waited on from here, so a thread with one of its own does it.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            runtime.block_on(async { timeout(DEADLINE, delete(&broker, &queues, &exchanges)).await })
        });
        match cleaning.join() {
            Ok(Ok(Ok(()))) => {}
            failed => eprintln!("queues and exchanges of this test may be left behind: {failed:?}"),
        }
    }
}

/// Deletes queues with what is in them, and exchanges; a missing one is no error.
async fn delete(broker: &str, queues: &[String], exchanges: &[String]) -> lapin::Result<()> {
    let connection = Connection::connect(broker, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for queue in queues {
        channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await?;
    }
    for exchange in exchanges {
        channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await?;
    }
    connection.close(200, "done".into()).await
}

/// A channel of a new connection to the test broker. The connection lives as long as its channels do.
pub async fn channel() -> Channel {
    channel_of(&amqp_url()).await
}

async fn channel_of(broker: &str) -> Channel {
    let connected = timeout(DEADLINE, Connection::connect(broker, ConnectionProperties::default())).await;
    let connection = connected.expect("the test broker in time").expect("a connection to the test broker");
    connection.create_channel().await.expect("a channel")
}

/// How many messages lie in these queues; those in somebody's hands are not counted. Not for just after a restart of
/// the broker, whose counts are wrong then.
pub async fn lying(queues: &[String]) -> u32 {
    lying_on(&amqp_url(), queues).await
}

/// The same on another broker, by its URL.
pub async fn lying_on(broker: &str, queues: &[String]) -> u32 {
    let channel = channel_of(broker).await;
    let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let mut lying = 0;
    for queue in queues {
        let queue = channel.queue_declare(queue.as_str().into(), look, FieldTable::default()).await;
        lying += queue.expect("a queue that is there").message_count();
    }
    close(&channel).await;
    lying
}

/// Takes exactly this many messages off a queue, in their order, and leaves the rest.
pub async fn take(queue: &str, count: u16, within: Duration) -> Vec<Vec<u8>> {
    let channel = channel().await;
    // No more than wanted are handed out, so that none has to go back.
    let mut consumer = consume(&channel, queue, count).await;
    let mut bodies = Vec::with_capacity(count.into());
    let mut last = None;
    let taken = timeout(within, async {
        while bodies.len() < usize::from(count) {
            let mut delivery = next(&mut consumer).await;
            bodies.push(std::mem::take(&mut delivery.data));
            last = Some(delivery);
        }
    });
    let in_time = taken.await.is_ok();
    assert!(in_time, "{} of {count} messages came on {queue} within {within:?}", bodies.len());
    channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await.expect("the end of consuming");
    if let Some(delivery) = last {
        let all = BasicAckOptions { multiple: true };
        delivery.ack(all).await.expect("an acknowledgement");
    }
    close(&channel).await;
    bodies
}

/// Empties a queue: takes messages until none came for a while. Counting this way is right also just after a
/// restart of the broker, when the counts it reports are not.
pub async fn drain(queue: &str, quiet_for: Duration) -> Vec<Vec<u8>> {
    let channel = channel().await;
    let mut consumer = consume(&channel, queue, PREFETCH).await;
    let mut bodies = Vec::new();
    while let Ok(delivery) = timeout(quiet_for, next(&mut consumer)).await {
        delivery.ack(BasicAckOptions::default()).await.expect("an acknowledgement");
        bodies.push(delivery.data);
    }
    close(&channel).await;
    bodies
}

async fn consume(channel: &Channel, queue: &str, prefetch: u16) -> Consumer {
    channel.basic_qos(prefetch, BasicQosOptions::default()).await.expect("a prefetch limit");
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await;
    consumer.unwrap_or_else(|error| panic!("cannot consume from {queue}: {error}"))
}

async fn next(consumer: &mut Consumer) -> Delivery {
    consumer.next().await.expect("a consumer without end").expect("a delivery")
}

/// Acknowledgements are written in order with this, so that they have reached the broker when it returns.
async fn close(channel: &Channel) {
    channel.close(200, "done".into()).await.expect("a closed channel");
}
