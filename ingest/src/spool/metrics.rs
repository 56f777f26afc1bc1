//! What the spool counts. Registered only where there is one.

use prometheus::{Error, IntCounterVec, IntGauge, Registry};
use runtime::metrics::intake;

const OUTCOMES: [&str; 4] = ["stored", "replayed", "refused", "failed"];

/// The metrics of one spool.
#[derive(Clone, Debug)]
pub(super) struct SpoolMetrics {
    /// Bytes of segments that wait to be replayed.
    pub(super) bytes: IntGauge,
    records: IntCounterVec,
    damaged: IntCounterVec,
}

/// What was wrong with a segment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Damage {
    /// It ended in the middle of a record, as after a crash.
    Torn,
    /// It was not what was written. It is kept.
    Corrupt,
}

impl Damage {
    const ALL: [Self; 2] = [Self::Torn, Self::Corrupt];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Torn => "torn",
            Self::Corrupt => "corrupt",
        }
    }
}

impl SpoolMetrics {
    pub(super) fn register(registry: &Registry) -> Result<Self, Error> {
        let metrics = Self {
            bytes: intake::SPOOL_BYTES.gauge()?,
            records: intake::SPOOL_RECORDS.counters()?,
            damaged: intake::SPOOL_DAMAGED_SEGMENTS.counters()?,
        };
        for outcome in OUTCOMES {
            metrics.records.with_label_values(&[outcome]).reset();
        }
        for kind in Damage::ALL.map(Damage::as_str) {
            metrics.damaged.with_label_values(&[kind]).reset();
        }
        registry.register(Box::new(metrics.bytes.clone()))?;
        registry.register(Box::new(metrics.records.clone()))?;
        registry.register(Box::new(metrics.damaged.clone()))?;
        Ok(metrics)
    }

    /// Messages are on disk.
    pub(super) fn stored(&self, messages: usize) {
        self.count("stored", messages);
    }

    /// The queue has confirmed messages of the spool.
    pub(super) fn replayed(&self, messages: usize) {
        self.count("replayed", messages);
    }

    /// There was no room for messages.
    pub(super) fn refused(&self, messages: usize) {
        self.count("refused", messages);
    }

    /// Messages could not be written, or not in time.
    pub(super) fn failed(&self, messages: usize) {
        self.count("failed", messages);
    }

    /// A part of a segment was not replayed.
    pub(super) fn damaged(&self, kind: Damage) {
        self.damaged.with_label_values(&[kind.as_str()]).inc();
    }

    fn count(&self, outcome: &str, messages: usize) {
        self.records.with_label_values(&[outcome]).inc_by(messages as u64);
    }
}
