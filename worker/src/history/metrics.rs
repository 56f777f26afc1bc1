//! What the history counts.

use prometheus::{IntCounter, Registry};
use runtime::metrics::{Metric, memory};

#[derive(Debug)]
pub(super) struct HistoryMetrics {
    pub(super) written: IntCounter,
    pub(super) skipped: IntCounter,
    pub(super) cleaned: IntCounter,
}

impl HistoryMetrics {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |metric: Metric| {
            let counter = metric.counter()?;
            registry.register(Box::new(counter.clone()))?;
            prometheus::Result::Ok(counter)
        };
        Ok(Self {
            written: counter(memory::HISTORY_ROWS)?,
            skipped: counter(memory::HISTORY_SKIPPED)?,
            cleaned: counter(memory::HISTORY_CLEANED)?,
        })
    }
}
