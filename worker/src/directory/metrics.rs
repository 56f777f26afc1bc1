//! What is counted about people.

use prometheus::{IntCounterVec, IntGaugeVec, Registry};
use runtime::metrics::people;

use crate::people::mentions::{MentionOutcome, Mentions};
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
        let mentions = people::MENTIONS.counters()?;
        for outcome in MentionOutcome::ALL {
            mentions.with_label_values(&[outcome.as_str()]).reset();
        }
        let up = people::DIRECTORY_UP.gauges()?;
        let failures = people::DIRECTORY_FAILURES.counters()?;
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

    /// Counts the people of a card that was delivered.
    pub(crate) fn card_delivered(&self, mentions: &Mentions) {
        for outcome in &mentions.outcomes {
            self.mentions.with_label_values(&[outcome.as_str()]).inc();
        }
    }
}
