//! Moves dead letters from the queue into the database. A message is settled once its letters are written: while the
//! database is away they stay where they are, on the queue.

use std::time::Duration;

use shared::lifecycle::Lifecycle;
use shared::queue::{Consumer, Delivery, Reason};
use shared::retry::RetryPolicy;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::burial::{Burial, split};
use super::{DeadLetters, ReplayOutcome, clean};
use crate::metrics::{Metrics, Outcome};

/// How often the gauge is brought up to date while letters wait: an operator's command runs in another process.
const COUNT_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked for what was kept long enough.
const CLEAN_EVERY: Duration = Duration::from_hours(1);
/// Messages settled together, once the letters in all of them are written.
const MESSAGES_TOGETHER_MAX: usize = 20;

/// The task and what it needs.
pub(crate) struct Mover {
    letters: DeadLetters,
    /// What the whole worker counts.
    worker: Metrics,
    lifecycle: Lifecycle,
    /// Whether the gauge shows what was counted, and nothing waited then.
    is_none_waiting: bool,
}

impl Mover {
    pub(crate) const fn new(letters: DeadLetters, worker: Metrics, lifecycle: Lifecycle) -> Self {
        Self { letters, worker, lifecycle, is_none_waiting: false }
    }

    /// Moves letters until the consumer is told to stop.
    pub(crate) async fn run(mut self, mut consumer: impl Consumer) {
        let (mut to_count, mut to_clean) = (every(COUNT_EVERY), every(CLEAN_EVERY));
        loop {
            tokio::select! {
                biased;
                received = consumer.receive() => match received {
                    Some(deliveries) => Box::pin(self.take(deliveries)).await,
                    None => return,
                },
                _ = to_count.tick(), if !self.is_none_waiting => self.count().await,
                _ = to_clean.tick() => self.clean().await,
            }
        }
    }

    /// Writes what is in the messages and settles them. What is not written is given back at the stop, by the drop.
    async fn take(&mut self, mut deliveries: Vec<Delivery>) {
        while !deliveries.is_empty() {
            let rest = deliveries.split_off(deliveries.len().min(MESSAGES_TOGETHER_MAX));
            let now = self.letters.clock.now();
            let split = |delivery: &Delivery| split(&delivery.body, &delivery.headers, now);
            let burials: Vec<_> = deliveries.iter().flat_map(split).collect();
            if !self.keep(&burials).await {
                return;
            }
            for delivery in deliveries {
                // If nobody hears it, it is delivered again and found written already.
                delivery.settle();
            }
            self.letters.metrics.kept.inc_by(burials.len() as u64);
            for burial in &burials {
                self.say(burial);
            }
            deliveries = rest;
        }
        self.count().await;
    }

    /// Until they are written; `false` if it is time to stop before.
    async fn keep(&self, burials: &[Burial]) -> bool {
        let mut pauses = RetryPolicy::RECONNECT.pauses();
        loop {
            let Err(error) = self.letters.keep(burials).await else { return true };
            let pause = pauses.after_failure(rand::random(), None).unwrap_or(RetryPolicy::RECONNECT.cap);
            warn!(
                letters = burials.len(), %error, wait_ms = pause.as_millis(),
                "{} dead letters stay on the queue until the database takes them: {error}", burials.len()
            );
            tokio::select! {
                biased;
                () = self.lifecycle.stop.cancelled() => return false,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// What the pipeline has buried was counted and said by it; what the broker has given up is heard of only here.
    fn say(&self, burial: &Burial) {
        let (reason, message) = (burial.failure.reason, &burial.failure.message);
        if burial.replay.is_some() {
            self.letters.metrics.replayed(ReplayOutcome::DeadAgain);
        }
        if reason != Reason::Undeliverable {
            return;
        }
        self.worker.dead(reason);
        self.worker.ended(Outcome::Dead, burial.alerts as u64);
        let envelope = burial.envelope.map(tracing::field::display);
        error!(
            envelope.id = envelope,
            alerts = burial.alerts,
            reason = reason.as_str(),
            "a message of {} alerts went to the dead letters ({}): {message}",
            burial.alerts,
            reason.as_str()
        );
    }

    async fn count(&mut self) {
        match self.letters.waiting().await {
            Ok(waiting) => {
                self.letters.metrics.waiting.set(waiting);
                self.is_none_waiting = waiting == 0;
            }
            // Counted again at the next tick.
            Err(_) => self.is_none_waiting = false,
        }
    }

    async fn clean(&self) {
        match self.letters.clean().await {
            Ok(0) => {}
            Ok(deleted) => info!(
                letters = deleted,
                "forgot {deleted} dead letters that were replayed or discarded {} days ago",
                clean::SETTLED_KEPT.as_secs() / 86_400
            ),
            Err(error) => warn!(%error, "old dead letters are kept a little longer: {error}"),
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
