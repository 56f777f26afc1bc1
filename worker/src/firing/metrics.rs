//! What is counted about alerts that nobody may ever end.

use prometheus::{IntCounter, Registry};
use runtime::metrics::delivery;

/// Counters, shown by one registry.
#[derive(Clone, Debug)]
pub struct FiringMetrics {
    pub(super) too_large: IntCounter,
    pub(super) unwritten: IntCounter,
    /// Ends that were published to the queue by this worker.
    pub ended: IntCounter,
}

impl FiringMetrics {
    /// Counters, shown by `registry`.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let unkept = delivery::FIRING_UNKEPT.counters()?;
        registry.register(Box::new(unkept.clone()))?;
        let ended = delivery::UNHEARD_ENDED.counter()?;
        registry.register(Box::new(ended.clone()))?;
        Ok(Self {
            too_large: unkept.with_label_values(&["too_large"]),
            unwritten: unkept.with_label_values(&["store"]),
            ended,
        })
    }
}
