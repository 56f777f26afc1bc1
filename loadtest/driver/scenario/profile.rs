//! A profile: how alerts are sent at a whole Larkfire, what goes wrong meanwhile, and what is hoped for. A file of
//! `scenarios/`, read and refused as a whole.

mod fault;
mod goals;
mod kills;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use fault::{Fault, What};
pub(crate) use goals::{Allowed, Goals};
pub(crate) use kills::Victim;

use crate::scenario::range::{OutOfRange, within};

/// Alerts in a run at most: each is remembered until the verdict.
const ALERTS_MAX: f64 = 2_000_000.0;

/// What is measured.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// `profile`: what tells these files from those of other measurements.
    #[serde(rename = "kind")]
    _kind: String,
    /// A line about it for the report.
    pub(crate) about: String,
    /// How often it is run.
    pub(crate) rounds: u32,
    pub(crate) sending: Sending,
    #[serde(default)]
    pub(crate) fleet: ProfileFleet,
    #[serde(default)]
    pub(crate) feishu: Feishu,
    #[serde(default, rename = "fault")]
    pub(crate) faults: Vec<Fault>,
    /// How long after the last request everything may take to be told; what is not is lost.
    pub(crate) settle_seconds: f64,
    #[serde(default)]
    pub(crate) allowed: Allowed,
    #[serde(default)]
    pub(crate) goals: Goals,
}

/// The sender: requests when they are due, whatever the answers do.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sending {
    pub(crate) requests: u32,
    pub(crate) requests_per_second: f64,
    pub(crate) alerts_per_request: u32,
    pub(crate) alert_bytes: usize,
    pub(crate) connections: u32,
    /// How often each alert is sent: 20 is 95 % repeats.
    #[serde(default = "one")]
    pub(crate) sends_each: u32,
}

/// The processes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileFleet {
    pub(crate) workers: u32,
    pub(crate) shards: u32,
}

/// The simulator.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feishu {
    /// Bots, each with a budget of its own. Requests go to them in turn.
    pub(crate) receivers: u32,
    /// Whether the bots have Feishu's limits; without, nothing is refused for its rate, and Larkfire is told so.
    pub(crate) limits: bool,
}

impl Default for ProfileFleet {
    fn default() -> Self {
        Self { workers: 1, shards: 1 }
    }
}

impl Default for Feishu {
    fn default() -> Self {
        Self { receivers: 1, limits: true }
    }
}

const fn one() -> u32 {
    1
}

impl Sending {
    /// From the first request to the last.
    pub(crate) fn lasts(&self) -> Duration {
        Duration::from_secs_f64(f64::from(self.requests) / self.requests_per_second)
    }
}

impl Profile {
    /// Nothing goes wrong, and nothing is held against it: for measurements that only need a deployment.
    pub(crate) fn quiet(sending: Sending, feishu: Feishu, shards: u32) -> Self {
        Self {
            _kind: String::new(),
            about: String::new(),
            rounds: 1,
            sending,
            fleet: ProfileFleet { workers: 1, shards },
            feishu,
            faults: Vec::new(),
            settle_seconds: 60.0,
            allowed: Allowed::default(),
            goals: Goals::default(),
        }
    }

    pub(crate) fn settle(&self) -> Duration {
        Duration::from_secs_f64(self.settle_seconds)
    }

    /// Everything ends, and fits on one machine.
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        let Sending {
            requests,
            requests_per_second,
            alerts_per_request,
            alert_bytes,
            connections,
            sends_each,
        } = self.sending;
        within("rounds", self.rounds, 1.0..=100.0)?;
        within("sending.requests", requests, 1.0..=ALERTS_MAX)?;
        within("sending.requests_per_second", requests_per_second, 0.1..=100_000.0)?;
        within("sending.alerts_per_request", alerts_per_request, 1.0..=20_000.0)?;
        within("sending.requests × sending.alerts_per_request", self.alerts(), 1.0..=ALERTS_MAX)?;
        within("sending.alert_bytes", u32::try_from(alert_bytes).unwrap_or(u32::MAX), 600.0..=100_000.0)?;
        within("sending.connections", connections, 1.0..=1_024.0)?;
        // Repeats of an alert have to meet the same receiver: there is one then.
        let repeats_max = if self.feishu.receivers == 1 { 1_000.0 } else { 1.0 };
        within("sending.sends_each", sends_each, 1.0..=repeats_max)?;
        within("sending: requests ÷ requests_per_second", self.sending.lasts().as_secs_f64(), 0.0..=600.0)?;
        within("fleet.workers", self.fleet.workers, 1.0..=16.0)?;
        within("fleet.shards", self.fleet.shards, 1.0..=64.0)?;
        within("feishu.receivers", self.feishu.receivers, 1.0..=500.0)?;
        within("settle_seconds", self.settle_seconds, 1.0..=600.0)?;
        self.faults.iter().try_for_each(Fault::check)
    }

    fn alerts(&self) -> f64 {
        f64::from(self.sending.requests) * f64::from(self.sending.alerts_per_request)
    }
}
