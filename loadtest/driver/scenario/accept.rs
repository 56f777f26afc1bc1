//! What `accept` measures.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::range::{OutOfRange, within};

/// The measurement of `accept`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accept {
    /// `accept`.
    #[serde(rename = "kind")]
    _kind: String,
    /// How often everything is measured, one after the other.
    pub(crate) rounds: u32,
    pub(crate) window: Window,
    pub(crate) raw: Raw,
    #[serde(rename = "load")]
    pub(crate) loads: Vec<Load>,
    pub(crate) latency: Latency,
    pub(crate) memory: Memory,
}

/// How long one measurement takes.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    warm_up_seconds: f64,
    seconds: f64,
    /// It ends early after so many requests or messages.
    pub(crate) count_max: u64,
}

impl Window {
    pub(crate) fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.warm_up_seconds)
    }

    pub(crate) fn counted(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        within("window.warm_up_seconds", self.warm_up_seconds, 0.0..=60.0)?;
        within("window.seconds", self.seconds, 0.1..=60.0)
    }
}

/// The bare publisher.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    pub(crate) connections: u32,
    /// Messages without a confirm on each connection.
    pub(crate) unconfirmed_max: u32,
    pub(crate) message_bytes: usize,
}

/// Requests as fast as they are answered.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Load {
    /// Alerts in each request.
    pub(crate) alerts: u32,
    pub(crate) connections: u32,
    /// Goal: alerts/s over the messages/s of the bare publisher.
    pub(crate) ratio_min: f64,
    /// Goal: CPU time of ingest, in microseconds per alert.
    pub(crate) cpu_us_max: f64,
}

impl Load {
    /// Without a goal.
    pub(crate) const fn of(alerts: u32, connections: u32) -> Self {
        Self { alerts, connections, ratio_min: 0.0, cpu_us_max: f64::INFINITY }
    }
}

/// Requests at a fixed rate.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Latency {
    pub(crate) requests_per_second: u32,
    pub(crate) connections: u32,
    /// Goal.
    pub(crate) p99_ms_max: f64,
}

/// Peaks of resident memory, in units of 10⁶ bytes.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    /// Goal.
    pub(crate) load_mb_max: f64,
    pub(crate) giant_alerts: u32,
    pub(crate) giant_alert_bytes: usize,
    /// Goal.
    pub(crate) giant_mb_max: f64,
}

impl Accept {
    /// Everything ends, and fits on one machine.
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        within("rounds", self.rounds, 1.0..=100.0)?;
        self.window.check()?;
        within("raw.connections", self.raw.connections, 1.0..=16.0)?;
        within("raw.unconfirmed_max", self.raw.unconfirmed_max, 1.0..=10_000.0)?;
        for load in &self.loads {
            within("load.alerts", load.alerts, 1.0..=20_000.0)?;
            within("load.connections", load.connections, 1.0..=1_024.0)?;
        }
        within("latency.requests_per_second", self.latency.requests_per_second, 1.0..=100_000.0)?;
        within("latency.connections", self.latency.connections, 1.0..=1_024.0)?;
        within("memory.giant_alerts", self.memory.giant_alerts, 1.0..=20_000.0)
    }
}
