//! What `worker` measures: a queue that is full when the worker starts, and how fast it is emptied.

use serde::{Deserialize, Serialize};

use super::profile::{Feishu, Profile, Sending};
use super::range::{OutOfRange, within};

/// The measurement of `worker`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Worker {
    /// `worker`.
    #[serde(rename = "kind")]
    _kind: String,
    pub(crate) rounds: u32,
    #[serde(rename = "fill")]
    pub(crate) fills: Vec<Fill>,
}

/// What the queue is filled with, and what is hoped for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fill {
    pub(crate) name: String,
    pub(crate) requests: u32,
    pub(crate) alerts_per_request: u32,
    /// Connections ingest is filled through: how many envelopes share a message follows from it.
    pub(crate) connections: u32,
    pub(crate) sends_each: u32,
    /// Each envelope in a message of its own.
    #[serde(default)]
    pub(crate) unpacked: bool,
    /// Goal: alerts/s settled.
    pub(crate) per_second_min: Option<f64>,
    /// Goal: the same over what bare lapin consumes of the same messages.
    pub(crate) ratio_min: Option<f64>,
    /// Goal: CPU of the worker per alert, in times of what it is without history. Where it is given, the same queue is emptied by
    /// a worker without as well.
    pub(crate) history_ratio_max: Option<f64>,
}

impl Worker {
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        within("rounds", self.rounds, 1.0..=100.0)?;
        self.fills.iter().try_for_each(|fill| fill.profile(1).check())
    }
}

impl Fill {
    /// As fast as ingest takes it, to a simulator without limits.
    pub(crate) fn profile(&self, shards: u32) -> Profile {
        let sending = Sending {
            requests: self.requests,
            requests_per_second: 100_000.0,
            alerts_per_request: self.alerts_per_request,
            alert_bytes: super::ALERT_BYTES,
            connections: self.connections,
            sends_each: self.sends_each,
        };
        Profile::quiet(sending, Feishu { receivers: 1, limits: false }, shards)
    }

    pub(crate) const fn alerts(&self) -> u32 {
        self.requests * self.alerts_per_request
    }
}
