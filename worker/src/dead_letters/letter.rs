//! A dead letter as it is kept.

use jiff::Timestamp;
use serde::Serialize;
use shared::envelope::EnvelopeId;
use shared::queue::LetterId;

/// A dead letter without its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// Its number, by which it is chosen.
    pub id: LetterId,
    /// The envelope in it, if it can be read.
    pub envelope: Option<EnvelopeId>,
    /// The receiver it was meant for; empty when that was not known.
    pub receiver: String,
    /// The format it came in, if it can be read.
    pub source: Option<String>,
    /// Why it died last.
    pub reason: String,
    /// Feishu's code, where Feishu answered with one.
    pub code: Option<i64>,
    /// What was said about it. Holds no secret and no URL.
    pub message: String,
    /// How many times delivery was tried.
    pub attempts: i64,
    /// When it failed for the first time.
    pub first_failed_at: Timestamp,
    /// When it failed last.
    pub last_failed_at: Timestamp,
    /// What is being done about it.
    pub state: String,
    /// What its last replay came to.
    pub outcome: Option<String>,
    /// When its state has changed last.
    pub changed_at: Timestamp,
    /// The line of the audit trail for the last thing an operator did with it.
    pub changed_by: Option<i64>,
    /// How many alerts are in it.
    pub alerts: i64,
    /// Their names.
    pub summary: String,
    /// How long it is in bytes; of one longer than [`LETTER_BYTES_MAX`](super::LETTER_BYTES_MAX) only the beginning is
    /// kept.
    pub body_bytes: i64,
}

/// What is in a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The envelope's line, or bytes nobody could read.
    pub body: Vec<u8>,
    /// `{"card":…}`, what was refused as it was sent, where something was.
    pub card: Option<Vec<u8>>,
}

/// What is being done about a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Waiting,
    /// It was sent through the pipeline again, and what came of it is not known yet.
    Replaying,
    /// It was sent again, and is settled.
    Replayed,
    /// An operator has given it up.
    Discarded,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Replaying, Self::Replayed, Self::Discarded];

    /// The word in the database, and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Replaying => "replaying",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }
}

/// What a replay came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayOutcome {
    /// It was told now.
    Told,
    /// It had been told since it died, and was not told again.
    ToldSince,
    /// Its alerts were resolved since it died, so it was not told.
    ResolvedSince,
    /// It could not be told again, and waits as before.
    DeadAgain,
}

impl ReplayOutcome {
    /// Every outcome, for metrics that show each from the start.
    pub const ALL: [Self; 4] = [Self::Told, Self::ToldSince, Self::ResolvedSince, Self::DeadAgain];

    /// The word in the database, and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::ToldSince => "told_since",
            Self::ResolvedSince => "resolved_since",
            Self::DeadAgain => "dead_again",
        }
    }
}
