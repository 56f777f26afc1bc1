//! Moves dead letters from the queue into the database. A message is settled once its letters are written: while the
//! database is away they stay where they are, on the queue.

use std::collections::VecDeque;
use std::time::Duration;

use queue::{Consumer, Delivery, Reason};
use runtime::lifecycle::Lifecycle;
use runtime::retry::{Pauses, RetryPolicy};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};
use tracing::{error, warn};

use super::record::{DeadLetterRecord, split};
use super::{DeadLetters, ReplayOutcome};
use crate::metrics::{Metrics, Outcome};

/// How often the gauge is brought up to date while letters wait: an operator's command runs in another process.
const COUNT_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked for what was kept long enough.
/// Messages settled together, once the letters in all of them are written.
const MESSAGES_TOGETHER_MAX: usize = 20;

/// The task and what it needs.
pub struct Mover {
    letters: DeadLetters,
    /// What the whole worker counts.
    worker: Metrics,
    lifecycle: Lifecycle,
    /// Whether the gauge shows what was counted, and nothing waited then.
    is_none_waiting: bool,
}

impl Mover {
    /// Into these letters; what the broker has given up counts as an outcome of this worker.
    pub const fn new(letters: DeadLetters, worker: Metrics, lifecycle: Lifecycle) -> Self {
        Self { letters, worker, lifecycle, is_none_waiting: false }
    }

    /// Moves letters until the consumer is told to stop. While the database is away none are taken: on the queue they
    /// wait for as long as it takes, and a broker gives up what was in the hands of too many workers that were killed.
    pub async fn run(mut self, mut consumer: Box<dyn Consumer>) {
        let mut to_count = every(COUNT_EVERY);
        let stop = self.lifecycle.stop.clone();
        let mut pauses = RetryPolicy::RECONNECT.pauses();
        let first = consumer.pause(Box::pin(async {
            if !self.answers().await {
                self.wait_for_database(&mut pauses).await;
            }
        }));
        if stop.run_until_cancelled(first).await.is_none() {
            return;
        }
        let mut unmoved = None::<Vec<Delivery>>;
        loop {
            if let Some(unmoved) = unmoved.take() {
                let back = consumer.pause(Box::pin(async {
                    // Not before nothing more is taken: it would come again at once.
                    drop(unmoved);
                    self.wait_for_database(&mut pauses).await;
                }));
                if stop.run_until_cancelled(back).await.is_none() {
                    return;
                }
            }
            tokio::select! {
                biased;
                received = consumer.receive() => match received {
                    Some(deliveries) => match Box::pin(self.take(deliveries)).await {
                        Ok(()) => pauses = RetryPolicy::RECONNECT.pauses(),
                        Err(left) => unmoved = Some(left),
                    },
                    None => return,
                },
                _ = to_count.tick(), if !self.is_none_waiting => self.count().await,
            }
        }
    }

    /// Writes what is in the messages and settles them. Those that could not be written are given back.
    async fn take(&mut self, deliveries: Vec<Delivery>) -> Result<(), Vec<Delivery>> {
        let mut waiting = VecDeque::from(deliveries);
        let mut unmoved = Vec::new();
        let mut together_max = MESSAGES_TOGETHER_MAX;
        while !waiting.is_empty() {
            let together: Vec<_> = waiting.drain(..together_max.min(waiting.len())).collect();
            let now = self.letters.clock.now();
            let split = |delivery: &Delivery| split(&delivery.body, &delivery.headers, now);
            let records: Vec<_> = together.iter().flat_map(split).collect();
            match self.letters.keep(&records).await {
                Ok(()) => self.settle(together, &records),
                // Whatever it has against one of them, the others are not to wait for that.
                Err(error) if error.is_refusal() && together.len() > 1 => {
                    together_max = 1;
                    waiting = together.into_iter().chain(waiting).collect();
                }
                Err(error) => {
                    warn!(
                            letters = records.len(), %error,
                    "dead letters stay on the queue until the database takes them"
                        );
                    unmoved.extend(together);
                    if !error.is_refusal() {
                        unmoved.extend(waiting);
                        return Err(unmoved);
                    }
                }
            }
        }
        self.count().await;
        if unmoved.is_empty() { Ok(()) } else { Err(unmoved) }
    }

    fn settle(&self, deliveries: Vec<Delivery>, records: &[DeadLetterRecord]) {
        for delivery in deliveries {
            // If nobody hears it, it is delivered again and found written already.
            delivery.settle();
        }
        self.letters.metrics.kept.inc_by(records.len() as u64);
        for record in records {
            self.say(record);
        }
    }

    /// Until it answers, and at least for a pause: it may answer and not take what it was given last.
    async fn wait_for_database(&self, pauses: &mut Pauses) {
        loop {
            sleep(
                pauses.after_failure(runtime::entropy::random(), None).unwrap_or(RetryPolicy::RECONNECT.cap),
            )
            .await;
            if self.answers().await {
                return;
            }
        }
    }

    async fn answers(&self) -> bool {
        self.letters.waiting().await.is_ok()
    }

    /// What the pipeline has dead-lettered was counted and said by it; what the broker has given up is heard of only here.
    fn say(&self, record: &DeadLetterRecord) {
        let reason = record.failure.reason;
        let message = &record.failure.message;
        if record.replay.is_some() {
            self.letters.metrics.replayed(ReplayOutcome::DeadLetteredAgain);
        }
        if reason != Reason::Undeliverable {
            return;
        }
        self.worker.dead(reason);
        self.worker.ended(Outcome::DeadLettered, record.alerts as u64);
        let envelope = record.envelope.map(tracing::field::display);
        error!(
            envelope.id = envelope,
            alerts = record.alerts,
            reason = reason.as_str(),
            error = message,
            "a message went to the dead letters"
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
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
