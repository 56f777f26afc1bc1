//! Whether the queue can store: said in the log when it changes, and shown by `/readyz`.

use std::time::Duration;

use runtime::lifecycle::Condition;
use tokio::time::Instant;
use tracing::{error, info};

/// How often what failed is tried again, if nothing else asks for it.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The keeper's memory of what went wrong.
pub(crate) struct Health {
    ready: Condition,
    /// Something failed and was reported; nothing has been stored since.
    failing: bool,
    /// Something failed in this round.
    failed_now: bool,
    next_try: Instant,
}

impl Health {
    pub(crate) fn new(ready: Condition) -> Self {
        Self { ready, failing: false, failed_now: false, next_try: Instant::now() }
    }

    pub(super) const fn is_failing(&self) -> bool {
        self.failing
    }

    /// Something failed. Said once, however often it is tried.
    pub(super) fn failed(&mut self, error: &sqlx::Error) {
        self.failed_now = true;
        if !std::mem::replace(&mut self.failing, true) {
            self.next_try = Instant::now() + RETRY_PAUSE;
            error!(%error, "the queue's file cannot be used; trying for ever");
        }
    }

    /// Something was stored: a deletion alone proves nothing, it makes its own room.
    pub(super) fn stored(&mut self) {
        if !self.failed_now && std::mem::take(&mut self.failing) {
            info!("the queue's file can be used again");
        }
    }

    /// Ends a round; `may_store` is whether publishes are tried at all.
    pub(super) fn end_round(&mut self, may_store: bool) {
        self.failed_now = false;
        self.ready.set(may_store && !self.failing);
    }

    /// Whether it is time to try again.
    pub(super) fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let due = now >= self.next_try;
        if due {
            self.next_try = now + RETRY_PAUSE;
        }
        due
    }

    pub(super) fn time_to_next_try(&self) -> Duration {
        self.next_try.saturating_duration_since(Instant::now())
    }
}
