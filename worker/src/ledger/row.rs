//! What the ledger knows of one alert at one receiver. Pure.

use jiff::Timestamp;
use model::alert::Status;
use model::envelope::EnvelopeId;

/// Milliseconds since 1970, as the tables have them.
pub(crate) type Millis = i64;

/// One process that tells alerts. The number is random: a process that was restarted is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Holder(pub(crate) i64);

/// One alert of an envelope, as the ledger sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The receiver it is for, 64 bytes at most.
    pub receiver: &'a str,
    /// Who the alert is.
    pub fingerprint: &'a str,
    /// Whether it fires or is over.
    pub status: Status,
    /// When it began; `None` where the source has no times of its own.
    pub starts_at: Option<Timestamp>,
    /// When it ended, as its sender says; `None` while it fires, or where nobody says so.
    pub ends_at: Option<Timestamp>,
    /// When its envelope was received.
    pub received_at: Timestamp,
    /// Whether its sender says that it is sent again to remind people, and for nothing else.
    pub is_repeat: bool,
    /// Its envelope.
    pub envelope: EnvelopeId,
    /// An operator wants it delivered whatever is known (`replay --force`).
    pub forced: bool,
}

/// A state an alert was in. Of one alert there is an order among them: by instance, then by `seen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AlertState {
    /// When this firing began: the first stamp that was seen of it.
    pub(crate) instance: Millis,
    /// Whether it fires or is over.
    pub(crate) status: Status,
    /// The latest effective time this state was seen with.
    pub(crate) seen: Millis,
    /// By its sender's clock: of a firing the latest stamp of its beginning, of an end the first of its ending. Nothing
    /// where an older version has recorded it.
    pub(crate) edge: Option<Millis>,
}

/// What was delivered last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DeliveredState {
    pub(crate) state: AlertState,
    /// When, by the clock of whoever delivered it.
    pub(crate) at: Millis,
    pub(crate) envelope: EnvelopeId,
}

/// What somebody is about to deliver. A lease: it ends by itself if nobody comes back for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Claim {
    pub(crate) state: AlertState,
    pub(crate) until: Millis,
    pub(crate) envelope: EnvelopeId,
    /// Who has the envelope in hand, as far as we know.
    pub(crate) holder: Holder,
}

/// All of it. A claim is always newer than what was delivered, or the same state to be delivered once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct LedgerRow {
    pub(crate) delivered: Option<DeliveredState>,
    pub(crate) claim: Option<Claim>,
}

impl Event<'_> {
    pub(crate) fn received(&self) -> Millis {
        self.received_at.as_millisecond()
    }

    pub(crate) fn started(&self) -> Option<Millis> {
        self.starts_at.map(Timestamp::as_millisecond)
    }
}

impl LedgerRow {
    /// The claim, as long as it holds; its own envelope may come back for it after that, too.
    pub(crate) fn claim_at(&self, now: Millis, envelope: EnvelopeId) -> Option<Claim> {
        self.claim.filter(|claim| claim.until > now || claim.envelope == envelope)
    }
}
