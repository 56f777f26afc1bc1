//! What is counted and measured about calls of Feishu.

use prometheus::{Histogram, IntCounterVec, Registry, exponential_buckets};
use runtime::metrics::delivery;

use super::verdict::Verdict;

/// The metrics of whoever sends; every label value is there from the first scrape.
#[derive(Clone, Debug)]
pub(crate) struct FeishuMetrics {
    requests: IntCounterVec,
    /// One request to Feishu and its answer, in seconds.
    pub(super) round_trip: Histogram,
}

impl FeishuMetrics {
    /// Metrics of one process, shown by `registry`.
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let requests = delivery::FEISHU_REQUESTS.counters()?;
        let buckets = exponential_buckets(0.005, 2.0, 12)?;
        let metrics = Self { requests, round_trip: delivery::DELIVERY_DURATION.histogram(buckets)? };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.round_trip.clone()))?;
        Ok(metrics)
    }

    /// Requests for this receiver are shown from the start.
    pub(super) fn expect(&self, receiver: &str) {
        for verdict in Verdict::WORDS {
            let _from_the_start = self.requests.with_label_values(&[receiver, verdict]);
        }
    }

    /// Counts an answer of Feishu.
    pub(super) fn answered(&self, receiver: &str, verdict: &Verdict) {
        self.requests.with_label_values(&[receiver, verdict.as_str()]).inc();
    }
}
