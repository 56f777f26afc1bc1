//! When what is deferred returns to the alerts: once it is due, or before, where its receiver takes messages again; and no
//! faster than the workers take it, so that what is new does not wait behind all of it. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::request::RecallRequest;

/// Alerts that lie ready and keep what is deferred from returning: as many as return in one transaction.
const READY_MAX: i64 = 1_000;
/// After so long some returns however much lies ready.
const RETURNED_EVERY: Duration = Duration::from_secs(1);

/// What returns next.
#[derive(Debug)]
pub(super) struct Returns {
    /// When the next deferred message is due; there is no timer without one.
    next_due: Option<Timestamp>,
    recalls: VecDeque<Recall>,
    returned_at: Option<Instant>,
}

/// The deferred messages of a receiver that are returned early.
#[derive(Clone, Debug)]
pub(super) struct Recall {
    pub(super) receiver: String,
    /// The first id that was not looked at.
    pub(super) from: i64,
    /// The last id there was when it began; `None` before that is known. What is deferred after that keeps its pause.
    pub(super) up_to: Option<i64>,
}

impl Returns {
    pub(super) const fn new(next_due: Option<Timestamp>) -> Self {
        Self { next_due, recalls: VecDeque::new(), returned_at: None }
    }

    /// The next deferred message is due then.
    pub(super) const fn is_next_due(&mut self, next_due: Option<Timestamp>) {
        self.next_due = next_due;
    }

    /// Whether anything has a time at which it returns.
    pub(super) const fn has_due(&self) -> bool {
        self.next_due.is_some()
    }

    /// What has a time at which it returns has it earlier.
    pub(super) fn bring_forward(&mut self, by: SignedDuration) {
        self.next_due = self.next_due.map(|due| due - by);
    }

    /// Those of a receiver are to return early.
    pub(super) fn recall(&mut self, RecallRequest { receiver }: RecallRequest) {
        self.recalls.retain(|recall| recall.receiver != receiver);
        self.recalls.push_back(Recall { receiver, from: 0, up_to: None });
    }

    /// Whose are to return early next.
    pub(super) fn recalled(&mut self) -> Option<&mut Recall> {
        self.recalls.front_mut()
    }

    /// All of those have returned.
    pub(super) fn end_recall(&mut self) {
        self.recalls.pop_front();
    }

    /// Some have returned.
    pub(super) fn returned(&mut self, now: Instant) {
        self.returned_at = Some(now);
    }

    /// Whether some are due.
    pub(super) fn are_due(&self, clock: Timestamp) -> bool {
        self.next_due.is_some_and(|due| due <= clock)
    }

    /// How long to keep what could return, where so many alerts lie ready.
    pub(super) fn held_back(&self, ready: i64, now: Instant) -> Duration {
        let Some(before) = self.returned_at.filter(|_| ready >= READY_MAX) else { return Duration::ZERO };
        RETURNED_EVERY.saturating_sub(now.saturating_duration_since(before))
    }

    /// When there is something to do; `None` with nothing deferred: an idle process sleeps.
    pub(super) fn time_to_next(&self, ready: i64, clock: Timestamp, now: Instant) -> Option<Duration> {
        let due = self.next_due.map(|due| Duration::try_from(due.duration_since(clock)).unwrap_or_default());
        let next = if self.recalls.is_empty() { due? } else { Duration::ZERO };
        Some(next.max(self.held_back(ready, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_deferred_returns_slowly_while_much_lies_ready() {
        let clock = Timestamp::UNIX_EPOCH;
        let mut returns = Returns::new(Some(clock));
        let next = |returns: &Returns, ready| returns.time_to_next(ready, clock, Instant::now());
        assert_eq!(next(&returns, READY_MAX), Some(Duration::ZERO), "nothing has returned lately");
        returns.returned(Instant::now());
        assert_eq!(next(&returns, READY_MAX), Some(RETURNED_EVERY));
        assert_eq!(next(&returns, READY_MAX - 1), Some(Duration::ZERO));
        returns.is_next_due(None);
        assert_eq!(next(&returns, READY_MAX), None);
        returns.recall(RecallRequest { receiver: "ops".to_owned() });
        assert_eq!(next(&returns, 0), Some(Duration::ZERO));
        returns.end_recall();
        assert_eq!(next(&returns, 0), None);
    }
}
