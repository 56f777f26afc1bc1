//! The consuming side: what a worker holds. The connection belongs to a task of its own, which lives on after
//! the stop until everything that was handed out is settled.

mod owner;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::connection::Link;
use super::reachability::Reachability;
use super::{RabbitMq, stop_if_it_panics};
use crate::lifecycle::Condition;
use crate::queue::{Consumer, Delivery, Subscription};
use owner::Owner;

/// Dead letters in hand: they carry the card as well, and there is no hurry.
const DEAD_PREFETCH_MAX: u16 = 100;

/// Takes from all queues of a subscription, on one channel. Dropping it gives back what it was not asked for.
#[derive(Debug)]
pub struct RabbitConsumer {
    batches: mpsc::Receiver<Vec<Delivery>>,
    stop: CancellationToken,
}

impl RabbitConsumer {
    pub(super) fn start(rabbit: &RabbitMq, which: Subscription, condition: Condition) -> Self {
        let queues = rabbit.names.queues(which);
        let (purpose, name) = match which {
            Subscription::Alerts => ("consuming alerts", "larkfire alerts"),
            Subscription::Dead => ("consuming dead letters", "larkfire dead letters"),
            Subscription::Interactions => ("consuming interactions", "larkfire interactions"),
        };
        let prefetch = match which {
            Subscription::Alerts | Subscription::Interactions => rabbit.config.prefetch,
            Subscription::Dead => rabbit.config.prefetch.min(DEAD_PREFETCH_MAX),
        };
        let shares = u16::try_from(queues.len()).unwrap_or(u16::MAX);
        let owner = Owner {
            link: Link { address: rabbit.address.clone(), names: rabbit.names.clone(), name },
            reachability: Arc::new(Reachability::new(purpose, condition)),
            queues,
            // Quorum queues know a window per consumer only, so each queue gets its share.
            prefetch: (prefetch / shares).max(1),
            metrics: rabbit.metrics.clone(),
            stop: rabbit.lifecycle.stop.clone(),
        };
        // A place for one batch: a second would only sit there while another worker could have it.
        let (batches, receiver) = mpsc::channel(1);
        let owner = stop_if_it_panics(rabbit.lifecycle.stop.clone(), owner.run(batches));
        rabbit.lifecycle.tasks.spawn(owner);
        Self { batches: receiver, stop: rabbit.lifecycle.stop.clone() }
    }
}

impl Consumer for RabbitConsumer {
    async fn receive(&mut self) -> Option<Vec<Delivery>> {
        let batch = tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            batch = self.batches.recv() => batch,
        };
        if batch.is_none() {
            // What lies ready goes back with the drop, at once: the owner waits for it.
            self.batches.close();
            while self.batches.try_recv().is_ok() {}
        }
        batch
    }
}
