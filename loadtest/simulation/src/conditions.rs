//! What is wrong at the moment. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

/// Something that is wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Condition {
    /// Requests to this bot reach nobody.
    FeishuAway(usize),
    /// This bot's answers come after the caller's patience.
    FeishuSlow(usize),
    /// This bot accepts, and some answers are lost.
    FeishuLosesAnswers(usize),
    /// This bot says to slow down.
    FeishuThrottles(usize),
    /// This bot answers with what is on no list, or a gateway answers in its place.
    FeishuUnknown(usize),
    /// This bot answers with errors of the server.
    FeishuErrors(usize),
    /// This bot was removed.
    FeishuBroken(usize),
    /// The broker cannot be reached.
    BrokerAway,
    /// Confirms come after the caller's patience.
    LateConfirms,
    /// Some of what is published to the retry queues is refused.
    Nacks,
    /// The broker, or the disk, takes seconds for everything.
    SlowBroker,
    /// The database cannot be reached.
    DatabaseAway,
    /// The database takes its time, often more than the caller has.
    DatabaseSlow,
    /// Nothing gets to the database, or nothing back from it, and then all of it at once.
    DatabaseHangs,
    /// The database does what it is told, and some of its answers are lost.
    DatabaseLosesAnswers,
    /// The database refuses now and then (deadlock, error 1020, read-only).
    DatabaseErrors,
}

/// Until when each holds.
#[derive(Debug, Default)]
pub(crate) struct Conditions(BTreeMap<Condition, Duration>);

impl Conditions {
    pub(crate) fn holds(&self, condition: Condition, now: Duration) -> bool {
        self.0.get(&condition).is_some_and(|until| now < *until)
    }

    pub(crate) fn begin(&mut self, condition: Condition, until: Duration) {
        let held = self.0.entry(condition).or_default();
        *held = (*held).max(until);
    }
}
