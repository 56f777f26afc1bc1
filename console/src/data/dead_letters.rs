//! What could not be delivered, and what operators do about it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Advice;

/// A dead letter without what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeadLetterRow {
    /// Its number.
    pub id: i64,
    /// `waiting`, `replaying`, `replayed` or `discarded`.
    pub state: String,
    /// What its last replay came to.
    pub outcome: Option<String>,
    /// Whom it was for; empty when that was not known.
    pub receiver: String,
    /// Why it could not be delivered.
    pub reason: String,
    /// Feishu's code, where that is the reason.
    pub code: Option<i64>,
    /// What was said about it.
    pub message: String,
    /// How often delivery was tried.
    pub attempts: i64,
    /// When it failed for the first time.
    pub first_failed_at: Timestamp,
    /// When it failed last.
    pub last_failed_at: Timestamp,
    /// When its state has changed last.
    pub changed_at: Timestamp,
    /// The action that has changed it last.
    pub changed_by: Option<i64>,
    /// The envelope in it, if it can be read.
    pub envelope: Option<String>,
    /// The format it came in.
    pub source: Option<String>,
    /// How many alerts are in it.
    pub alerts: i64,
    /// Their names.
    pub summary: String,
    /// Whether all of it was kept, so that it can be sent again.
    pub is_whole: bool,
}

/// Some dead letters, the newest first.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DeadLetterPage {
    /// The letters.
    pub letters: Vec<DeadLetterRow>,
    /// The older ones come before this number; `None` if there are none.
    pub before: Option<i64>,
    /// How many were looked into, if no more were although there are more.
    pub looked_into: Option<usize>,
    /// How many match, as long as they can be acted on together.
    pub matching: DeadLetterCount,
}

/// How many letters match at a moment, of those that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeadLetterCount {
    /// So many.
    pub count: usize,
    /// Whether there are more than that, or may be: no more are acted on together.
    pub is_more: bool,
    /// They failed before this moment; what fails later is not meant.
    pub until: Timestamp,
}

/// Everything about a letter.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DeadLetterDetail {
    /// The letter.
    pub letter: DeadLetterRow,
    /// What to do about the reason, where that is known.
    pub advice: Option<Advice>,
    /// The alerts in it, if it can be read.
    pub contents: Vec<DeadLetterAlert>,
    /// What is in it, as it was taken; numbers of telephones are hidden.
    pub payload: String,
    /// The card that was refused, as JSON.
    pub refused_card: Option<String>,
    /// What was done about it last.
    pub action: Option<ActionRow>,
}

/// An alert in a letter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeadLetterAlert {
    /// Who it is.
    pub identity: String,
    /// What it is called.
    pub name: String,
    /// Whether it fired or was over.
    pub status: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A line of the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActionRow {
    /// Its number.
    pub id: i64,
    /// When it was begun.
    pub at: Timestamp,
    /// Who did it.
    pub who: String,
    /// What was done.
    pub action: String,
    /// What it was done to.
    pub chosen: String,
    /// Why, as they said.
    pub reason: Option<String>,
    /// How many letters or alerts were meant.
    pub meant: i64,
    /// How many it was done to; unknown as long as it has not come to its end.
    pub done: Option<i64>,
    /// What came of it, in words.
    pub outcome: Option<String>,
}

/// Something that is done to letters, and how far it has come.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ActionDetail {
    /// Who does what, and why.
    pub action: ActionRow,
    /// Whether it goes on in the process that answers.
    pub is_running: bool,
    /// Why it ended early, if it did.
    pub failure: Option<String>,
    /// Letters by what has become of them: `replaying`, `replayed: delivered`, `discarded` and so on.
    pub outcomes: BTreeMap<String, i64>,
    /// How many letters it has reached so far.
    pub reached: i64,
    /// Letters a second, while it runs.
    pub per_second: Option<f64>,
    /// Those of its letters that were changed last.
    pub letters: Vec<DeadLetterRow>,
}

/// What can be done to letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterAction {
    /// Sent again, unless it was delivered or resolved since.
    Replay,
    /// Sent again in any case.
    ReplayAnyway,
    /// Given up.
    Discard,
}

/// Which letters are meant.
#[derive(Clone, Debug)]
pub enum ChosenLetters {
    /// Those with these numbers.
    Ids(Vec<i64>),
    /// All that wait and match, as they were counted.
    Matching {
        /// What they match.
        query: model::matcher::Query,
        /// They failed before this moment.
        until: Timestamp,
        /// How many there were.
        counted: usize,
    },
}

/// What somebody wants to do to letters.
#[derive(Clone, Debug)]
pub struct DeadLetterOrder {
    /// Who.
    pub who: String,
    /// What.
    pub action: DeadLetterAction,
    /// To which.
    pub chosen: ChosenLetters,
    /// Why.
    pub reason: String,
}
