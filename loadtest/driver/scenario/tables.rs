//! What `tables` measures: what a look into large tables costs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::range::{OutOfRange, within};

/// The measurement of `tables`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tables {
    /// `tables`.
    #[serde(rename = "kind")]
    _kind: String,
    pub(crate) rounds: u32,
    pub(crate) history: HistoryRows,
    pub(crate) letters: DeadLetterRows,
}

/// A history that is full.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryRows {
    pub(crate) rows: u32,
    fill_seconds_max: u32,
    /// A goal: what one page may take, by whichever filter.
    pub(crate) page_ms_max: f64,
}

/// Dead letters that wait.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeadLetterRows {
    /// Few, and many.
    pub(crate) counts: [u32; 2],
    /// A goal: what a page of the many may take, by whichever filter.
    pub(crate) page_ms_max: f64,
    /// A goal: what going through the many may cost, in times of the few.
    pub(crate) ratio_max: f64,
}

impl HistoryRows {
    pub(crate) fn fill_time(&self) -> Duration {
        Duration::from_secs(self.fill_seconds_max.into())
    }
}

impl Tables {
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        within("rounds", self.rounds, 1.0..=100.0)?;
        within("history.rows", self.history.rows, 1_000.0..=100_000_000.0)?;
        within("history.fill_seconds_max", self.history.fill_seconds_max, 1.0..=86_400.0)?;
        self.letters.counts.iter().try_for_each(|count| within("letters.counts", *count, 100.0..=1_000_000.0))
    }
}
