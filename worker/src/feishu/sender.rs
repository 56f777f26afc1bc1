//! The one way of everything that people see: cards, updates of cards, and replies. A call takes its slots of the budgets,
//! waits for a place among the requests that are made at once, is made once, and is counted; where Feishu says to slow
//! down, the budget that was overdrawn is held for the whole fleet. When to try again is decided by whoever calls.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::app_bot::Sent;
use super::limits::{CallBudget, overdrawn};
use super::metrics::FeishuMetrics;
use super::verdict::{Trouble, Verdict};
use crate::budget::{Budget, SendSlot};

/// Where a call is for nobody that is configured.
pub(crate) const NO_RECEIVER: &str = "";

/// Sends to Feishu, for all parts of the worker.
#[derive(Debug)]
pub(crate) struct Sender {
    budget: Arc<Budget>,
    /// Requests at once, over all receivers.
    places: Semaphore,
    metrics: FeishuMetrics,
}

impl Sender {
    /// With so many requests at once.
    pub(crate) fn new(budget: Arc<Budget>, at_once: usize, metrics: FeishuMetrics) -> Self {
        let places = Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS));
        Self { budget, places, metrics }
    }

    /// Counts what is sent for these receivers from now on, and how much of their budgets is left. `shown` are their names, those
    /// of their bots among them, each with the budget that is the tightest.
    pub(crate) fn expect<'n>(&self, shown: impl Iterator<Item = (&'n str, &'n CallBudget)>) {
        // Replies to people are for no receiver.
        self.metrics.expect(NO_RECEIVER);
        for (name, budget) in shown {
            self.metrics.expect(name);
            self.budget.watch(name, &budget.name, budget.limits);
        }
    }

    /// Books the next slot of a budget: for whoever waits for it in a way of its own.
    pub(crate) async fn book(&self, budget: &CallBudget) -> SendSlot {
        self.budget.reserve(&budget.name, budget.limits).await
    }

    /// Takes a slot of a budget if one is free now.
    pub(crate) async fn take(&self, budget: &CallBudget) -> SendSlot {
        self.budget.reserve_now(&budget.name, budget.limits).await
    }

    /// Books a slot of a budget and waits for it; or says for how long it would be in vain to ask again.
    pub(crate) async fn wait_for(&self, budget: &CallBudget) -> Result<(), Duration> {
        match self.book(budget).await {
            SendSlot::Reserved { wait } => {
                sleep(wait).await;
                Ok(())
            }
            SendSlot::AskAgain { after } => Err(after),
        }
    }

    /// Takes a slot of each of these budgets once all of them have one to spare; or says that this takes longer than
    /// `patience`. Nothing is booked ahead: whatever comes meanwhile and books, as cards do, goes first.
    pub(crate) async fn spare(&self, budgets: &[CallBudget], patience: Duration) -> bool {
        let until = Instant::now() + patience;
        for budget in budgets {
            while let SendSlot::AskAgain { after } = self.take(budget).await {
                if Instant::now() + after > until {
                    return false;
                }
                sleep(after).await;
            }
        }
        true
    }

    /// Makes a call for a receiver once, as soon as there is a place, and counts what came of it. It has taken from `budgets`; one that
    /// was overdrawn is held for as long as `pause` says, by what Feishu said and how long it asked to wait.
    pub(crate) async fn send<A: Into<Sent>>(
        &self,
        receiver: &str,
        budgets: &[CallBudget],
        call: impl Future<Output = A>,
        pause: impl FnOnce(&Trouble, Option<Duration>) -> Duration,
    ) -> Sent {
        let sent = {
            // The semaphore is never closed; without it the call is made all the same.
            let _place = self.places.acquire().await;
            let timer = self.metrics.round_trip.start_timer();
            let sent: Sent = call.await.into();
            timer.observe_duration();
            sent
        };
        self.metrics.answered(receiver, &sent.verdict);
        if let Verdict::SlowDown { hint, trouble } = &sent.verdict {
            let pause = pause(trouble, *hint);
            // The others that send there need not find out by themselves.
            if let Some(budget) = overdrawn(budgets, trouble) {
                self.budget.hold(&budget.name, pause).await;
            }
        }
        sent
    }
}
