//! What `/metrics` shows, looked up by name: the console says the same.

use prometheus::Registry;
use prometheus::proto::{Metric, MetricFamily};
use runtime::metrics::delivery::{ALERTS_BY_OUTCOME, ALERTS_END_TO_END};

use super::samples::{CounterSample, LatencyBucket};
use crate::metrics::Outcome;

/// The metrics of a process at a moment.
pub(super) struct MetricReadings(Vec<MetricFamily>);

impl MetricReadings {
    pub(super) fn of(registry: &Registry) -> Self {
        Self(registry.gather())
    }

    fn each(&self, name: &str) -> &[Metric] {
        self.0.iter().find(|family| family.name() == name).map_or(&[], MetricFamily::get_metric)
    }

    /// The only gauge of this name.
    pub(super) fn gauge(&self, name: &str) -> Option<i64> {
        self.each(name).first().map(|metric| whole(metric.get_gauge().get_value()))
    }

    /// What the gauge of this name says of a receiver.
    pub(super) fn of_receiver(&self, name: &str, receiver: &str) -> Option<f64> {
        let is_its = |metric: &&Metric| metric.get_label().iter().any(|label| label.value() == receiver);
        self.each(name).iter().find(is_its).map(|metric| metric.get_gauge().get_value())
    }

    /// What the counters of alerts say.
    pub(super) fn sample(&self, at: jiff::Timestamp) -> CounterSample {
        let alerts = self.each(ALERTS_BY_OUTCOME.name);
        let of_outcome = |outcome: Outcome| {
            let is_it =
                |metric: &&Metric| metric.get_label().iter().any(|label| label.value() == outcome.as_str());
            let counted = alerts.iter().find(is_it).map(|metric| whole(metric.get_counter().get_value()));
            counted.and_then(|count| u64::try_from(count).ok()).unwrap_or_default()
        };
        let histogram = self.each(ALERTS_END_TO_END.name).first().map(Metric::get_histogram);
        let mut latency = Vec::new();
        if let Some(histogram) = histogram {
            latency.extend(histogram.get_bucket().iter().map(|bucket| LatencyBucket {
                bound_s: bucket.upper_bound(),
                no_longer: bucket.cumulative_count(),
            }));
            latency.push(LatencyBucket { bound_s: f64::INFINITY, no_longer: histogram.get_sample_count() });
        }
        CounterSample { at, outcomes: Outcome::ALL.map(of_outcome), latency }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "counts of whole things, far fewer than 2^52")]
const fn whole(value: f64) -> i64 {
    value as i64
}
