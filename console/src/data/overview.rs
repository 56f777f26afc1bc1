//! How all of it is doing.

use jiff::Timestamp;
use serde::Serialize;

use super::ReceiverSummary;

/// What the first page shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Overview {
    /// The process that answers.
    pub process: WorkerProcess,
    /// Whether cards are shown here and sent nowhere.
    pub is_previewing: bool,
    /// What has to hold for the process to be ready, and does not.
    pub unmet: Vec<String>,
    /// Whether the database answers.
    pub is_database_up: bool,
    /// Alerts by what became of them in each of the last minutes, the oldest first; of this process.
    pub minutes: Vec<MinuteCounts>,
    /// From taking an alert to having delivered it, of the last 15 minutes; of this process. `None` if nothing was delivered.
    pub end_to_end: Option<LatencyQuantiles>,
    /// Messages on the queue, where it can be counted.
    pub queue_messages: Option<i64>,
    /// Envelopes this process has in hand.
    pub envelopes_in_flight: i64,
    /// Alerts that wait in this process for their receiver or for its budget.
    pub alerts_waiting: i64,
    /// How long the oldest alert that waits has waited, in seconds, as far as this process knows; `None` if none does.
    pub oldest_waiting_s: Option<f64>,
    /// Workers that were heard of in the last minute, this one included.
    pub workers: i64,
    /// Dead letters that wait for an operator.
    pub dead_letters_waiting: Option<i64>,
    /// The receivers.
    pub receivers: Vec<ReceiverSummary>,
}

/// A process.
#[derive(Clone, Debug, Default, Serialize)]
pub struct WorkerProcess {
    /// Its version.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
}

/// What became of alerts in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MinuteCounts {
    /// When the minute began.
    pub at: Timestamp,
    /// Shown on a card by name.
    pub delivered: u64,
    /// Counted by a card.
    pub summarised: u64,
    /// Delivered before.
    pub duplicate: u64,
    /// Overtaken by a newer state.
    pub superseded: u64,
    /// Gone to the dead letters.
    pub dead_lettered: u64,
    /// Heartbeats that came as expected.
    pub expected: u64,
}

impl MinuteCounts {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.delivered
            + self.summarised
            + self.duplicate
            + self.superseded
            + self.dead_lettered
            + self.expected
    }
}

/// How long something took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyQuantiles {
    /// Half of them took no longer, in seconds: the upper bound of the bucket it falls into.
    pub p50_s: f64,
    /// 99 of 100 took no longer.
    pub p99_s: f64,
    /// How many there were.
    pub alerts: u64,
}
