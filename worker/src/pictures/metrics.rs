//! What is counted about pictures.

use prometheus::{IntCounterVec, Registry};
use runtime::metrics::delivery;

use super::PictureOutcome;

/// Counters, shown by one registry; every label value is there from the first scrape.
#[derive(Clone, Debug)]
pub(super) struct PictureMetrics(IntCounterVec);

impl PictureMetrics {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let pictures = delivery::CARD_PICTURES.counters()?;
        for outcome in PictureOutcome::ALL {
            pictures.with_label_values(&[outcome.as_str()]).reset();
        }
        registry.register(Box::new(pictures.clone()))?;
        Ok(Self(pictures))
    }

    pub(super) fn became(&self, outcome: PictureOutcome) {
        self.0.with_label_values(&[outcome.as_str()]).inc();
    }
}
