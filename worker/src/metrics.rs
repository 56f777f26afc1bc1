//! What the worker counts and measures.

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, exponential_buckets,
};
use shared::queue::Reason;

use crate::feishu::verdict::{Repair, Verdict};

const TOLD: &str = "told";
const DEAD: &str = "dead";

/// The worker's metrics; every label value is there from the first scrape.
#[derive(Clone, Debug)]
pub struct Metrics {
    alerts: IntCounterVec,
    requests: IntCounterVec,
    repairs: IntCounterVec,
    dead: IntCounterVec,
    /// Envelopes put aside for a while.
    pub parked: IntCounter,
    /// Envelopes given back to the queue unsettled.
    pub given_back: IntCounter,
    /// Envelopes taken off the queue and not settled yet.
    pub in_flight: IntGauge,
    /// One request to Feishu and its answer, in seconds.
    pub round_trip: Histogram,
    /// From ingest having read an alert to Feishu having taken it, in seconds.
    pub end_to_end: Histogram,
}

impl Metrics {
    /// Metrics of one process, shown by `registry`.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let verdicts = Verdict::WORDS;
        let metrics = Self {
            alerts: counters("alerts_total", "Alerts by what became of them.", "outcome", &[TOLD, DEAD])?,
            requests: counters(
                "feishu_requests_total",
                "Requests to Feishu by what the answer means.",
                "verdict",
                &verdicts,
            )?,
            repairs: counters(
                "repairs_total",
                "Messages sent again in a plainer form, by what was wrong with them.",
                "kind",
                &Repair::ALL.map(Repair::as_str),
            )?,
            dead: counters(
                "dead_letters_total",
                "Envelopes moved to the dead letters, by reason.",
                "reason",
                &Reason::ALL.map(Reason::as_str),
            )?,
            parked: IntCounter::with_opts(opts(
                "parked_total",
                "Envelopes put aside to be tried again later.",
            ))?,
            given_back: IntCounter::with_opts(opts(
                "given_back_total",
                "Envelopes given back to the queue unsettled.",
            ))?,
            in_flight: IntGauge::with_opts(opts(
                "in_flight_envelopes",
                "Envelopes taken off the queue and not settled yet.",
            ))?,
            round_trip: Histogram::with_opts(
                histogram("delivery_duration_seconds", "One request to Feishu, answer included.")
                    .buckets(exponential_buckets(0.005, 2.0, 12)?),
            )?,
            end_to_end: Histogram::with_opts(
                histogram("end_to_end_seconds", "From receiving an alert to having told it.")
                    // From 10 ms to about three hours: a parked alert belongs into the picture as well.
                    .buckets(exponential_buckets(0.01, 2.5, 16)?),
            )?,
        };
        registry.register(Box::new(metrics.alerts.clone()))?;
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.repairs.clone()))?;
        registry.register(Box::new(metrics.dead.clone()))?;
        registry.register(Box::new(metrics.parked.clone()))?;
        registry.register(Box::new(metrics.given_back.clone()))?;
        registry.register(Box::new(metrics.in_flight.clone()))?;
        registry.register(Box::new(metrics.round_trip.clone()))?;
        registry.register(Box::new(metrics.end_to_end.clone()))?;
        Ok(metrics)
    }

    /// Counts the alerts of an envelope that was told.
    pub fn told(&self, alerts: usize) {
        self.alerts.with_label_values(&[TOLD]).inc_by(alerts as u64);
    }

    /// Counts an envelope that went to the dead letters, and its alerts; an undecodable one has none we know of.
    pub fn dead(&self, reason: Reason, alerts: usize) {
        self.dead.with_label_values(&[reason.as_str()]).inc();
        self.alerts.with_label_values(&[DEAD]).inc_by(alerts as u64);
    }

    /// Counts an answer of Feishu.
    pub fn answered(&self, verdict: &Verdict) {
        self.requests.with_label_values(&[verdict.as_str()]).inc();
    }

    /// Counts a repair.
    pub fn repaired(&self, repair: Repair) {
        self.repairs.with_label_values(&[repair.as_str()]).inc();
    }
}

fn counters(name: &str, help: &str, label: &str, values: &[&str]) -> prometheus::Result<IntCounterVec> {
    let counters = IntCounterVec::new(opts(name, help), &[label])?;
    for value in values {
        counters.with_label_values(&[value]).reset();
    }
    Ok(counters)
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("larkfire")
}

fn histogram(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help).namespace("larkfire")
}
