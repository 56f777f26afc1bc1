//! The way in: messages are received, decoded, routed and held against the ledger; what is to be delivered goes to its
//! receiver's outbox, everything else is settled here.
//!
//! A message may carry many envelopes, and an envelope alerts of which only some are to be delivered. Each is settled on
//! its own; the message is settled once all of its envelopes are.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use model::alert::Alert;
use queue::{Consumer, DeferStep, Delivery, Reason};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{debug, info};

use super::absence::Absence;
use super::card_updates::AppChatCards;
use super::card_updates::Updates;
use super::context::DeliveryContext;
use super::fair_share::{FairShare, Holding};
use super::in_flight::InFlightEnvelope;
use super::intake::Admitted;
use super::intake::Intake;
use super::outbox::Outbox;
use super::requeue::{DeadLetter, Deferred};
use crate::card_store::Refresher;
use crate::receiver::{BotAccess, Receiver};
use crate::test_alert::is_test;

/// How long a state waits for what another worker may be sending, a copy of it or an older one: longer than nearly all
/// requests to Feishu take (`larkfire_feishu_round_trip_seconds`).
const OVERTAKING_PAUSE: Duration = Duration::from_secs(2);

/// Publishes at once of what has no place in hand: what is in them is in hand all the same, and the queue hands out no more
/// than its window.
const OVERFLOWS_MAX: u32 = 16;

/// The way in: receives, decides, and hands what is to be told to its receiver's outbox.
pub(crate) struct Pipeline {
    context: Arc<DeliveryContext>,
    intake: Intake,
    window: FairShare,
    outboxes: Vec<OutboxHandle>,
    running: Vec<JoinHandle<()>>,
    /// By receiver and alert, until when a state of it waits for what another worker may be sending.
    overtaking: HashMap<(usize, String), Instant>,
    /// What has no place in hand is deferred beside the pass, in so many publishes.
    overflows: Arc<Semaphore>,
}

/// The way to one receiver's outbox.
struct OutboxHandle {
    name: String,
    // Unbounded, because what it can hold is bounded by its share of the window.
    envelopes: mpsc::UnboundedSender<InFlightEnvelope>,
    holding: Holding,
    absence: Absence,
}

/// An outbox has ended although nobody told it to.
struct OutboxGone;

impl Pipeline {
    /// `refresher` is for receivers that are chats of the app's; `window` is how many messages the queue hands out at
    /// once.
    pub(crate) fn new(
        context: Arc<DeliveryContext>,
        receivers: Vec<Receiver>,
        intake: Intake,
        refresher: Option<&Arc<Refresher>>,
        window: usize,
    ) -> Self {
        let window = FairShare::new(window);
        context.sender.expect(receivers.iter().flat_map(Receiver::budgets_shown));
        let mut outboxes = Vec::new();
        let mut running = Vec::new();
        for receiver in receivers {
            let (envelopes, incoming) = mpsc::unbounded_channel();
            let holding = window.holding(context.metrics.waiting_alerts(&receiver.name));
            context.oldest.holds(&receiver.name, None);
            for bot in receiver.group() {
                context.metrics.broken(&bot.name, false);
            }
            let is_chat = matches!(receiver.way, BotAccess::AppChat(_));
            let app_chat = refresher.filter(|_| is_chat).map(|refresher| {
                let (endings, ended) = mpsc::unbounded_channel();
                let context = Arc::clone(&context);
                let name = receiver.name.clone();
                let updates =
                    Updates::new(context, name, Arc::clone(refresher), ended, envelopes.downgrade());
                running.push(updates.start());
                AppChatCards { cards: refresher.cards().clone(), endings }
            });
            let absence = Absence::default();
            let name = receiver.name.clone();
            outboxes.push(OutboxHandle { name, envelopes, holding, absence: absence.clone() });
            let outbox = Outbox::new(Arc::clone(&context), receiver, incoming, app_chat, absence);
            running.push(context.lifecycle.tasks.spawn(outbox.run()));
        }
        let overflows = Arc::new(Semaphore::new(OVERFLOWS_MAX as usize));
        Self { context, intake, window, outboxes, running, overtaking: HashMap::new(), overflows }
    }

    /// Runs until the consumer is told to stop, then finishes what is in hand.
    pub(crate) async fn run(mut self, mut consumer: Box<dyn Consumer>) {
        while let Some(deliveries) = self.received(consumer.as_mut()).await {
            let taken = self.intake.take(deliveries, &self.context.ledger, self.context.clock.now()).await;
            if self.pass_on(taken).await.is_err() {
                // An outbox ends before its sender only by a panic: whoever runs us stops the process.
                return;
            }
            if self.is_alone() {
                // With several receivers each keeps within its share, and nobody waits for another.
                tokio::select! {
                    () = self.context.lifecycle.stop.cancelled() => {}
                    () = self.window.has_room() => {}
                }
            }
        }
        info!("receiving has ended; finishing what is in hand");
        self.outboxes.clear();
        join_all(self.running.drain(..)).await;
        // Claims are renewed in what is under way.
        let _all_have_ended = self.overflows.acquire_many(OVERFLOWS_MAX).await;
        self.context.ledger.finish().await;
        tokio::join!(self.context.history.finish(), self.context.sent_cards.finish());
    }

    /// The next messages. While there are none, the queue is known to be empty.
    async fn received(&self, consumer: &mut dyn Consumer) -> Option<Vec<Delivery>> {
        let mut receiving = consumer.receive();
        poll_fn(|context| {
            let received = receiving.as_mut().poll(context);
            if received.is_pending() {
                self.intake.waits();
            }
            received
        })
        .await
    }

    /// Each to its outbox; what is published onwards comes after that, for it may have to wait. Where there are several
    /// receivers, what would take room from the others is deferred.
    async fn pass_on(&mut self, taken: Admitted) -> Result<(), OutboxGone> {
        let mut overflow: Vec<Vec<InFlightEnvelope>> = self.outboxes.iter().map(|_| Vec::new()).collect();
        for (index, siblings, mut in_flight) in taken.to_tell {
            let overtakes = self.overtakes(index, &in_flight);
            let Some(outbox) = self.outboxes.get(index) else { continue };
            let alerts = in_flight.envelope.alerts.len();
            in_flight.place = if self.is_alone() {
                Some(outbox.holding.place_regardless(siblings, alerts))
            } else {
                outbox.holding.place(siblings, alerts)
            };
            if in_flight.place.is_some() && overtakes {
                self.pass_on_later(in_flight, outbox.envelopes.clone());
            } else if in_flight.place.is_some() {
                outbox.envelopes.send(in_flight).map_err(|_| OutboxGone)?;
            } else {
                overflow[index].push(in_flight);
            }
        }
        for (outbox, envelopes) in self.outboxes.iter().zip(overflow) {
            self.defer_overflow(outbox, envelopes).await;
        }
        self.defer(taken.to_defer).await;
        self.context.dead_letter_lines(taken.unreadable).await;
        let now = self.context.clock.now();
        let dead_letters = taken.without_receiver.into_iter().map(|in_flight| {
            let tries = in_flight.tries.clone().because("no receiver is configured for it");
            let failure = tries.failure(Reason::NoReceiver, "", now);
            DeadLetter { in_flight, failure, refused: None }
        });
        self.context.dead_letter(dead_letters.collect()).await;
        Ok(())
    }

    /// Defers what cannot be decided about yet, in steps that end soon after that can be done.
    async fn defer(&self, deferred: Vec<(usize, Timestamp, InFlightEnvelope)>) {
        let now = self.context.clock.now();
        let mut together = BTreeMap::<_, Vec<_>>::new();
        for (index, until, mut in_flight) in deferred {
            let Some(outbox) = self.outboxes.get(index) else { continue };
            let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
            let fits = |step: &DeferStep| step.pause() <= left;
            let short = [DeferStep::Seconds30, DeferStep::Minutes2].into_iter().rfind(fits);
            let step =
                short.unwrap_or(if left.as_secs() < 6 { DeferStep::Seconds5 } else { DeferStep::Seconds30 });
            in_flight.tries.postponed("it fires again so soon after its end that a replica may be late", now);
            let failure = in_flight.tries.failure(Reason::Unavailable, &outbox.name, now);
            let deferral = Deferred { in_flight, step, failure, counted: false };
            together.entry((index, step.pause())).or_default().push(deferral);
        }
        for ((index, _), deferrals) in together {
            self.context.publish_deferrals(&self.outboxes[index].name, deferrals).await;
        }
    }

    /// Whether an envelope has to wait for what another worker may be sending, itself or because an earlier state of one of its
    /// alerts does.
    fn overtakes(&mut self, receiver: usize, in_flight: &InFlightEnvelope) -> bool {
        let now = Instant::now();
        self.overtaking.retain(|_, until| *until > now);
        let key = |alert: &Alert<'_>| (receiver, alert.fingerprint.to_string());
        let is_behind = |alert: &Alert<'_>| self.overtaking.contains_key(&key(alert));
        let alerts = &in_flight.envelope.alerts;
        if !in_flight.overtakes && (self.overtaking.is_empty() || !alerts.iter().any(is_behind)) {
            return false;
        }
        self.overtaking.extend(alerts.iter().map(|alert| (key(alert), now + OVERTAKING_PAUSE)));
        true
    }

    /// After a moment. What is on its way to Feishu by another worker is to be there first, or the older state would be
    /// the last that people see.
    fn pass_on_later(&self, in_flight: InFlightEnvelope, outbox: mpsc::UnboundedSender<InFlightEnvelope>) {
        let id = in_flight.envelope.id;
        debug!(envelope.id = %id, "an envelope waits for what another worker may be sending");
        let stop = self.context.lifecycle.stop.clone();
        self.context.lifecycle.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(OVERTAKING_PAUSE) => {}
            }
            // An outbox ends before its senders only by a panic, which stops the process.
            let _stopping = outbox.send(in_flight);
        });
    }

    const fn is_alone(&self) -> bool {
        self.outboxes.len() == 1
    }

    /// Defers what has no place in hand, beside the pass: whoever else is to be told does not wait for the queue's answer.
    /// While the receiver takes nothing its pauses grow, or a long absence would be spent passing all of it round; they
    /// are ended when it takes a message again (`Publisher::recall`).
    async fn defer_overflow(&self, outbox: &OutboxHandle, envelopes: Vec<InFlightEnvelope>) {
        if envelopes.is_empty() {
            return;
        }
        // The semaphore is never closed.
        let place = Arc::clone(&self.overflows).acquire_owned().await;
        let now = self.context.clock.now();
        let is_away = outbox.absence.is_long(Instant::now());
        let mut by_step = BTreeMap::<DeferStep, Vec<Deferred>>::new();
        for mut in_flight in envelopes {
            in_flight.tries.postponed("many others for this receiver wait before it", now);
            // An operator waits for what becomes of these.
            let is_asked_for = is_test(&in_flight.envelope) || in_flight.headers.replay.is_some();
            let grows = is_away && !is_asked_for;
            let step = if grows { in_flight.tries.step() } else { DeferStep::Seconds5 };
            let failure = in_flight.tries.failure(Reason::Unavailable, &outbox.name, now);
            by_step.entry(step).or_default().push(Deferred { in_flight, step, failure, counted: grows });
        }
        let context = Arc::clone(&self.context);
        let receiver = outbox.name.clone();
        self.context.lifecycle.tasks.spawn(async move {
            for deferrals in by_step.into_values() {
                context.publish_deferrals(&receiver, deferrals).await;
            }
            drop(place);
        });
    }
}
