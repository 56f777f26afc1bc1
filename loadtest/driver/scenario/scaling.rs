//! What `scaling` measures: how throughput changes with one thing at a time.

use serde::{Deserialize, Serialize};

use super::accept::Window;
use super::range::{OutOfRange, within};
use super::worker::Fill;

/// The measurement of `scaling`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scaling {
    /// `scaling`.
    #[serde(rename = "kind")]
    _kind: String,
    pub(crate) rounds: u32,
    pub(crate) window: Window,
    /// Into ingest: this many alerts in each body, through this many connections.
    pub(crate) alerts_per_request: Vec<u32>,
    pub(crate) body_connections: u32,
    /// Into ingest: one alert in each body, through so many connections.
    pub(crate) connections: Vec<u32>,
    /// Into ingest with so many shards, one alert in each body, through `body_connections`.
    pub(crate) shards: Vec<u32>,
    /// Out of the queue: so many workers, and with four of everything so many shards.
    pub(crate) fill: Fill,
    pub(crate) workers: Vec<u32>,
    pub(crate) worker_shards: Vec<u32>,
}

impl Scaling {
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        within("rounds", self.rounds, 1.0..=100.0)?;
        self.window.check()?;
        let all =
            |name, values: &[u32], most| values.iter().try_for_each(|value| within(name, *value, 1.0..=most));
        all("alerts_per_request", &self.alerts_per_request, 20_000.0)?;
        all("connections", &self.connections, 1_024.0)?;
        within("body_connections", self.body_connections, 1.0..=1_024.0)?;
        all("shards", &self.shards, 64.0)?;
        all("workers", &self.workers, 16.0)?;
        all("worker_shards", &self.worker_shards, 64.0)?;
        self.fill.profile(1).check()
    }
}
