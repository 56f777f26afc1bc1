//! What ingest counts. Every label value is there from the first scrape, so that a rate of zero is not a gap.

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use shared::envelope::Source;

use crate::answer;
use crate::lark::{self, Address};

const NAMESPACE: &str = "larkfire_ingest";
/// The label of requests that were refused before their format was known.
const NO_SOURCE: &str = "unknown";
/// From a parse in memory to the end of a slow publish.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// The metrics of one ingest.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    requests: IntCounterVec,
    alerts: IntCounterVec,
    callbacks: IntCounterVec,
    refusals: IntCounterVec,
    /// From the headers to the answer, for accepted requests.
    pub(crate) accept_seconds: Histogram,
    /// What bodies hold of the limit they share.
    pub(crate) bodies_bytes: IntGauge,
    /// Connections that are open now.
    pub(crate) connections: IntGauge,
    /// Connections closed because others needed their places.
    pub(crate) displaced: IntCounter,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            requests: counters("requests_total", "Requests by source and outcome.", &["source", "code"])?,
            alerts: counters(
                "alerts_accepted_total",
                "Alerts the queue has confirmed, or the spool has stored.",
                &["source"],
            )?,
            callbacks: counters(
                "callbacks_total",
                "Callbacks of Feishu by address and outcome.",
                &["address", "code"],
            )?,
            refusals: counters("refusals_total", "Requests the gate refused, by reason.", &["reason"])?,
            accept_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "accept_duration_seconds",
                    "Time from headers to answer of accepted requests.",
                )
                .namespace(NAMESPACE)
                .buckets(SECONDS.to_vec()),
            )?,
            bodies_bytes: gauge("bodies_in_memory_bytes", "Bytes of request bodies in memory.")?,
            connections: gauge("open_connections", "Connections that are open.")?,
            displaced: IntCounter::with_opts(
                Opts::new(
                    "displaced_connections_total",
                    "Connections that waited for their client and were closed because others needed the place.",
                )
                .namespace(NAMESPACE),
            )?,
        };
        metrics.show_zeros();
        let all: [Box<dyn Collector>; 8] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.alerts.clone()),
            Box::new(metrics.callbacks.clone()),
            Box::new(metrics.refusals.clone()),
            Box::new(metrics.accept_seconds.clone()),
            Box::new(metrics.bodies_bytes.clone()),
            Box::new(metrics.connections.clone()),
            Box::new(metrics.displaced.clone()),
        ];
        all.into_iter().try_for_each(|collector| registry.register(collector))?;
        Ok(metrics)
    }

    pub(crate) fn answered(&self, source: Option<Source>, code: &str) {
        self.requests.with_label_values(&[source.map_or(NO_SOURCE, Source::as_str), code]).inc();
    }

    pub(crate) fn accepted(&self, source: Source, alerts: usize) {
        self.alerts.with_label_values(&[source.as_str()]).inc_by(alerts as u64);
    }

    pub(crate) fn called_back(&self, address: Address, code: &str) {
        self.callbacks.with_label_values(&[address.as_str(), code]).inc();
    }

    pub(crate) fn refused(&self, reason: &str) {
        self.refusals.with_label_values(&[reason]).inc();
    }

    fn show_zeros(&self) {
        for reason in answer::REFUSALS {
            self.refusals.with_label_values(&[reason]).reset();
        }
        for source in Source::ALL {
            self.alerts.with_label_values(&[source.as_str()]).reset();
        }
        for source in Source::ALL.map(Source::as_str).into_iter().chain([NO_SOURCE]) {
            for code in answer::CODES {
                self.requests.with_label_values(&[source, code]).reset();
            }
        }
        for address in Address::ALL.map(Address::as_str) {
            for code in lark::codes() {
                self.callbacks.with_label_values(&[address, code]).reset();
            }
        }
    }
}

fn counters(name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help).namespace(NAMESPACE), labels)
}

fn gauge(name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    IntGauge::with_opts(Opts::new(name, help).namespace(NAMESPACE))
}
