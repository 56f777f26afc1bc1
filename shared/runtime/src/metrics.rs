//! The registry of metrics: each with its labels and its help, in English and in Chinese. The code takes its metrics from
//! here, and so do the tables of `docs/metrics.md`.

pub mod delivery;
pub mod escalation;
pub mod intake;
pub mod memory;
pub mod people;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Result};

use crate::documents::{Bilingual, Roles, text};

/// Metrics that belong together, in the order of the documents.
pub const GROUPS: [&MetricGroup; 11] = [
    &delivery::ALERTS,
    &delivery::FEISHU,
    &delivery::CARDS,
    &memory::DEAD_LETTERS,
    &memory::DEDUP,
    &memory::WATCH,
    &intake::INGEST,
    &intake::QUEUE,
    &people::PEOPLE,
    &escalation::ESCALATION,
    &intake::PROCESS,
];

/// Metrics that belong together.
#[derive(Clone, Copy, Debug)]
pub struct MetricGroup {
    /// The heading above them.
    pub title: Bilingual,
    /// The metrics.
    pub metrics: &'static [Metric],
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its whole name.
    pub name: &'static str,
    /// What it measures with.
    pub kind: MetricKind,
    /// Its labels.
    pub labels: &'static [MetricLabel],
    /// Which processes show it; `larkfire` shows what either role does.
    pub shown_by: Roles,
    /// What it counts. The English one is what `/metrics` says.
    pub help: Bilingual,
    /// What to make of it; may be empty.
    pub advice: Bilingual,
}

/// What a metric measures with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often what size was seen.
    Histogram,
}

/// One label of a metric.
#[derive(Clone, Copy, Debug)]
pub struct MetricLabel {
    /// Its name.
    pub name: &'static str,
    /// Whose names its values are, if they come from the configuration; otherwise they are all there from the start.
    pub from_configuration: Option<Bilingual>,
}

/// Every metric.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    GROUPS.into_iter().flat_map(|group| group.metrics)
}

impl Metric {
    /// A counter without labels.
    pub fn counter(&self) -> Result<IntCounter> {
        IntCounter::with_opts(self.options())
    }

    /// Counters by the labels.
    pub fn counters(&self) -> Result<IntCounterVec> {
        IntCounterVec::new(self.options(), &self.label_names())
    }

    /// A gauge without labels.
    pub fn gauge(&self) -> Result<IntGauge> {
        IntGauge::with_opts(self.options())
    }

    /// Gauges by the labels.
    pub fn gauges(&self) -> Result<IntGaugeVec> {
        IntGaugeVec::new(self.options(), &self.label_names())
    }

    /// A histogram with these upper bounds.
    pub fn histogram(&self, buckets: impl Into<Vec<f64>>) -> Result<Histogram> {
        Histogram::with_opts(HistogramOpts::new(self.name, self.help.en).buckets(buckets.into()))
    }

    /// The names of its labels.
    pub fn label_names(&self) -> Vec<&'static str> {
        self.labels.iter().map(|label| label.name).collect()
    }

    fn options(&self) -> Opts {
        Opts::new(self.name, self.help.en)
    }

    const fn labels(self, labels: &'static [MetricLabel]) -> Self {
        Self { labels, ..self }
    }

    const fn advice(self, en: &'static str, zh: &'static str) -> Self {
        Self { advice: text(en, zh), ..self }
    }
}

const fn metric(name: &'static str, kind: MetricKind, shown_by: Roles, help: Bilingual) -> Metric {
    Metric { name, kind, labels: &[], shown_by, help, advice: Bilingual::EMPTY }
}

/// A label whose values are all there from the first scrape.
const fn label(name: &'static str) -> MetricLabel {
    MetricLabel { name, from_configuration: None }
}

/// A label whose values are names from the configuration.
const fn names(name: &'static str, en: &'static str, zh: &'static str) -> MetricLabel {
    MetricLabel { name, from_configuration: Some(text(en, zh)) }
}
