//! What `escalations` measures: how late people are called when many are to be.

use serde::{Deserialize, Serialize};

use super::range::{OutOfRange, within};

/// The measurement of `escalations`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EscalationLoad {
    /// `escalations`.
    #[serde(rename = "kind")]
    _kind: String,
    pub(crate) rounds: u32,
    /// How many come due; each in a chat of its own, as one push is for all that are due in one.
    pub(crate) count: u32,
    /// Over how long they come due, in seconds.
    pub(crate) seconds: f64,
    /// How long after its card each is due, in seconds.
    pub(crate) after_seconds: u32,
    pub(crate) workers: u32,
    /// How long after the last is due all have to be called.
    pub(crate) settle_seconds: u32,
    /// A goal, in milliseconds.
    pub(crate) p50_ms_max: f64,
}

impl EscalationLoad {
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        within("rounds", self.rounds, 1.0..=100.0)?;
        within("count", self.count, 1.0..=1_000.0)?;
        within("seconds", self.seconds, 0.1..=3_600.0)?;
        within("after_seconds", self.after_seconds, 1.0..=600.0)?;
        within("workers", self.workers, 1.0..=8.0)?;
        within("settle_seconds", self.settle_seconds, 1.0..=600.0)
    }
}
