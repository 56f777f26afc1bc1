//! What a profile is held against. What is allowed decides the exit code; goals are shown as met or missed.

use serde::{Deserialize, Serialize};

/// More than this fails the run.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Allowed {
    pub(crate) lost: u64,
    /// A custom bot shows a card twice where a worker dies between Feishu's answer and the record of it.
    pub(crate) doubled: u64,
    pub(crate) over_budget: u64,
}

/// What is hoped for; what is absent is only measured.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Goals {
    pub(crate) accept_p99_ms: Option<f64>,
    pub(crate) card_p50_ms: Option<f64>,
    pub(crate) card_p99_ms: Option<f64>,
    pub(crate) card_max_ms: Option<f64>,
    /// Cards that people get, of all receivers together.
    pub(crate) cards_max: Option<f64>,
    /// From the end of the last fault to the last card with an alert that was due before.
    pub(crate) delivered_after_fault_seconds: Option<f64>,
    pub(crate) ingest_mb: Option<f64>,
    pub(crate) worker_mb: Option<f64>,
}
