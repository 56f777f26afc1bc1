//! What is counted about people.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

use super::roster::{Outcome, Roster};
use crate::store::StoreMetrics;

/// Where people are looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// The user table.
    Table,
    /// Feishu's contacts.
    Contacts,
}

impl Source {
    const ALL: [Self; 2] = [Self::Table, Self::Contacts];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Contacts => "contacts",
        }
    }
}

/// Counters that show every label value from the first scrape.
#[derive(Clone, Debug)]
pub(crate) struct OwnerMetrics {
    mentions: IntCounterVec,
    up: IntGaugeVec,
    failures: IntCounterVec,
}

impl OwnerMetrics {
    /// Metrics of one process, shown by `registry`.
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let opts = |name: &str, help: &str| Opts::new(name, help).namespace("larkfire");
        let mentions = IntCounterVec::new(
            opts("mentions_total", "People on cards that were told, by how they were named."),
            &["outcome"],
        )?;
        for outcome in Outcome::ALL {
            mentions.with_label_values(&[outcome.as_str()]).reset();
        }
        let up = IntGaugeVec::new(
            opts("directory_up", "1 while people can be looked up there, 0 while they are named without."),
            &["source"],
        )?;
        let failures = IntCounterVec::new(
            opts("directory_failures_total", "Look-ups of people that failed or took too long."),
            &["source"],
        )?;
        for source in Source::ALL {
            up.with_label_values(&[source.as_str()]).set(1);
            failures.with_label_values(&[source.as_str()]).reset();
        }
        registry.register(Box::new(mentions.clone()))?;
        registry.register(Box::new(up.clone()))?;
        registry.register(Box::new(failures.clone()))?;
        Ok(Self { mentions, up, failures })
    }

    /// What is counted about one source.
    pub(crate) fn source(&self, source: Source) -> StoreMetrics {
        let label = [source.as_str()];
        StoreMetrics {
            up: self.up.with_label_values(&label),
            failures: self.failures.with_label_values(&label),
        }
    }

    /// Counts the people of a card that was told.
    pub(crate) fn told(&self, roster: &Roster) {
        for outcome in &roster.outcomes {
            self.mentions.with_label_values(&[outcome.as_str()]).inc();
        }
    }
}
