//! What the ledger has of an alert or an envelope, for operators.

use model::envelope::EnvelopeId;

use super::batch::fitting;
use super::table::Table;
use super::traced_alert::{TraceFilter, TracedAlert};
use crate::store::{Store, StoreError};

/// Rows shown at most: one alert has one per receiver, one envelope at most one per alert and receiver.
const ROWS_MAX: u32 = 1_000;

/// What is known of an alert, at every receiver.
pub async fn find_by_fingerprint(store: &Store, fingerprint: &str) -> Result<Vec<TracedAlert>, StoreError> {
    find(store, TraceFilter::Fingerprint(&fitting(fingerprint))).await
}

/// The alerts an envelope was the last to deliver, or is about to deliver.
pub async fn find_by_envelope(store: &Store, envelope: EnvelopeId) -> Result<Vec<TracedAlert>, StoreError> {
    find(store, TraceFilter::Envelope(envelope)).await
}

async fn find(store: &Store, wanted: TraceFilter<'_>) -> Result<Vec<TracedAlert>, StoreError> {
    Table(store.clone()).find(wanted, ROWS_MAX).await
}
