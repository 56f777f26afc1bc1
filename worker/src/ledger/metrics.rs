//! What the ledger counts.

use prometheus::{IntCounter, Opts, Registry};

#[derive(Debug)]
pub(super) struct LedgerMetrics {
    pub(super) cache_hits: IntCounter,
    pub(super) bypassed: IntCounter,
    pub(super) unrecorded: IntCounter,
    pub(super) cleaned: IntCounter,
}

impl LedgerMetrics {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name, help| {
            let counter = IntCounter::with_opts(Opts::new(name, help).namespace("larkfire_ledger"))?;
            registry.register(Box::new(counter.clone()))?;
            prometheus::Result::Ok(counter)
        };
        Ok(Self {
            cache_hits: counter(
                "cache_hits_total",
                "Alerts found to be told already without asking the database.",
            )?,
            bypassed: counter(
                "bypassed_alerts_total",
                "Alerts decided about without the database, because it was away.",
            )?,
            unrecorded: counter(
                "unrecorded_alerts_total",
                "Alerts that were told and could not be recorded: they are told again if they come again.",
            )?,
            cleaned: counter(
                "cleaned_rows_total",
                "Rows removed because nobody had sent their alert for a long time.",
            )?,
        })
    }
}
