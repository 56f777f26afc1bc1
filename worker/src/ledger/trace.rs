//! What the ledger has of an alert or an envelope, for operators.

use jiff::Timestamp;
use shared::alert::Status;
use shared::envelope::EnvelopeId;

use super::batch::fitting;
use super::row::{Millis, Row, State};
use super::table::Table;
use crate::store::{Store, StoreError};

/// Rows shown at most: one alert has one per receiver, one envelope at most one per alert and receiver.
const ROWS_MAX: u32 = 1_000;

/// One alert at one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The receiver's name.
    pub receiver: String,
    /// Who the alert is.
    pub fingerprint: String,
    /// What was told last.
    pub told: Option<EntryTold>,
    /// What is about to be told.
    pub claim: Option<EntryClaim>,
    /// When the row was written last.
    pub touched_at: Timestamp,
}

/// What was told last of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryTold {
    /// In which state.
    pub state: EntryState,
    /// When.
    pub at: Timestamp,
    /// From which envelope.
    pub envelope: EnvelopeId,
}

/// What is about to be told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryClaim {
    /// In which state.
    pub state: EntryState,
    /// Until when nobody else will tell it.
    pub until: Timestamp,
    /// From which envelope.
    pub envelope: EnvelopeId,
}

/// A state of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryState {
    /// When this firing began.
    pub instance: Timestamp,
    /// Whether it fires or is over.
    pub status: Status,
    /// The latest time it was seen so; a resolution counts as `dedup.jitter` later than it came.
    pub seen: Timestamp,
}

/// What somebody looks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'w> {
    Fingerprint(&'w str),
    Envelope(EnvelopeId),
}

/// What is known of an alert, at every receiver.
pub async fn find_by_fingerprint(store: &Store, fingerprint: &str) -> Result<Vec<Entry>, StoreError> {
    find(store, Wanted::Fingerprint(&fitting(fingerprint))).await
}

/// The alerts an envelope was the last to tell, or is about to tell.
pub async fn find_by_envelope(store: &Store, envelope: EnvelopeId) -> Result<Vec<Entry>, StoreError> {
    find(store, Wanted::Envelope(envelope)).await
}

async fn find(store: &Store, wanted: Wanted<'_>) -> Result<Vec<Entry>, StoreError> {
    Table(store.clone()).find(wanted, ROWS_MAX).await
}

impl Entry {
    pub(crate) fn new((receiver, fingerprint): (String, String), row: &Row, touched_at: Millis) -> Self {
        Self {
            receiver,
            fingerprint,
            told: row.told.map(|told| EntryTold {
                state: told.state.into(),
                at: timestamp(told.at),
                envelope: told.envelope,
            }),
            claim: row.claim.map(|claim| EntryClaim {
                state: claim.state.into(),
                until: timestamp(claim.until),
                envelope: claim.envelope,
            }),
            touched_at: timestamp(touched_at),
        }
    }
}

impl From<State> for EntryState {
    fn from(state: State) -> Self {
        Self { instance: timestamp(state.instance), status: state.status, seen: timestamp(state.seen) }
    }
}

/// Nobody but us writes these, so none is out of range; one that is shows as the very beginning.
fn timestamp(millis: Millis) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MIN)
}
