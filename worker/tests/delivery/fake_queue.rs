//! A queue in memory: hands out what the test puts in, and remembers what became of it.

use std::future::{pending, ready};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use queue::{
    Consumer, Delivery, Headers, Message, PublishError, Publisher, Publishing, Receiving, Settlement,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The test's end of the queue.
pub(crate) struct FakeQueue {
    deliveries: mpsc::UnboundedSender<Delivery>,
    settled: mpsc::UnboundedSender<Settlement>,
    settlements: mpsc::UnboundedReceiver<Settlement>,
    seen: Vec<Settlement>,
    tags: u64,
    delivered: Vec<(Bytes, Headers)>,
    published: Arc<Mutex<Vec<Message>>>,
    recalled: Arc<Mutex<Vec<String>>>,
    is_down: Arc<AtomicBool>,
    is_silent: Arc<AtomicBool>,
}

pub(crate) struct FakeConsumer {
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
pub(crate) struct FakePublisher {
    published: Arc<Mutex<Vec<Message>>>,
    recalled: Arc<Mutex<Vec<String>>>,
    is_down: Arc<AtomicBool>,
    is_silent: Arc<AtomicBool>,
}

impl FakeQueue {
    pub(crate) fn new(stop: CancellationToken) -> (Self, FakeConsumer, FakePublisher) {
        let (deliveries, to_worker) = mpsc::unbounded_channel();
        let (settled, settlements) = mpsc::unbounded_channel();
        let publisher = FakePublisher::default();
        let queue = Self {
            deliveries,
            settled,
            settlements,
            seen: Vec::new(),
            tags: 0,
            delivered: Vec::new(),
            published: Arc::clone(&publisher.published),
            recalled: Arc::clone(&publisher.recalled),
            is_down: Arc::clone(&publisher.is_down),
            is_silent: Arc::clone(&publisher.is_silent),
        };
        (queue, FakeConsumer { deliveries: to_worker, stop }, publisher)
    }

    /// Delivers a message and returns the tag it will be settled under.
    pub(crate) fn deliver(&mut self, body: impl Into<Bytes>, headers: Headers) -> u64 {
        self.tags += 1;
        let body = body.into();
        self.delivered.push((body.clone(), headers.clone()));
        let delivery = Delivery::new(body, headers, self.tags, self.settled.clone());
        self.deliveries.send(delivery).expect("the worker receives");
        self.tags
    }

    /// Delivers what went by this tag once more, as a queue does with what was given back.
    pub(crate) fn deliver_again(&mut self, tag: u64) -> u64 {
        let (body, headers) = self.delivered[usize::try_from(tag).unwrap() - 1].clone();
        self.deliver(body, headers)
    }

    /// The connection breaks: what is in hand is nobody's to settle any more, and what comes from now on comes by a new one.
    pub(crate) fn cut(&mut self) {
        (self.settled, self.settlements) = mpsc::unbounded_channel();
    }

    /// Whether the message was settled; `None` while it is in hand.
    pub(crate) fn fate(&mut self, wanted: u64) -> Option<Settlement> {
        while let Ok(settlement) = self.settlements.try_recv() {
            self.seen.push(settlement);
        }
        self.seen.iter().copied().find(|settlement| match settlement {
            Settlement::Done { tag } | Settlement::GivenBack { tag } => *tag == wanted,
        })
    }

    /// What was published onwards so far.
    pub(crate) fn published(&self) -> Vec<Message> {
        self.published.lock().unwrap().clone()
    }

    /// Whose deferred messages were called back so far.
    pub(crate) fn recalled(&self) -> Vec<String> {
        self.recalled.lock().unwrap().clone()
    }

    /// From now on nothing that is published is answered, or is again.
    pub(crate) fn set_silent(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::SeqCst);
    }

    /// From now on nothing can be published, or can again.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }
}

impl Consumer for FakeConsumer {
    fn receive(&mut self) -> Receiving<'_> {
        Box::pin(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => None,
                delivery = self.deliveries.recv() => delivery.map(|delivery| vec![delivery]),
            }
        })
    }
}

impl Publisher for FakePublisher {
    fn publish(&self, messages: Vec<Message>) -> Publishing {
        if self.is_down.load(Ordering::SeqCst) {
            return Box::pin(ready(Err(PublishError::Unreachable)));
        }
        self.published.lock().unwrap().extend(messages);
        if self.is_silent.load(Ordering::SeqCst) {
            return Box::pin(pending());
        }
        Box::pin(ready(Ok(())))
    }

    fn recall(&self, receiver: &str) {
        self.recalled.lock().unwrap().push(receiver.to_owned());
    }
}
