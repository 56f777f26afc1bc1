//! What is counted about dead letters once they are on their way to the database.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Registry};
use runtime::metrics::memory;

use super::ReplayOutcome;

/// The metrics of this room; every label value is there from the first scrape.
#[derive(Clone, Debug)]
pub struct DeadLetterMetrics {
    /// Letters that wait for an operator, in the database all workers share.
    pub(super) waiting: IntGauge,
    /// Letters written to the database.
    pub(super) kept: IntCounter,
    replays: IntCounterVec,
}

impl DeadLetterMetrics {
    /// Metrics of one process, shown by `registry`.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            waiting: memory::DEAD_LETTERS_WAITING.gauge()?,
            kept: memory::DEAD_LETTERS_KEPT.counter()?,
            replays: memory::REPLAYS.counters()?,
        };
        for outcome in ReplayOutcome::ALL {
            metrics.replays.with_label_values(&[outcome.as_str()]).reset();
        }
        registry.register(Box::new(metrics.waiting.clone()))?;
        registry.register(Box::new(metrics.kept.clone()))?;
        registry.register(Box::new(metrics.replays.clone()))?;
        Ok(metrics)
    }

    /// Counts what a replay came to.
    pub(super) fn replayed(&self, outcome: ReplayOutcome) {
        self.replays.with_label_values(&[outcome.as_str()]).inc();
    }
}
