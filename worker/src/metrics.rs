//! What the worker counts and measures.

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    exponential_buckets,
};
use shared::queue::Reason;

use crate::feishu::verdict::{Repair, Verdict};
use crate::routing::Named;

/// How an alert ended. Every accepted alert ends in exactly one of these ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on a card.
    Told,
    /// The same state was told already, or is about to be.
    Known,
    /// A newer state was told.
    Stale,
    /// It is in the dead letters.
    Dead,
}

impl Outcome {
    /// Every outcome, in the order of their discriminants.
    pub const ALL: [Self; 4] = [Self::Told, Self::Known, Self::Stale, Self::Dead];

    /// The label value in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Known => "known",
            Self::Stale => "stale",
            Self::Dead => "dead",
        }
    }
}

/// The worker's metrics; every label value is there from the first scrape.
#[derive(Clone, Debug)]
pub struct Metrics {
    alerts: IntCounterVec,
    redelivered: IntCounter,
    requests: IntCounterVec,
    repairs: IntCounterVec,
    named_chats: IntCounterVec,
    dead: IntCounterVec,
    broken: IntGaugeVec,
    waiting: IntGaugeVec,
    card_alerts: Histogram,
    /// Alerts that ended more often than they came, because they went to several receivers.
    pub copied: IntCounter,
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
        let metrics = Self {
            alerts: counters(
                ("alerts_total", "Alerts by what became of them."),
                "outcome",
                &Outcome::ALL.map(Outcome::as_str),
            )?,
            redelivered: counter(
                "redelivered_alerts_total",
                "Alerts that came again although they had ended, because an acknowledgement was lost.",
            )?,
            requests: counters(
                ("feishu_requests_total", "Requests to Feishu by what the answer means."),
                "verdict",
                &Verdict::WORDS,
            )?,
            repairs: counters(
                ("repairs_total", "Messages sent again in a plainer form, by what was wrong with them."),
                "kind",
                &Repair::ALL.map(Repair::as_str),
            )?,
            named_chats: counters(
                ("named_chats_total", "Envelopes whose payload named a chat, by what became of that."),
                "outcome",
                &Named::COUNTED.map(Named::as_str),
            )?,
            dead: counters(
                ("dead_letters_total", "Envelopes moved to the dead letters, by reason."),
                "reason",
                &Reason::ALL.map(Reason::as_str),
            )?,
            broken: gauges("receiver_broken", "1 while a receiver refuses everything, for its settings.")?,
            waiting: gauges("outbox_alerts", "Alerts that wait in memory to be told.")?,
            card_alerts: Histogram::with_opts(
                histogram("card_alerts", "Alerts on one card.").buckets(exponential_buckets(1.0, 3.0, 10)?),
            )?,
            copied: counter(
                "alerts_copied_total",
                "Copies of alerts that went to several receivers: for each alert, receivers less one.",
            )?,
            parked: counter("parked_total", "Envelopes put aside to be tried again later.")?,
            given_back: counter("given_back_total", "Envelopes given back to the queue unsettled.")?,
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
        metrics.show(registry)?;
        Ok(metrics)
    }

    fn show(&self, registry: &Registry) -> prometheus::Result<()> {
        for counters in [&self.alerts, &self.requests, &self.repairs, &self.named_chats, &self.dead] {
            registry.register(Box::new(counters.clone()))?;
        }
        for counter in [&self.redelivered, &self.copied, &self.parked, &self.given_back] {
            registry.register(Box::new(counter.clone()))?;
        }
        for gauges in [&self.broken, &self.waiting] {
            registry.register(Box::new(gauges.clone()))?;
        }
        for histogram in [&self.card_alerts, &self.round_trip, &self.end_to_end] {
            registry.register(Box::new(histogram.clone()))?;
        }
        registry.register(Box::new(self.in_flight.clone()))
    }

    /// Counts alerts that have ended.
    pub fn ended(&self, outcome: Outcome, alerts: u64) {
        self.alerts.with_label_values(&[outcome.as_str()]).inc_by(alerts);
    }

    /// Counts alerts that came again after they had ended.
    pub fn redelivered(&self, alerts: usize) {
        self.redelivered.inc_by(alerts as u64);
    }

    /// Counts an envelope that went to the dead letters.
    pub fn dead(&self, reason: Reason) {
        self.dead.with_label_values(&[reason.as_str()]).inc();
    }

    /// Counts an answer of Feishu.
    pub fn answered(&self, verdict: &Verdict) {
        self.requests.with_label_values(&[verdict.as_str()]).inc();
    }

    /// Counts an envelope that names a chat.
    pub(crate) fn named(&self, named: Named) {
        if Named::COUNTED.contains(&named) {
            self.named_chats.with_label_values(&[named.as_str()]).inc();
        }
    }

    /// Counts a repair.
    pub fn repaired(&self, repair: Repair) {
        self.repairs.with_label_values(&[repair.as_str()]).inc();
    }

    /// Counts a card that was accepted.
    pub fn card(&self, alerts: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a card has far fewer than 2^52 alerts")]
        self.card_alerts.observe(alerts as f64);
    }

    /// Shows whether a receiver refuses everything.
    pub fn broken(&self, receiver: &str, is_broken: bool) {
        self.broken.with_label_values(&[receiver]).set(i64::from(is_broken));
    }

    /// Whether a receiver refuses everything, and how many alerts wait for it in this process.
    pub fn standing(&self, receiver: &str) -> (bool, i64) {
        let broken = self.broken.with_label_values(&[receiver]).get();
        (broken != 0, self.waiting.with_label_values(&[receiver]).get())
    }

    /// How many alerts wait for a receiver; there from the start, like everything else about it.
    pub fn waiting_alerts(&self, receiver: &str) -> IntGauge {
        self.broken(receiver, false);
        self.waiting.with_label_values(&[receiver])
    }
}

fn counters((name, help): (&str, &str), label: &str, values: &[&str]) -> prometheus::Result<IntCounterVec> {
    let counters = IntCounterVec::new(opts(name, help), &[label])?;
    for value in values {
        counters.with_label_values(&[value]).reset();
    }
    Ok(counters)
}

fn counter(name: &str, help: &str) -> prometheus::Result<IntCounter> {
    IntCounter::with_opts(opts(name, help))
}

fn gauges(name: &str, help: &str) -> prometheus::Result<IntGaugeVec> {
    IntGaugeVec::new(opts(name, help), &["receiver"])
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("larkfire")
}

fn histogram(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help).namespace("larkfire")
}
