//! How much of what a worker may hold one receiver may hold. The queue hands out so many messages and no more, and
//! memory is for so many alerts, so what one receiver holds another cannot get. A receiver may hold as much as is
//! still free: a busy one beside calm ones gets half, two busy ones a third each; there is always room for one more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus::IntGauge;
use tokio::sync::Notify;

/// Parts of a message: a message with several envelopes is held as long as one of them is.
const WHOLE: usize = 1 << 12;
/// Alerts of all receivers held in memory, waiting to be delivered; each takes a few kilobytes. Beyond it the queue
/// keeps them.
const ALERTS_MAX: usize = 20_000;

/// The window of one worker.
#[derive(Clone, Debug)]
pub(crate) struct FairShare(Arc<Room>);

#[derive(Debug)]
struct Room {
    size: usize,
    held: AtomicUsize,
    alerts: AtomicUsize,
    freed: Notify,
}

/// What one receiver holds of it.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    room: Arc<Room>,
    held: Arc<AtomicUsize>,
    shown: IntGauge,
}

/// An envelope's place, free again when dropped.
#[derive(Debug)]
pub(crate) struct HeldPlace {
    holding: Holding,
    size: usize,
    alerts: usize,
}

impl FairShare {
    /// A window of as many messages as the queue hands out.
    pub(super) fn new(messages: usize) -> Self {
        let size = messages.max(1).saturating_mul(WHOLE);
        Self(Arc::new(Room {
            size,
            held: AtomicUsize::new(0),
            alerts: AtomicUsize::new(0),
            freed: Notify::new(),
        }))
    }

    /// What a receiver holds of it: nothing yet. `shown` tells how many alerts that is.
    pub(super) fn holding(&self, shown: IntGauge) -> Holding {
        Holding { room: Arc::clone(&self.0), held: Arc::default(), shown }
    }

    /// Waits until no more alerts are held than may be.
    pub(super) async fn has_room(&self) {
        while self.0.alerts.load(Ordering::Relaxed) >= ALERTS_MAX {
            self.0.freed.notified().await;
        }
    }
}

impl Holding {
    /// A place for alerts of one of so many envelopes of a message; `None` if others need it more.
    pub(super) fn place(&self, envelopes: usize, alerts: usize) -> Option<HeldPlace> {
        let free = self.room.size.saturating_sub(self.room.held.load(Ordering::Relaxed));
        (self.held.load(Ordering::Relaxed) < free).then(|| self.place_regardless(envelopes, alerts))
    }

    /// The same where there is nobody else.
    pub(super) fn place_regardless(&self, envelopes: usize, alerts: usize) -> HeldPlace {
        let size = WHOLE / envelopes.clamp(1, WHOLE) + (self.room.size / ALERTS_MAX).max(1) * alerts;
        self.held.fetch_add(size, Ordering::Relaxed);
        self.room.held.fetch_add(size, Ordering::Relaxed);
        self.room.alerts.fetch_add(alerts, Ordering::Relaxed);
        self.shown.add(i64::try_from(alerts).unwrap_or(i64::MAX));
        HeldPlace { holding: self.clone(), size, alerts }
    }
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        let Holding { room, held, shown } = &self.holding;
        held.fetch_sub(self.size, Ordering::Relaxed);
        room.held.fetch_sub(self.size, Ordering::Relaxed);
        room.alerts.fetch_sub(self.alerts, Ordering::Relaxed);
        shown.sub(i64::try_from(self.alerts).unwrap_or(i64::MAX));
        room.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(window: &FairShare) -> Holding {
        window.holding(IntGauge::new("held", "held").unwrap())
    }

    fn fill(holding: &Holding) -> Vec<HeldPlace> {
        std::iter::from_fn(|| holding.place(1, 0)).collect()
    }

    #[test]
    fn a_busy_receiver_leaves_as_much_as_it_takes() {
        let window = FairShare::new(100);
        let busy = holding(&window);
        let other = holding(&window);
        let held = fill(&busy);
        assert_eq!(held.len(), 50);
        assert_eq!(fill(&other).len(), 25, "half of what is left, while the first holds on");
        drop(held);
        assert_eq!(fill(&busy).len(), 50, "and all is free again");
    }

    #[test]
    fn envelopes_of_one_message_take_one_place_together() {
        let holding = holding(&FairShare::new(2));
        let places: Vec<_> = (0..64).map(|_| holding.place(64, 0)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(holding.place(1, 0).is_none());
    }

    #[tokio::test]
    async fn many_alerts_in_few_messages_fill_it_as_well() {
        let window = FairShare::new(1_000);
        let holding = holding(&window);
        let places: Vec<_> = std::iter::from_fn(|| holding.place(1, 100)).collect();
        assert!((80..=100).contains(&places.len()), "{} places of 100 alerts", places.len());
        let more: Vec<_> = (0..130).map(|_| holding.place_regardless(1, 100)).collect();
        let mut waiting = Box::pin(window.has_room());
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop((places, more));
        waiting.await;
    }
}
