//! What the worker has in hand: an envelope, and its share in the message it came with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use prometheus::IntGauge;
use shared::envelope::Envelope;
use shared::queue::{Delivery, Headers};
use tokio::time::Instant;

/// One envelope on its way to its receiver.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) envelope: Envelope<'static>,
    /// The envelope as it came, to be published onwards byte by byte.
    pub(super) line: Bytes,
    pub(super) headers: Headers,
    /// When its message was taken off the queue.
    pub(super) taken_at: Instant,
    pub(super) share: Share,
}

/// One envelope's share in a message. When the last share is gone the message is settled if every one of them was;
/// else it is given back, so that a task which fails or is cut off loses nothing.
#[derive(Debug)]
pub(super) struct Share {
    message: Arc<Message>,
    in_flight: IntGauge,
}

#[derive(Debug)]
struct Message {
    delivery: Option<Delivery>,
    unsettled: AtomicUsize,
}

impl Share {
    /// The shares of a message, one for each of its envelopes.
    pub(super) fn of(delivery: Delivery, envelopes: usize, in_flight: &IntGauge) -> Vec<Self> {
        let message = Arc::new(Message { delivery: Some(delivery), unsettled: AtomicUsize::new(envelopes) });
        let share = || {
            in_flight.inc();
            Self { message: Arc::clone(&message), in_flight: in_flight.clone() }
        };
        std::iter::repeat_with(share).take(envelopes).collect()
    }

    /// Says that this envelope is settled.
    pub(super) fn settle(self) {
        self.message.unsettled.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        if let Some(delivery) = self.delivery.take()
            && self.unsettled.load(Ordering::Acquire) == 0
        {
            delivery.settle();
        }
        // Otherwise the delivery is dropped here, which gives it back.
    }
}
