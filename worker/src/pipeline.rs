//! The life of an envelope: received, decoded, given to its receiver's lane, told, and settled.
//!
//! A message may carry many envelopes. Each is settled on its own: told, published onwards to be tried again or to
//! the dead letters, or given back. The message is settled once all of its envelopes are.

mod hand;
mod lane;
mod onward;
mod tries;
mod weather;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use shared::clock::Clock;
use shared::config::DeliveryConfig;
use shared::envelope::{Envelope, decode, lines};
use shared::lifecycle::Lifecycle;
use shared::queue::{Consumer, Delivery, Headers, ParkStep, Publisher, Reason};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::info;

use crate::card::Style;
use crate::metrics::Metrics;
use crate::receiver::Receiver;
use crate::routing;
use hand::{Parcel, Share};
use lane::Lane;
pub(crate) use onward::Onward;
use tries::Tries;

/// Envelopes that wait in one receiver's lane. Where there are other receivers, what finds no place here is parked,
/// so that nobody waits behind somebody else's backlog.
const LANE_ENVELOPES_MAX: usize = 64;

/// What all lanes share.
pub(crate) struct House<P> {
    pub(crate) onward: Onward<P>,
    pub(crate) style: Style,
    pub(crate) delivery: DeliveryConfig,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    pub(crate) lifecycle: Lifecycle,
    /// Requests to Feishu at once, over all receivers.
    pub(crate) places: Semaphore,
}

/// The way in: receives, decodes, and hands each envelope to its receiver's lane.
pub(crate) struct Pipeline<P> {
    house: Arc<House<P>>,
    names: Vec<String>,
    lanes: Vec<mpsc::Sender<Parcel>>,
    running: Vec<JoinHandle<()>>,
}

impl<P: Publisher> Pipeline<P> {
    pub(crate) fn new(house: House<P>, receivers: Vec<Receiver>) -> Self {
        let house = Arc::new(house);
        let names = receivers.iter().map(|receiver| receiver.name.clone()).collect();
        let (mut lanes, mut running) = (Vec::new(), Vec::new());
        for receiver in receivers {
            let (lane, parcels) = mpsc::channel(LANE_ENVELOPES_MAX);
            lanes.push(lane);
            running.push(house.lifecycle.tasks.spawn(Lane::new(Arc::clone(&house), receiver).run(parcels)));
        }
        Self { house, names, lanes, running }
    }

    /// Runs until the consumer is told to stop, then finishes what is in hand.
    pub(crate) async fn run(mut self, mut consumer: impl Consumer) {
        while let Some(deliveries) = consumer.receive().await {
            let taken_at = Instant::now();
            for delivery in deliveries {
                if self.take_in(delivery, taken_at).await.is_err() {
                    // A lane ends before its sender only by a panic: whoever runs us stops the process.
                    return;
                }
            }
        }
        info!("receiving has ended; finishing what is in hand");
        self.lanes.clear();
        join_all(self.running.drain(..)).await;
    }

    async fn take_in(&self, delivery: Delivery, taken_at: Instant) -> Result<(), LaneGone> {
        let (body, headers) = (delivery.body.clone(), delivery.headers.clone());
        // An empty message is taken for one empty line: nobody publishes it, so somebody should know of it.
        let lines: Vec<_> = if body.is_empty() { vec![&body[..]] } else { lines(&body).collect() };
        let shares = Share::of(delivery, lines.len(), &self.house.metrics.in_flight);
        for (line, share) in lines.into_iter().zip(shares) {
            let line = body.slice_ref(line);
            match decode(&line).map(Envelope::into_owned) {
                Ok(envelope) => {
                    let headers = headers.clone();
                    self.pass_on(Parcel { envelope, line, headers, taken_at, share }).await?;
                }
                Err(error) => self.set_aside(line, &headers, &error.to_string(), share).await,
            }
        }
        Ok(())
    }

    /// To the lane of its receiver. A full lane is waited for if it is the only one; else the envelope is parked.
    async fn pass_on(&self, parcel: Parcel) -> Result<(), LaneGone> {
        let receiver = routing::choose(&parcel.envelope.receiver, &self.names);
        let Some((lane, name)) = receiver.and_then(|index| self.lanes.get(index).zip(self.names.get(index)))
        else {
            let tries = Tries::of(&parcel.headers).because("no receiver is configured for it");
            let failure = tries.failure(Reason::NoReceiver, "", self.house.clock.now());
            self.house.bury(parcel, failure).await;
            return Ok(());
        };
        if self.lanes.len() == 1 {
            return lane.send(parcel).await.map_err(|_| LaneGone);
        }
        match lane.try_send(parcel) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(LaneGone),
            Err(TrySendError::Full(parcel)) => {
                let now = self.house.clock.now();
                let mut tries = Tries::of(&parcel.headers);
                tries.postponed("many others for this receiver wait before it", now);
                let failure = tries.failure(Reason::Unavailable, name, now);
                self.house.park(parcel, ParkStep::Seconds5, failure, false).await;
                Ok(())
            }
        }
    }

    /// A line that is no envelope of ours goes to the dead letters as it is.
    async fn set_aside(&self, line: Bytes, headers: &Headers, why: &str, share: Share) {
        let failure =
            Tries::of(headers).because(why).failure(Reason::Undecodable, "", self.house.clock.now());
        self.house.bury_line(line, headers, failure, share).await;
    }
}

/// A lane has ended although nobody told it to.
struct LaneGone;
