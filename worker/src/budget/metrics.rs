//! What is counted about budgets.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

/// What is counted about budgets.
#[derive(Clone, Debug)]
pub(super) struct BudgetMetrics {
    /// Slots the fleet gave.
    pub(super) fleet: IntCounter,
    /// Slots a worker took from its share while the database was away.
    pub(super) local: IntCounter,
    /// How often Feishu said to slow down.
    pub(super) holds: IntCounter,
}

impl BudgetMetrics {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let reservations = IntCounterVec::new(
            Opts::new(
                "larkfire_budget_reservations_total",
                "Slots for cards, by who keeps the budget: the fleet, or a worker alone while the database is away.",
            ),
            &["by"],
        )?;
        let metrics = Self {
            fleet: reservations.with_label_values(&["fleet"]),
            local: reservations.with_label_values(&["local"]),
            holds: IntCounter::with_opts(Opts::new(
                "larkfire_budget_holds_total",
                "How often Feishu said to slow down and a receiver was held.",
            ))?,
        };
        registry.register(Box::new(reservations))?;
        registry.register(Box::new(metrics.holds.clone()))?;
        Ok(metrics)
    }
}
