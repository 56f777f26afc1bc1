//! What `growth` measures: what grows with what waits, with the configuration, and with what is remembered.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::range::{OutOfRange, within};

/// Alerts in one part at most: a receiver that is away has as many on this machine's disk.
const ALERTS_MAX: f64 = 5_000_000.0;

/// The measurement of `growth`. A part that is not in the file is not measured.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Growth {
    /// `growth`.
    #[serde(rename = "kind")]
    _kind: String,
    pub(crate) rounds: u32,
    pub(crate) alert_bytes: usize,
    pub(crate) away: Option<Away>,
    pub(crate) routes: Option<Entries>,
    pub(crate) patterns: Option<Entries>,
    pub(crate) start: Option<Start>,
    pub(crate) remembered: Option<Remembered>,
}

/// A receiver that nobody reaches beside one that is reached.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Away {
    /// How many alerts wait, from few to many.
    pub(crate) waiting: Vec<u32>,
    settle_seconds: f64,
    seconds: f64,
    /// Alerts to the receiver that is reached.
    pub(crate) live_per_second: u32,
    /// Goals.
    pub(crate) cpu_ratio_max: f64,
    pub(crate) written_mb_max: f64,
    pub(crate) live_ratio_max: f64,
}

/// So many entries of one kind in the configuration.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entries {
    /// From few to many.
    pub(crate) counts: Vec<u32>,
    pub(crate) alerts: u32,
    /// Goals: the most against the fewest.
    pub(crate) cpu_ratio_max: f64,
    pub(crate) memory_ratio_max: f64,
}

/// A start over what waits.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    pub(crate) waiting: u32,
}

/// A ledger that fills up.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Remembered {
    /// Delivered between the first look and the last.
    pub(crate) alerts: u32,
    /// Delivered at each look.
    pub(crate) watched: u32,
}

impl Away {
    /// What passes between the last alert that has to wait and the first look.
    pub(crate) fn settle(&self) -> Duration {
        Duration::from_secs_f64(self.settle_seconds)
    }

    pub(crate) fn watched(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// Alerts to the receiver that is reached, in all.
    pub(crate) fn live(&self) -> u32 {
        // The seconds are at most 600.
        self.live_per_second * u32::try_from(self.watched().as_secs()).unwrap_or(600)
    }
}

impl Growth {
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        within("rounds", self.rounds, 1.0..=100.0)?;
        let all = |name, values: &[u32], range: std::ops::RangeInclusive<f64>| {
            values.iter().try_for_each(|value| within(name, *value, range.clone()))
        };
        if let Some(away) = &self.away {
            all("away.waiting", &away.waiting, 0.0..=ALERTS_MAX)?;
            within("away.settle_seconds", away.settle_seconds, 0.0..=600.0)?;
            within("away.seconds", away.seconds, 1.0..=600.0)?;
            within("away.live_per_second", away.live_per_second, 1.0..=1_000.0)?;
        }
        for (name, entries) in [("routes", &self.routes), ("patterns", &self.patterns)] {
            if let Some(Entries { counts, alerts, .. }) = entries {
                all(name, counts, 1.0..=10_000.0)?;
                within(name, *alerts, 100.0..=ALERTS_MAX)?;
            }
        }
        if let Some(start) = &self.start {
            within("start.waiting", start.waiting, 100.0..=ALERTS_MAX)?;
        }
        if let Some(remembered) = &self.remembered {
            within("remembered.alerts", remembered.alerts, 100.0..=ALERTS_MAX)?;
            within("remembered.watched", remembered.watched, 100.0..=ALERTS_MAX)?;
        }
        Ok(())
    }
}
