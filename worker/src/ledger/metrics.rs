//! What the ledger counts.

use prometheus::{IntCounter, Registry};
use runtime::metrics::{Metric, memory};

#[derive(Debug)]
pub(super) struct LedgerMetrics {
    pub(super) cache_hits: IntCounter,
    pub(super) bypassed: IntCounter,
    pub(super) unrecorded: IntCounter,
    pub(super) cleaned: IntCounter,
    pub(super) superseded: IntCounter,
    pub(super) ahead: IntCounter,
}

impl LedgerMetrics {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |metric: Metric| {
            let counter = metric.counter()?;
            registry.register(Box::new(counter.clone()))?;
            prometheus::Result::Ok(counter)
        };
        Ok(Self {
            cache_hits: counter(memory::CACHE_HITS)?,
            bypassed: counter(memory::BYPASSED_ALERTS)?,
            unrecorded: counter(memory::UNRECORDED_ALERTS)?,
            superseded: counter(memory::SUPERSEDED_BY_MORE_THAN_JITTER)?,
            ahead: counter(memory::TIMES_AHEAD)?,
            cleaned: counter(memory::CLEANED_ROWS)?,
        })
    }
}
