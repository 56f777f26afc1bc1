//! Messages that are told apart by a number, and taking them.

use bytes::Bytes;
use queue::{Consumer, Delivery, Headers, Message, MessageDestination, Publisher};

use super::PATIENCE;

/// A line with a number in it; queues do not look inside.
pub fn body(number: usize) -> Bytes {
    format!("{{\"number\":{number}}}\n").into()
}

/// The numbers in a body, which may have been put together from several.
pub fn numbers(body: &Bytes) -> Vec<usize> {
    let text = std::str::from_utf8(body).expect("bodies are text");
    let number = |line: &str| {
        let digits = line.strip_prefix("{\"number\":")?.split(['}', ',']).next()?;
        digits.parse().ok()
    };
    text.lines()
        .map(|line| number(line).unwrap_or_else(|| panic!("a line came out broken: {line}")))
        .collect()
}

/// An alert message of one shard.
pub fn alert(number: usize) -> Message {
    Message {
        to: MessageDestination::Alerts { shard_key: 7 },
        body: body(number),
        headers: Headers::default(),
    }
}

/// Publishes the numbers in one call.
pub async fn publish_all(publisher: &impl Publisher, numbers: impl IntoIterator<Item = usize>) {
    publisher.publish(numbers.into_iter().map(alert).collect()).await.expect("a publish to a healthy queue");
}

/// Takes deliveries until `count` numbers have come; what came, with its numbers, in order.
pub async fn take(consumer: &mut impl Consumer, count: usize) -> Vec<(Vec<usize>, Delivery)> {
    let mut taken = Vec::new();
    let mut so_far = 0;
    while so_far < count {
        let received = tokio::time::timeout(PATIENCE, consumer.receive()).await;
        let batch = received.unwrap_or_else(|_| panic!("{so_far} of {count} came, then nothing"));
        for delivery in batch.expect("the consumer is not told to stop") {
            let numbers = numbers(&delivery.body);
            so_far += numbers.len();
            taken.push((numbers, delivery));
        }
    }
    taken
}
