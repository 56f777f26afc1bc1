//! What ingest counts. Every label value is there from the first scrape, so that a rate of zero is not a gap.

use model::envelope::Source;
use prometheus::core::Collector;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Registry};
use runtime::metrics::intake;

use crate::answer;
use crate::lark::{self, Address};

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
    /// Connections closed because there was no TLS with them.
    pub(crate) handshakes_failed: IntCounter,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            requests: intake::REQUESTS.counters()?,
            alerts: intake::ALERTS_ACCEPTED.counters()?,
            callbacks: intake::CALLBACKS.counters()?,
            refusals: intake::REFUSALS.counters()?,
            accept_seconds: intake::ACCEPT_DURATION.histogram(SECONDS)?,
            bodies_bytes: intake::BODIES_IN_MEMORY.gauge()?,
            connections: intake::OPEN_CONNECTIONS.gauge()?,
            displaced: intake::DISPLACED_CONNECTIONS.counter()?,
            handshakes_failed: intake::FAILED_HANDSHAKES.counter()?,
        };
        metrics.show_zeros();
        let all: [Box<dyn Collector>; 9] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.alerts.clone()),
            Box::new(metrics.callbacks.clone()),
            Box::new(metrics.refusals.clone()),
            Box::new(metrics.accept_seconds.clone()),
            Box::new(metrics.bodies_bytes.clone()),
            Box::new(metrics.connections.clone()),
            Box::new(metrics.displaced.clone()),
            Box::new(metrics.handshakes_failed.clone()),
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
