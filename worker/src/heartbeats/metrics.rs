//! What is counted about heartbeats.

use prometheus::{IntGauge, Registry};
use runtime::metrics::memory::{HEARTBEATS, HEARTBEATS_LISTENING};

/// Gauges, shown by one registry.
#[derive(Clone, Debug)]
pub struct HeartbeatMetrics {
    /// Those that come.
    pub(super) heard: IntGauge,
    /// Those that are missing.
    pub(super) missing: IntGauge,
    /// 1 while what does not come is missing.
    pub(super) listening: IntGauge,
}

impl HeartbeatMetrics {
    /// Gauges, shown by `registry`.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let heartbeats = HEARTBEATS.gauges()?;
        let listening = HEARTBEATS_LISTENING.gauge()?;
        registry.register(Box::new(heartbeats.clone()))?;
        registry.register(Box::new(listening.clone()))?;
        let of = |state: &str| heartbeats.with_label_values(&[state]);
        Ok(Self { heard: of("heard"), missing: of("missing"), listening })
    }
}
