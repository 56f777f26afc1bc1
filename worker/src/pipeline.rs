//! The way in: messages are received, decoded, routed and held against the ledger; what is to be told goes to its
//! receiver's outbox, everything else is settled here.
//!
//! A message may carry many envelopes, and an envelope alerts of which only some are to be told. Each is settled on
//! its own; the message is settled once all of its envelopes are.

mod book;
mod hand;
mod intake;
mod onward;
mod recent;
mod routes;
mod window;

use std::sync::Arc;

use futures_util::future::join_all;
use shared::clock::Clock;
use shared::config::DeliveryConfig;
use shared::lifecycle::Lifecycle;
use shared::queue::{Consumer, ParkStep, Publisher, Reason};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tracing::info;

use crate::budget::Budget;
use crate::card::Style;
use crate::cards::Refresher;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::outbox::updates::Updates;
use crate::outbox::{Album, Outbox};
use crate::owner::Owners;
use crate::receiver::{Receiver, Way};
use crate::wordings::Wordings;
pub(crate) use book::Book;
pub(crate) use hand::Parcel;
pub(crate) use intake::Intake;
use intake::Taken;
pub(crate) use intake::events_of;
pub(crate) use onward::{Death, Onward, Parking};
pub(crate) use routes::LiveRoutes;
use window::{Holding, Window};

/// What all parts of the worker share.
pub(crate) struct House<P> {
    pub(crate) onward: Onward<P>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) owners: Arc<Owners>,
    pub(crate) style: Style,
    pub(crate) wordings: Wordings,
    pub(crate) delivery: DeliveryConfig,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    pub(crate) lifecycle: Lifecycle,
    /// Requests to Feishu at once, over all receivers.
    pub(crate) places: Semaphore,
}

/// The way in: receives, decides, and hands what is to be told to its receiver's outbox.
pub(crate) struct Pipeline<P> {
    house: Arc<House<P>>,
    intake: Intake,
    window: Window,
    outboxes: Vec<Handle>,
    running: Vec<JoinHandle<()>>,
}

/// The way to one receiver's outbox.
struct Handle {
    name: String,
    // Unbounded, because what it can hold is bounded by its share of the window.
    parcels: mpsc::UnboundedSender<Parcel>,
    holding: Holding,
}

/// An outbox has ended although nobody told it to.
struct OutboxGone;

impl<P: Publisher> Pipeline<P> {
    /// `refresher` is for receivers that are chats of the app's; `window` is how many messages the queue hands out at
    /// once.
    pub(crate) fn new(
        house: House<P>,
        receivers: Vec<Receiver>,
        intake: Intake,
        refresher: Option<&Arc<Refresher>>,
        window: usize,
    ) -> Self {
        let (house, window) = (Arc::new(house), Window::new(window));
        let (mut outboxes, mut running) = (Vec::new(), Vec::new());
        for receiver in receivers {
            let (parcels, incoming) = mpsc::unbounded_channel();
            let holding = window.holding(house.metrics.waiting_alerts(&receiver.name));
            for bot in receiver.group() {
                house.metrics.broken(&bot.name, false);
            }
            let is_chat = matches!(receiver.way, Way::AppChat(_));
            let album = refresher.filter(|_| is_chat).map(|refresher| {
                let (endings, ended) = mpsc::unbounded_channel();
                let (house, name) = (Arc::clone(&house), receiver.name.clone());
                let updates = Updates::new(house, name, Arc::clone(refresher), ended, parcels.downgrade());
                running.push(updates.start());
                Album { cards: refresher.cards().clone(), endings }
            });
            outboxes.push(Handle { name: receiver.name.clone(), parcels, holding });
            let outbox = Outbox::new(Arc::clone(&house), receiver, incoming, album);
            running.push(house.lifecycle.tasks.spawn(outbox.run()));
        }
        Self { house, intake, window, outboxes, running }
    }

    /// Runs until the consumer is told to stop, then finishes what is in hand.
    pub(crate) async fn run(mut self, mut consumer: impl Consumer) {
        while let Some(deliveries) = consumer.receive().await {
            let taken = self.intake.take(deliveries, &self.house.ledger).await;
            if self.pass_on(taken).await.is_err() {
                // An outbox ends before its sender only by a panic: whoever runs us stops the process.
                return;
            }
            if self.is_alone() {
                // With several receivers each keeps within its share, and nobody waits for another.
                tokio::select! {
                    () = self.house.lifecycle.stop.cancelled() => {}
                    () = self.window.has_room() => {}
                }
            }
        }
        info!("receiving has ended; finishing what is in hand");
        self.outboxes.clear();
        join_all(self.running.drain(..)).await;
        self.house.ledger.finish().await;
    }

    /// Each to its outbox; what is published onwards comes after that, for it may have to wait. Where there are several
    /// receivers, what would take room from the others is parked.
    async fn pass_on(&self, taken: Taken) -> Result<(), OutboxGone> {
        let mut overflow: Vec<Vec<Parcel>> = self.outboxes.iter().map(|_| Vec::new()).collect();
        for (index, siblings, mut parcel) in taken.to_tell {
            let Some(outbox) = self.outboxes.get(index) else { continue };
            let alerts = parcel.envelope.alerts.len();
            parcel.place = if self.is_alone() {
                Some(outbox.holding.place_regardless(siblings, alerts))
            } else {
                outbox.holding.place(siblings, alerts)
            };
            if parcel.place.is_some() {
                outbox.parcels.send(parcel).map_err(|_| OutboxGone)?;
            } else {
                overflow[index].push(parcel);
            }
        }
        for (outbox, parcels) in self.outboxes.iter().zip(overflow) {
            self.park_overflow(&outbox.name, parcels).await;
        }
        self.house.bury_lines(taken.unreadable).await;
        let now = self.house.clock.now();
        let deaths = taken.without_receiver.into_iter().map(|parcel| {
            let tries = parcel.tries.clone().because("no receiver is configured for it");
            let failure = tries.failure(Reason::NoReceiver, "", now);
            Death { parcel, failure, refused: None }
        });
        self.house.bury(deaths.collect()).await;
        Ok(())
    }

    const fn is_alone(&self) -> bool {
        self.outboxes.len() == 1
    }

    async fn park_overflow(&self, receiver: &str, parcels: Vec<Parcel>) {
        let now = self.house.clock.now();
        let parkings = parcels.into_iter().map(|mut parcel| {
            parcel.tries.postponed("many others for this receiver wait before it", now);
            let failure = parcel.tries.failure(Reason::Unavailable, receiver, now);
            Parking { parcel, step: ParkStep::Seconds5, failure, counted: false }
        });
        self.house.park(receiver, parkings.collect()).await;
    }
}
