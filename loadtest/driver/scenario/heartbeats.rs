//! What `heartbeats` measures: what it costs to look after many.

use serde::{Deserialize, Serialize};

use super::range::{OutOfRange, within};

/// The measurement of `heartbeats`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeartbeatLoad {
    /// `heartbeats`.
    #[serde(rename = "kind")]
    _kind: String,
    pub(crate) rounds: u32,
    /// How many are configured.
    pub(crate) count: u32,
    /// A goal: what a look may take, of which there is one every five seconds, in milliseconds.
    pub(crate) look_ms_max: f64,
    /// A goal: what it may take to tell all of them as missing, in seconds.
    pub(crate) told_seconds_max: f64,
}

impl HeartbeatLoad {
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        within("rounds", self.rounds, 1.0..=100.0)?;
        within("count", self.count, 1.0..=10_000.0)
    }
}
