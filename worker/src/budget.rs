//! The right to send a card to a receiver now, kept by the whole fleet together: one row per receiver in the
//! database, one statement per card. While the database is away each worker takes a share it knows to be safe.

pub mod fleet;
pub mod gcra;
mod lateness;
mod metrics;
pub mod rates;
mod share;
#[cfg(test)]
mod tests;
mod turns;
mod watched;
pub mod workers;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use config::ReceiverConfig;
use prometheus::Registry;
use runtime::clock::Clock;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::store::Store;
use fleet::FleetAnswer;
use lateness::{AnswerTime, AnswerTimes};
use metrics::BudgetMetrics;
use rates::Rates;
use share::{BudgetShare, ShareGuard};
use watched::WatchedBudget;
pub(crate) use workers::workers_seen;
use workers::{MAKE_KNOWN_EVERY, Workers};

/// How far ahead a slot is given away. Whoever would have to wait longer asks again instead: a slot that is far
/// away is lost with the worker that waits for it, and a hold comes too late for it.
pub const RESERVE_AHEAD_MAX: Duration = Duration::from_millis(gcra::RESERVE_AHEAD_MS.unsigned_abs());
/// How long one word of Feishu can silence a receiver. It names no time itself, and its windows are a minute.
pub const HOLD_MAX: Duration = Duration::from_millis(gcra::HOLD_MAX_MS.unsigned_abs());
/// The shortest pause between two questions of one that has to ask again.
const ASK_AGAIN_MIN: Duration = Duration::from_millis(50);

/// What a receiver takes, as it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Cards in any minute.
    pub per_minute: u32,
    /// Cards in any second.
    pub per_second: u32,
}

/// When a card may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SendSlot {
    /// After `wait`, which is zero in calm times. It has to be used then: later it may be one too many.
    Reserved {
        /// From now on; at most [`RESERVE_AHEAD_MAX`].
        wait: Duration,
    },
    /// Not soon, and nothing is reserved: what waits is to be asked for again.
    AskAgain {
        /// Before that the answer would be the same.
        after: Duration,
    },
}

/// The budgets of all receivers.
#[derive(Debug)]
pub struct Budget {
    store: Store,
    clock: Clock,
    workers: Workers,
    /// One entry per receiver that is configured.
    shares: Mutex<HashMap<String, BudgetShare>>,
    /// Of whatever the database is asked here.
    answers: Mutex<AnswerTimes>,
    /// Those of which it is shown what is left.
    watched: Mutex<Vec<WatchedBudget>>,
    metrics: BudgetMetrics,
}

impl From<&ReceiverConfig> for Limits {
    fn from(receiver: &ReceiverConfig) -> Self {
        Self { per_minute: receiver.cards_per_minute, per_second: receiver.cards_per_second }
    }
}

impl Budget {
    /// Budgets kept in `store`. `clock` is the time of a `SQLite` file, whose users share a machine; a server has a
    /// clock of its own, which is everybody's.
    pub fn new(store: Store, clock: Clock, registry: &Registry) -> prometheus::Result<Self> {
        let workers = Workers::new(&store);
        let metrics = BudgetMetrics::register(registry)?;
        Ok(Self {
            store,
            clock,
            workers,
            shares: Mutex::default(),
            answers: Mutex::default(),
            watched: Mutex::default(),
            metrics,
        })
    }

    /// Says every few seconds that this worker is there, how many are, and what is left of the budgets, until the stop.
    pub(crate) async fn keep_known(self: Arc<Self>, stop: CancellationToken) {
        loop {
            self.make_known().await;
            self.show_left().await;
            if stop.run_until_cancelled(sleep(MAKE_KNOWN_EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// Says once that this worker is there.
    pub async fn make_known(&self) {
        let asked = Instant::now();
        let at_ms = self.workers.make_known(&self.store).await;
        self.lateness(asked, at_ms);
    }

    /// Reserves the next free slot of one of the configuration's receivers and says how long to wait for it. One
    /// round trip; none at all while the receiver is held.
    pub async fn reserve(&self, receiver: &str, limits: Limits) -> SendSlot {
        self.reserve_within(receiver, limits, RESERVE_AHEAD_MAX).await
    }

    /// The same, for whoever can ask another: a slot is reserved only if it is now.
    pub async fn reserve_now(&self, receiver: &str, limits: Limits) -> SendSlot {
        self.reserve_within(receiver, limits, Duration::ZERO).await
    }

    async fn reserve_within(&self, receiver: &str, limits: Limits, ahead: Duration) -> SendSlot {
        let rates = Rates::below(limits);
        if let Some(after) = self.share(receiver, |share| share.closed(Instant::now())) {
            return SendSlot::AskAgain { after };
        }
        let asked = Instant::now();
        // The store has counted and logged a failure; here it only decides who keeps the budget.
        let Ok(FleetAnswer { wait_ms, at_ms }) =
            fleet::reserve(&self.store, &self.clock, receiver, rates, ahead).await
        else {
            return self.reserve_alone(receiver, limits, ahead);
        };
        let lateness = self.lateness(asked, at_ms);
        let wait = Duration::from_millis(wait_ms);
        if wait > ahead {
            let after = wait.saturating_sub(ahead).saturating_sub(lateness).max(ASK_AGAIN_MIN);
            return SendSlot::AskAgain { after };
        }
        if let Some(wait) = lateness::left_of(wait, lateness) {
            self.share(receiver, |share| share.follow(Instant::now() + wait));
            self.metrics.fleet.inc();
            return SendSlot::Reserved { wait };
        }
        self.metrics.late.inc();
        // Whoever is late twice in a row does as if the database were away: where it is always slow, nobody is silent.
        if self.share(receiver, BudgetShare::may_ask_again) {
            SendSlot::AskAgain { after: ASK_AGAIN_MIN }
        } else {
            self.reserve_alone(receiver, limits, ahead)
        }
    }

    /// How late an answer came that the database gave at this time; it is not late where nobody knows.
    fn lateness(&self, asked: Instant, at_ms: Option<i64>) -> Duration {
        let Some(at_ms) = at_ms else { return Duration::ZERO };
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.lateness(AnswerTime { asked, answered: Instant::now(), at_ms })
    }

    /// Feishu said to slow down: nobody asks for a slot of this receiver successfully before `pause` is over, and
    /// then there is no burst. A hold is never shortened by another one, and none is longer than [`HOLD_MAX`].
    /// Slots that were reserved before stay: they are at most [`RESERVE_AHEAD_MAX`] away.
    pub async fn hold(&self, receiver: &str, pause: Duration) {
        let pause = pause.min(HOLD_MAX);
        self.metrics.holds.inc();
        // Here first: it is to work without the database as well.
        self.share(receiver, |share| share.hold(Instant::now() + pause));
        // A failure is the store's to tell: the other workers will hear the same from Feishu.
        let _ = fleet::hold(&self.store, &self.clock, receiver, pause).await;
    }

    fn reserve_alone(&self, receiver: &str, limits: Limits, ahead: Duration) -> SendSlot {
        let now = Instant::now();
        let place = self.workers.place(now);
        let now_ms = self.workers.time_ms(now, self.clock.now().as_millisecond());
        let spacing = Rates::below(limits).spacing();
        let spacing_ms = i64::try_from(spacing.as_millis()).unwrap_or(i64::MAX);
        let turn = |at: Instant| {
            let at_ms = now_ms.saturating_add(i64::try_from((at - now).as_millis()).unwrap_or(i64::MAX));
            Duration::from_millis(turns::wait_ms(at_ms, place, limits.per_second, spacing_ms).unsigned_abs())
        };
        let part = ShareGuard { spacing: spacing.saturating_mul(place.count), is_shared: place.count > 1 };
        match self.share(receiver, |share| share.take(now, part, ahead, turn)) {
            Ok(wait) => {
                self.metrics.local.inc();
                SendSlot::Reserved { wait }
            }
            Err(after) => SendSlot::AskAgain { after: after.max(ASK_AGAIN_MIN) },
        }
    }

    fn share<T>(&self, receiver: &str, change: impl FnOnce(&mut BudgetShare) -> T) -> T {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        change(shares.entry(receiver.to_owned()).or_default())
    }
}
