//! What `check --online` has asked outside of this process, and what came of it.

use std::time::Duration;

use serde::Serialize;

/// How long one question may take.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// What was asked, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Probe {
    /// What was asked.
    pub what: String,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a question, in words one can act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "said", rename_all = "lowercase")]
pub enum Outcome {
    /// It answered, and said this.
    Fine(String),
    /// Something alerts are told without is away or odd, and what to do about that.
    Doubtful(String),
    /// Something that is needed did not answer, why, and what to do about that.
    Failed(String),
}
