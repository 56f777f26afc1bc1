//! The consuming side: what a worker holds. The connection belongs to a task of its own, which lives on after
//! the stop until everything that was handed out is settled.

mod owner;
mod republish;
mod subscribed;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::reachability::Reachability;
use super::{RabbitMq, stop_if_it_panics};
use crate::{Consumer, Delivery, Receiving, Subscription};
use owner::ConsumerOwner;
pub use republish::REPUBLISHED_FROM;
use republish::Republisher;
use runtime::lifecycle::Condition;

/// Dead letters and interactions in hand: they are taken a few at a time or one by one, and there is no hurry.
const SLOW_PREFETCH_MAX: u16 = 100;

/// Takes from all queues of a subscription, on one channel. Dropping it gives back what it was not asked for.
#[derive(Debug)]
pub struct RabbitConsumer {
    batches: mpsc::Receiver<Vec<Delivery>>,
    paused: watch::Sender<bool>,
    connected: Condition,
    stop: CancellationToken,
}

impl RabbitConsumer {
    pub(super) fn start(rabbit: &RabbitMq, which: Subscription, condition: Condition) -> Self {
        let sources = rabbit.names.sources(which);
        let (purpose, name) = match which {
            Subscription::Alerts => ("consuming alerts", "larkfire alerts"),
            Subscription::Dead => ("consuming dead letters", "larkfire dead letters"),
            Subscription::Interactions => ("consuming interactions", "larkfire interactions"),
        };
        let prefetch = match which {
            Subscription::Alerts => rabbit.config.prefetch,
            Subscription::Dead | Subscription::Interactions => rabbit.config.prefetch.min(SLOW_PREFETCH_MAX),
        };
        let shares = u16::try_from(sources.len()).unwrap_or(u16::MAX);
        let (paused, is_paused) = watch::channel(false);
        let connected = condition.clone();
        let owner = ConsumerOwner {
            link: rabbit.link(name),
            reachability: Arc::new(Reachability::new(purpose, condition)),
            which,
            sources,
            // Quorum queues know a window per consumer only, so each queue gets its share.
            prefetch: (prefetch / shares).max(1),
            republisher: Republisher::new(rabbit.clone()),
            metrics: rabbit.metrics.clone(),
            paused: is_paused,
            stop: rabbit.lifecycle.stop.clone(),
        };
        // A place for one batch: a second would only sit there while another worker could have it.
        let (batches, receiver) = mpsc::channel(1);
        let owner = stop_if_it_panics(rabbit.lifecycle.stop.clone(), owner.run(batches));
        rabbit.lifecycle.tasks.spawn(owner);
        Self { batches: receiver, paused, connected, stop: rabbit.lifecycle.stop.clone() }
    }
}

impl Consumer for RabbitConsumer {
    fn receive(&mut self) -> Receiving<'_> {
        Box::pin(async {
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
        })
    }

    fn pause<'c>(&'c mut self, ready: BoxFuture<'c, ()>) -> BoxFuture<'c, ()> {
        Box::pin(async {
            let resumed = Resumed(&self.paused);
            self.paused.send_replace(true);
            while self.batches.try_recv().is_ok() {}
            ready.await;
            drop(resumed);
        })
    }

    fn connected(&self) -> Condition {
        self.connected.clone()
    }
}

/// Takes messages again when it is dropped.
struct Resumed<'c>(&'c watch::Sender<bool>);

impl Drop for Resumed<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}
