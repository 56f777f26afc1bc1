//! The one task that publishes on a channel and reads its confirms.
//!
//! Lapin takes the delivery tag under one lock and queues the frames under another, so two tasks that publish
//! on one channel get each other's confirms now and then, and a 202 built on that is a lie. Hence a task per
//! channel, and nobody else ever sees the channel. Its publishes are futures in one set, polled here: awaiting
//! one after another would cost up to half the rate, and each dropped confirm would be kept by lapin for ever.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lapin::options::BasicPublishOptions;
use lapin::{Channel, Confirmation};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Job;
use crate::rabbitmq::connect_error::ConnectError;
use crate::rabbitmq::connection::{Link, Session};
use crate::rabbitmq::headers;
use crate::rabbitmq::pack::{self, Caller, PACK_BYTES_MAX, Pack, Part};
use crate::rabbitmq::reachability::Reachability;
use crate::{PublishError, QueueMetrics};

/// With so many messages on their way, one that has room left waits for a confirm or for company: under load the
/// broker then stores a few full messages instead of many small ones. An idle publisher sends at once.
const PART_FULL_IN_FLIGHT_MAX: usize = 1;

/// One connection and what waits for it.
pub(super) struct PublisherOwner {
    pub(super) link: Link,
    pub(super) reachability: Arc<Reachability>,
    pub(super) up: Arc<AtomicBool>,
    /// Messages sent and not confirmed, at most.
    pub(super) window: usize,
    pub(super) metrics: QueueMetrics,
    /// Cancelled when the last publisher is gone.
    pub(super) unused: CancellationToken,
}

/// What became of one message, and who wants to know.
struct Sent {
    callers: Vec<Caller>,
    outcome: lapin::Result<Confirmation>,
}

type InFlight = FuturesUnordered<Pin<Box<dyn Future<Output = Sent> + Send>>>;

impl PublisherOwner {
    /// Serves until the last publisher is gone.
    pub(super) async fn run(self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = VecDeque::new();
        let mut after_loss = false;
        loop {
            // Meanwhile the channel fills and further publishes fail at once, so an outage takes no memory;
            // what nobody waits for any more is skipped when it is over.
            let opened = self.link.open(&self.reachability, after_loss, self.unused.cancelled()).await;
            let Some(mut session) = opened else { return };
            self.up.store(true, Ordering::Relaxed);
            let lost = self.serve(&mut session, &mut jobs, &mut waiting).await;
            self.up.store(false, Ordering::Relaxed);
            let Some(error) = lost else {
                session.close().await;
                return self.reachability.closed();
            };
            // With it goes what the connection was told of an alarm.
            drop(session);
            self.reachability.lost(&error);
            after_loss = true;
        }
    }

    /// Publishes until the connection is lost, or (`None`) nobody is left and everything is confirmed.
    async fn serve(
        &self,
        session: &mut Session,
        jobs: &mut mpsc::Receiver<Job>,
        waiting: &mut VecDeque<Part>,
    ) -> Option<ConnectError> {
        let mut in_flight = InFlight::new();
        let mut open = true;
        loop {
            while in_flight.len() < self.window {
                refill(jobs, waiting);
                if in_flight.len() >= PART_FULL_IN_FLIGHT_MAX && !pack::is_full(waiting) {
                    break;
                }
                let Some(pack) = pack::next(waiting, Instant::now()) else { break };
                self.metrics.committed_together(pack.callers.len());
                let sent = self.send(&session.channel, pack).await;
                in_flight.push(sent);
            }
            if !open && in_flight.is_empty() {
                return None;
            }
            tokio::select! {
                biased;
                error = &mut session.ended => return Some(error),
                Some(sent) = in_flight.next(), if !in_flight.is_empty() => {
                    if let Some(error) = answer(sent) {
                        return Some(error);
                    }
                }
                job = jobs.recv(), if open && in_flight.len() < self.window => match job {
                    Some(job) => {
                        waiting.extend(job);
                        // Whoever is about to publish gets to: one wake-up then takes them all, and one message.
                        // With nobody else ready this comes back at once.
                        tokio::task::yield_now().await;
                    }
                    None => open = false,
                },
            }
        }
    }

    /// Begins to publish. Polled once here, because the first poll takes the delivery tag and queues the
    /// frames: so messages leave in the order of these calls, whatever order the set polls in.
    async fn send(&self, channel: &Channel, pack: Pack) -> Pin<Box<dyn Future<Output = Sent> + Send>> {
        let (exchange, routing_key) = self.link.names.address(pack.route);
        let channel = channel.clone();
        let mut publish = Box::pin(async move {
            // Not `mandatory`: lapin pairs returns with the wrong confirms when pipelined, and with the
            // alternate exchange nothing is unroutable.
            let options = BasicPublishOptions { mandatory: false, immediate: false };
            let properties = headers::properties(&pack.headers);
            let written = channel
                .basic_publish(exchange.into(), routing_key.into(), options, &pack.body, properties)
                .await;
            let outcome = match written {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            Sent { callers: pack.callers, outcome }
        });
        let mut early = None;
        std::future::poll_fn(|context| {
            if let Poll::Ready(sent) = publish.as_mut().poll(context) {
                early = Some(sent);
            }
            Poll::Ready(())
        })
        .await;
        match early {
            Some(sent) => Box::pin(std::future::ready(sent)),
            None => publish,
        }
    }
}

/// Takes over what waits in the channel, as far as one message could hold it: what is taken over no longer
/// counts against the channel's limit.
fn refill(jobs: &mut mpsc::Receiver<Job>, waiting: &mut VecDeque<Part>) {
    let mut bytes: usize = waiting.iter().map(|part| part.body.len()).sum();
    while bytes < PACK_BYTES_MAX {
        let Ok(job) = jobs.try_recv() else { return };
        bytes += job.iter().map(|part| part.body.len()).sum::<usize>();
        waiting.extend(job);
    }
}

/// Tells the callers; gives back the error that means the channel is gone.
fn answer(sent: Sent) -> Option<ConnectError> {
    let (outcome, error) = match sent.outcome {
        Ok(Confirmation::Ack(_)) => (Ok(()), None),
        Ok(Confirmation::Nack(_)) => (Err("the broker could not store it, or a queue is full"), None),
        Ok(Confirmation::NotRequested) => (Err("the channel is not in confirm mode"), None),
        Err(error) => (Ok(()), Some(ConnectError::from(error))),
    };
    for caller in sent.callers {
        let told = match (&error, outcome) {
            (Some(_), _) => Err(PublishError::Unreachable),
            (None, outcome) => outcome.map_err(|reason| PublishError::Refused(reason.to_owned())),
        };
        // A caller that gave up meanwhile has answered its sender already.
        let _gone = caller.confirmed.send(told);
    }
    error
}
