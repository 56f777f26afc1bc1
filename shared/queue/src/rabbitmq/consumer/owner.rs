//! The one task that reads deliveries from a channel and acknowledges them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::republish::Republisher;
use super::subscribed::Subscribed;
use crate::rabbitmq::connect_error::ConnectError;
use crate::rabbitmq::connection::{Link, Session};
use crate::rabbitmq::left_over::{LeftOver, restore_and_look};
use crate::rabbitmq::reachability::Reachability;
use crate::rabbitmq::topology::Route;
use crate::{Delivery, QueueMetrics, Subscription};

/// How often it is looked for queues that are gone, and for shards nobody reads: each time the broker logs that a queue is
/// not there.
const LOOK_FOR_LEFT_OVER_EVERY: Duration = Duration::from_mins(10);

/// A subscription and how to get a connection for it.
pub(super) struct ConsumerOwner {
    pub(super) link: Link,
    pub(super) reachability: Arc<Reachability>,
    pub(super) which: Subscription,
    pub(super) sources: Vec<(Route, String)>,
    /// Unsettled messages per queue, at most.
    pub(super) prefetch: u16,
    pub(super) republisher: Republisher,
    pub(super) metrics: QueueMetrics,
    /// Whether nothing is to be taken for now.
    pub(super) paused: watch::Receiver<bool>,
    pub(super) stop: CancellationToken,
}

impl ConsumerOwner {
    /// Serves until the stop, or until the consumer is dropped; then waits for what was handed out.
    pub(super) async fn run(mut self, batches: mpsc::Sender<Vec<Delivery>>) {
        let mut after_loss = false;
        loop {
            let over = over(&self.stop, &batches);
            let opened = self.link.open(&self.reachability, after_loss, over).await;
            let Some(session) = opened else { return };
            after_loss = true;
            let lost = match self.subscribe(session).await {
                Ok(subscribed) => self.serve(subscribed, &batches).await,
                Err(error) => Some(error),
            };
            match lost {
                // If it is over by now, the next attempt ends at once: what was in hand is delivered again.
                Some(error) => self.reachability.lost(&error),
                None => return self.reachability.closed(),
            }
        }
    }

    async fn subscribe(&mut self, session: Session) -> Result<Subscribed, ConnectError> {
        let mut subscribed = Subscribed::new(session, self.prefetch, self.link.alarm.clone()).await?;
        if !*self.paused.borrow_and_update() {
            subscribed.consume(&self.sources).await?;
        }
        Ok(subscribed)
    }

    /// Consumes until the connection is lost, or (`None`) it is over and everything handed out is settled.
    async fn serve(
        &mut self,
        mut subscribed: Subscribed,
        batches: &mpsc::Sender<Vec<Delivery>>,
    ) -> Option<ConnectError> {
        let mut place = None;
        let alarm = self.link.alarm.clone();
        let stop = self.stop.clone();
        let mut looking: FuturesUnordered<BoxFuture<'static, Vec<LeftOver>>> = FuturesUnordered::new();
        let mut to_look = interval(LOOK_FOR_LEFT_OVER_EVERY);
        to_look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let outcome = tokio::select! {
                biased;
                () = over(&stop, batches) => break,
                error = &mut subscribed.session.ended => return Some(error),
                // Before what is given back, which would come again at once.
                Ok(()) = self.paused.changed() => self.pause(&mut subscribed).await,
                Some(settlement) = subscribed.settlements.recv() => subscribed.settle(settlement).await,
                () = alarm.until(false), if subscribed.keeps_back() => {
                    subscribed.give_back_unless_alarmed().await
                }
                Some(done) = subscribed.republished.next(), if !subscribed.republished.is_empty() => {
                    subscribed.finish_republish(done);
                    Ok(())
                }
                Some(got) = subscribed.deliveries.next() => subscribed.arrive(got, &mut self.republisher),
                // A place first: a batch is then everything that is at hand when it is wanted.
                free = batches.reserve(), if place.is_none() => {
                    place = free.ok();
                    Ok(())
                }
                () = std::future::ready(()), if place.is_some() && subscribed.has_arrived() => {
                    let batch = subscribed.batch(&self.metrics);
                    if let Some(place) = place.take() {
                        place.send(batch);
                    }
                    Ok(())
                }
                _ = to_look.tick(), if self.which == Subscription::Alerts && looking.is_empty() => {
                    looking.push(restore_and_look(self.link.clone()).boxed());
                    Ok(())
                }
                Some(found) = looking.next(), if !looking.is_empty() => {
                    self.take_over(found, &mut subscribed).await
                }
            };
            if let Err(error) = outcome {
                return Some(subscribed.cause_of(error));
            }
        }
        drop(place);
        subscribed.finish().await
    }

    /// Begins to consume, or gives back what was not handed out.
    async fn pause(&mut self, subscribed: &mut Subscribed) -> Result<(), ConnectError> {
        let is_paused = *self.paused.borrow_and_update();
        subscribed.cancel().await?;
        if is_paused { Ok(()) } else { subscribed.consume(&self.sources).await }
    }

    /// Reads shards nobody else does: alerts in them were accepted.
    async fn take_over(&self, found: Vec<LeftOver>, subscribed: &mut Subscribed) -> Result<(), ConnectError> {
        if *self.paused.borrow() {
            return Ok(());
        }
        for LeftOver { route, queue, messages } in found {
            if subscribed.is_consuming(&queue) {
                continue;
            }
            let shards = self.link.names.shards();
            warn!(
                queue,
                messages,
                shards,
                "a queue beyond queue.shards is there, and is read as well; set the \
                 same queue.shards everywhere, and delete the queue once nothing comes to it any more"
            );
            subscribed.consume(&[(route, queue)]).await?;
        }
        Ok(())
    }
}

/// Ready when there is to be no more: the process stops, or nobody receives.
async fn over(stop: &CancellationToken, batches: &mpsc::Sender<Vec<Delivery>>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = batches.closed() => {}
    }
}
