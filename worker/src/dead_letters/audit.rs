//! Who did what to dead letters, and when. Written before it is done, and again when it is: what a killed command had
//! begun is to be seen as well.

use jiff::Timestamp;
use serde::Serialize;

use super::read::timestamp;
use super::{DeadLetters, Filter};
use crate::store::StoreError;
use crate::store::sql::{Value, execute, insert, places, rows};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sent again, unless it was told or resolved since.
    Replay,
    /// Sent again in any case.
    ForcedReplay,
    /// Given up.
    Discard,
}

impl Action {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::ForcedReplay => "replay --force",
            Self::Discard => "discard",
        }
    }
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// When it was begun.
    pub at: Timestamp,
    /// Who says to have done it: the system's user and host, or a name of their own choice. No proof.
    pub who: String,
    /// What was done.
    pub action: String,
    /// How the letters were chosen.
    pub chosen: String,
    /// How many letters were meant.
    pub letters: i64,
    /// How many it was done to; unknown if the command did not come to its end.
    pub done: Option<i64>,
}

/// What is kept of a name, in characters.
const WHO_CHARS_MAX: usize = 255;
/// What is kept of how letters were chosen, in characters.
const CHOSEN_CHARS_MAX: usize = 4_000;

impl DeadLetters {
    /// Writes down that something is about to be done; returns the line's number.
    pub async fn begin_action(
        &self,
        who: &str,
        action: Action,
        filter: &Filter,
        letters: usize,
    ) -> Result<i64, StoreError> {
        let text = "INSERT INTO larkfire_audit (at_ms, who, action, chosen, letters) VALUES (?, ?, ?, ?, ?)";
        let at_ms = self.clock.now().as_millisecond();
        let who: String = who.chars().take(WHO_CHARS_MAX).collect();
        let chosen: String = filter.to_string().chars().take(CHOSEN_CHARS_MAX).collect();
        let letters = i64::try_from(letters).unwrap_or(i64::MAX);
        let values = [
            at_ms.into(),
            who.as_str().into(),
            action.as_str().into(),
            chosen.as_str().into(),
            letters.into(),
        ];
        self.store.within(insert(self.store.pool(), text, &values)).await
    }

    /// Writes down how many letters it was done to.
    pub async fn end_action(&self, entry: i64, done: u64) -> Result<(), StoreError> {
        let update = "UPDATE larkfire_audit SET done = ? WHERE id = ?";
        let values = [i64::try_from(done).unwrap_or(i64::MAX).into(), entry.into()];
        self.store.within(execute(self.store.pool(), update, &values)).await.map(drop)
    }

    /// The newest lines of the trail, the newest first.
    pub async fn audit(&self, most: usize) -> Result<Vec<Entry>, StoreError> {
        self.entries("1 = 1", vec![], most).await
    }

    /// These lines of the trail, the newest first.
    pub async fn audit_of(&self, entries: &[i64]) -> Result<Vec<Entry>, StoreError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let values = entries.iter().map(|entry| Value::Number(*entry)).collect();
        self.entries(&format!("id IN ({})", places(entries.len())), values, entries.len()).await
    }

    async fn entries(
        &self,
        condition: &str,
        mut values: Vec<Value<'_>>,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let select = format!(
            "SELECT id, at_ms, who, action, chosen, letters, done FROM larkfire_audit WHERE {condition} \
             ORDER BY id DESC LIMIT ?"
        );
        values.push(i64::try_from(most).unwrap_or(i64::MAX).into());
        let lines: Vec<Line> = self.store.within(rows(self.store.pool(), &select, &values)).await?;
        let entry = |(id, at_ms, who, action, chosen, letters, done)| Entry {
            id,
            at: timestamp(at_ms),
            who,
            action,
            chosen,
            letters,
            done,
        };
        Ok(lines.into_iter().map(entry).collect())
    }
}

/// The columns of one line.
type Line = (i64, i64, String, String, String, i64, Option<i64>);
