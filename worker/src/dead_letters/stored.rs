//! A dead letter as it is kept.

use jiff::Timestamp;
use model::envelope::EnvelopeId;
use queue::DeadLetterId;
use serde::Serialize;

/// A dead letter without its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredDeadLetter {
    /// Its number, by which it is chosen.
    pub id: DeadLetterId,
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
    /// How much of that is kept. What a version before this one has cut cannot be sent either.
    pub kept_bytes: i64,
}

impl StoredDeadLetter {
    /// Whether all of it is there, so that it can be sent again.
    pub const fn is_whole(&self) -> bool {
        self.kept_bytes == self.body_bytes
    }
}

/// What is in a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterContent {
    /// The envelope's line, or bytes nobody could read.
    pub body: Vec<u8>,
    /// `{"card":…}`, what was refused as it was sent, where something was.
    pub card: Option<Vec<u8>>,
}

/// What is being done about a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterState {
    /// Nothing yet.
    Waiting,
    /// It was sent through the pipeline again, and what came of it is not known yet.
    Replaying,
    /// It was sent again, and is settled.
    Replayed,
    /// An operator has given it up.
    Discarded,
}

impl DeadLetterState {
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
    /// It was delivered now.
    Delivered,
    /// It had been delivered since it became a dead letter, and was not delivered again.
    DeliveredSince,
    /// Its alerts were resolved since it became a dead letter, so it was not delivered.
    ResolvedSince,
    /// It could not be delivered again, and waits as before.
    DeadLetteredAgain,
}

impl ReplayOutcome {
    /// Every outcome, for metrics that show each from the start.
    pub const ALL: [Self; 4] =
        [Self::Delivered, Self::DeliveredSince, Self::ResolvedSince, Self::DeadLetteredAgain];

    /// The word in the database, and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::DeliveredSince => "delivered_since",
            Self::ResolvedSince => "resolved_since",
            Self::DeadLetteredAgain => "dead_lettered_again",
        }
    }
}

/// The outcome of a replay as it is called now. Workers before version 0.1 wrote other words; while a rollout lasts they
/// write them beside this one, after migration 0014 has rewritten what was there. Such a row stays until its letter is
/// decided about, so this may go only together with another step that rewrites the old words, in a version that no longer
/// runs beside those workers.
pub(super) fn outcome_word(stored: String) -> String {
    let outcome = match stored.as_str() {
        "told" => ReplayOutcome::Delivered,
        "told_since" => ReplayOutcome::DeliveredSince,
        "dead_again" => ReplayOutcome::DeadLetteredAgain,
        _ => return stored,
    };
    outcome.as_str().to_owned()
}
