//! What `idle` measures: the one-machine binary with nothing to do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::range::{OutOfRange, within};

/// The measurement of `idle`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Idle {
    /// `idle`.
    #[serde(rename = "kind")]
    _kind: String,
    /// How often it is started and left alone.
    pub(crate) rounds: u32,
    /// What passes between ready and the first look, so that the start is over.
    settle_seconds: f64,
    /// How long it is watched.
    seconds: f64,
    /// Goals.
    pub(crate) resident_mb_max: f64,
    pub(crate) ready_ms_max: f64,
    pub(crate) wake_ups_per_second_max: f64,
}

impl Idle {
    pub(crate) fn settle(&self) -> Duration {
        Duration::from_secs_f64(self.settle_seconds)
    }

    pub(crate) fn watched(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        within("rounds", self.rounds, 1.0..=100.0)?;
        within("settle_seconds", self.settle_seconds, 0.0..=60.0)?;
        within("seconds", self.seconds, 0.1..=600.0)
    }
}
