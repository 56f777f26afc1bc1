//! A row of the ledger as operators are shown it.

use jiff::Timestamp;
use model::alert::Status;
use model::envelope::EnvelopeId;

use super::row::{AlertState, LedgerRow, Millis};

/// One alert at one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedAlert {
    /// The receiver's name.
    pub receiver: String,
    /// Who the alert is.
    pub fingerprint: String,
    /// What was delivered last.
    pub delivered: Option<EntryDelivered>,
    /// What is about to be delivered.
    pub claim: Option<EntryClaim>,
    /// When the row was written last.
    pub touched_at: Timestamp,
}

/// What was delivered last of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryDelivered {
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
    /// Until when nobody else will deliver it.
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
pub(crate) enum TraceFilter<'w> {
    Fingerprint(&'w str),
    Envelope(EnvelopeId),
}

impl TracedAlert {
    pub(crate) fn new(receiver: String, fingerprint: String, row: &LedgerRow, touched_at: Millis) -> Self {
        Self {
            receiver,
            fingerprint,
            delivered: row.delivered.map(|delivered| EntryDelivered {
                state: delivered.state.into(),
                at: timestamp(delivered.at),
                envelope: delivered.envelope,
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

impl From<AlertState> for EntryState {
    fn from(state: AlertState) -> Self {
        Self { instance: timestamp(state.instance), status: state.status, seen: timestamp(state.seen) }
    }
}

/// Nobody but us writes these, so none is out of range; one that is shows as the very beginning.
fn timestamp(millis: Millis) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MIN)
}
