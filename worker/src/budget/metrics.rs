//! What is counted about budgets.

use prometheus::{IntCounter, IntGaugeVec, Registry};
use runtime::metrics::delivery;

/// What is counted about budgets.
#[derive(Clone, Debug)]
pub(super) struct BudgetMetrics {
    /// Slots the fleet gave.
    pub(super) fleet: IntCounter,
    /// Slots of the fleet that were not used, as the database's answer came too late.
    pub(super) late: IntCounter,
    /// Slots a worker took from its share while the database was away.
    pub(super) local: IntCounter,
    /// Cards that may go at once, by receiver.
    pub(super) left: IntGaugeVec,
    /// How often Feishu said to slow down.
    pub(super) holds: IntCounter,
}

impl BudgetMetrics {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let reservations = delivery::BUDGET_RESERVATIONS.counters()?;
        let metrics = Self {
            fleet: reservations.with_label_values(&["fleet"]),
            late: reservations.with_label_values(&["late"]),
            local: reservations.with_label_values(&["local"]),
            left: delivery::BUDGET_LEFT.gauges()?,
            holds: delivery::BUDGET_HOLDS.counter()?,
        };
        registry.register(Box::new(reservations))?;
        registry.register(Box::new(metrics.left.clone()))?;
        registry.register(Box::new(metrics.holds.clone()))?;
        Ok(metrics)
    }
}
