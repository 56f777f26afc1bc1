//! The letters in the database: single ones, what is changed of them, and what is forgotten in the end (`search.rs` looks for
//! those that are meant).
//!
//! A change is one statement that looks at the state it changes, so that two operators, or an operator and a
//! worker, do not undo each other's. What waits is kept for ever, what is settled for a while.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::envelope::EnvelopeId;
use queue::DeadLetterId;
use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};
use tokio::sync::mpsc::UnboundedReceiver;
use tracing::warn;

use super::stored::outcome_word;
use super::{DeadLetterContent, DeadLetterState, DeadLetters, ReplayOutcome, StoredDeadLetter};
use crate::store::sql::{Transaction, Value, execute, places, rows};
use crate::store::{SmallSteps, StepResult, StoreError};

/// Letters that are shown of one alert: the newest.
const OF_ALERT_MAX: i64 = 100;

pub(super) const COLUMNS: &str = "id, envelope, receiver, source, reason, code, message, attempts, first_failed_ms, \
    last_failed_ms, state, outcome, changed_ms, changed_by, alerts, summary, body_bytes, \
    CAST(LENGTH(body) AS SIGNED) AS kept_bytes";

impl DeadLetters {
    /// How many letters wait, by receiver.
    pub async fn waiting_by_receiver(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let select = "SELECT receiver, COUNT(*) FROM larkfire_dead_letters WHERE state = ? GROUP BY receiver LIMIT 1000";
        let values = [DeadLetterState::Waiting.as_str().into()];
        self.store.within(|| rows(self.store.pool(), select, &values)).await
    }

    /// Of the letters that this action has changed last: how many are in which state, and what replays came to.
    pub async fn outcomes_of_action(
        &self,
        action: i64,
    ) -> Result<Vec<(String, Option<String>, i64)>, StoreError> {
        let select = "SELECT state, outcome, COUNT(*) FROM larkfire_dead_letters WHERE changed_by = ? \
             GROUP BY state, outcome LIMIT 100";
        let values = [action.into()];
        self.store.within(|| rows(self.store.pool(), select, &values)).await
    }

    /// The letters that this action has changed last, the newest first.
    pub async fn of_action(&self, action: i64) -> Result<Vec<StoredDeadLetter>, StoreError> {
        self.some("changed_by = ?", &[action.into()]).await
    }

    /// What is in these letters, in the order of their numbers; those that are gone are left out.
    pub async fn contents(
        &self,
        ids: &[DeadLetterId],
    ) -> Result<Vec<(DeadLetterId, DeadLetterContent)>, StoreError> {
        let mut contents = Vec::with_capacity(ids.len());
        for id in ids {
            let select = "SELECT body, card FROM larkfire_dead_letters WHERE id = ?";
            let values = [id.0.into()];
            let found: Vec<(Vec<u8>, Option<Vec<u8>>)> =
                self.store.within(|| rows(self.store.pool(), select, &values)).await?;
            contents.extend(found.into_iter().map(|(body, card)| (*id, DeadLetterContent { body, card })));
        }
        Ok(contents)
    }

    /// What is in those of these letters that this action is sending again, in their order.
    pub async fn being_replayed(
        &self,
        ids: &[DeadLetterId],
        action: i64,
    ) -> Result<Vec<(DeadLetterId, Vec<u8>)>, StoreError> {
        let select = format!(
            "SELECT id, body FROM larkfire_dead_letters WHERE id IN ({}) AND state = ? AND changed_by = ? \
             ORDER BY id",
            places(ids.len())
        );
        let mut values: Vec<Value<'_>> = ids.iter().map(|id| Value::Number(id.0)).collect();
        values.extend::<[Value<'_>; 2]>([DeadLetterState::Replaying.as_str().into(), action.into()]);
        let found: Vec<(i64, Vec<u8>)> =
            self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
        Ok(found.into_iter().map(|(id, body)| (DeadLetterId(id), body)).collect())
    }

    /// The letters an alert is in, the newest first.
    pub async fn of_alert(&self, fingerprint: &str) -> Result<Vec<StoredDeadLetter>, StoreError> {
        let of_alert = "letter_key IN (SELECT letter_key FROM larkfire_dead_alerts WHERE fingerprint = ?)";
        self.some(of_alert, &[fingerprint.into()]).await
    }

    /// The letters an envelope is in, the newest first.
    pub async fn of_envelope(&self, envelope: EnvelopeId) -> Result<Vec<StoredDeadLetter>, StoreError> {
        self.some("envelope = ?", &[envelope.as_bytes()[..].into()]).await
    }

    async fn some(&self, condition: &str, values: &[Value<'_>]) -> Result<Vec<StoredDeadLetter>, StoreError> {
        let select = format!(
            "SELECT {COLUMNS}, NULL AS body FROM larkfire_dead_letters WHERE {condition} \
             ORDER BY id DESC LIMIT {OF_ALERT_MAX}"
        );
        let found: Vec<DeadLetterRow> =
            self.store.within(|| rows(self.store.pool(), &select, values)).await?;
        Ok(found.into_iter().map(|row| row.letter).collect())
    }

    /// How many wait for an operator.
    pub async fn waiting(&self) -> Result<i64, StoreError> {
        let select = "SELECT COUNT(*) FROM larkfire_dead_letters WHERE state = ?";
        let values = [DeadLetterState::Waiting.as_str().into()];
        let count: Vec<(i64,)> = self.store.within(|| rows(self.store.pool(), select, &values)).await?;
        Ok(count.first().map_or(0, |(count,)| *count))
    }
}

/// A row of the columns and a body.
pub(super) struct DeadLetterRow {
    pub(super) letter: StoredDeadLetter,
    pub(super) body: Option<Vec<u8>>,
}

/// The databases' rows have the same columns, of types of their own.
macro_rules! from_row {
    ($row:ty) => {
        impl FromRow<'_, $row> for DeadLetterRow {
            fn from_row(row: &$row) -> Result<Self, sqlx::Error> {
                let time = |column| Ok::<_, sqlx::Error>(timestamp(row.try_get(column)?));
                let envelope: Option<Vec<u8>> = row.try_get("envelope")?;
                let letter = StoredDeadLetter {
                    id: DeadLetterId(row.try_get("id")?),
                    envelope: envelope.and_then(|bytes| bytes.try_into().ok()).map(EnvelopeId::from_bytes),
                    receiver: row.try_get("receiver")?,
                    source: row.try_get("source")?,
                    reason: row.try_get("reason")?,
                    code: row.try_get("code")?,
                    message: row.try_get("message")?,
                    attempts: row.try_get("attempts")?,
                    first_failed_at: time("first_failed_ms")?,
                    last_failed_at: time("last_failed_ms")?,
                    state: row.try_get("state")?,
                    outcome: row.try_get::<Option<String>, _>("outcome")?.map(outcome_word),
                    changed_at: time("changed_ms")?,
                    changed_by: row.try_get("changed_by")?,
                    alerts: row.try_get("alerts")?,
                    summary: row.try_get("summary")?,
                    body_bytes: row.try_get("body_bytes")?,
                    kept_bytes: row.try_get("kept_bytes")?,
                };
                Ok(Self { letter, body: row.try_get("body")? })
            }
        }
    };
}
from_row!(MySqlRow);
from_row!(PgRow);
from_row!(SqliteRow);

/// The database holds milliseconds we have written; anything else was put there by hand.
pub(super) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl DeadLetters {
    /// Writes down what the pipeline says of replays, until it has ended.
    pub(crate) async fn follow_replays(self, mut outcomes: UnboundedReceiver<(DeadLetterId, ReplayOutcome)>) {
        while let Some((letter, outcome)) = outcomes.recv().await {
            self.replayed(letter, outcome).await;
        }
    }

    /// What a replay came to. If that cannot be written
    /// down the letter stays "replaying", and can be sent again: the ledger knows what was delivered.
    pub async fn replayed(&self, letter: DeadLetterId, outcome: ReplayOutcome) {
        let state = match outcome {
            ReplayOutcome::Delivered | ReplayOutcome::DeliveredSince | ReplayOutcome::ResolvedSince => {
                self.metrics.replayed(outcome);
                DeadLetterState::Replayed
            }
            // Counted when the mover finds out why.
            ReplayOutcome::DeadLetteredAgain => DeadLetterState::Waiting,
        };
        let update = "UPDATE larkfire_dead_letters SET outcome = ?, state = ?, changed_ms = ? WHERE id = ? AND state = ?";
        let values = [
            outcome.as_str().into(),
            state.as_str().into(),
            self.clock.now().as_millisecond().into(),
            letter.0.into(),
            DeadLetterState::Replaying.as_str().into(),
        ];
        if let Err(error) = self.store.within(|| execute(self.store.pool(), update, &values)).await {
            warn!(
                letter = letter.0, outcome = outcome.as_str(), %error,
                "what the replay of a dead letter came to was not written down"
            );
        }
    }

    /// Marks letters before they are sent again, by the action of this number in the audit trail. Says how many of
    /// them could be.
    pub async fn begin_replay(&self, letters: &[DeadLetterId], action: i64) -> Result<u64, StoreError> {
        self.change(
            letters,
            &[DeadLetterState::Waiting, DeadLetterState::Replaying],
            DeadLetterState::Replaying,
            action,
        )
        .await
    }

    /// They could not be sent: they wait as before.
    pub async fn end_replay(&self, letters: &[DeadLetterId], action: i64) -> Result<u64, StoreError> {
        self.change(letters, &[DeadLetterState::Replaying], DeadLetterState::Waiting, action).await
    }

    /// Gives letters up. Says how many of them were not given up, or settled, before.
    pub async fn discard(&self, letters: &[DeadLetterId], action: i64) -> Result<u64, StoreError> {
        self.change(
            letters,
            &[DeadLetterState::Waiting, DeadLetterState::Replaying],
            DeadLetterState::Discarded,
            action,
        )
        .await
    }

    async fn change(
        &self,
        letters: &[DeadLetterId],
        from: &[DeadLetterState],
        to: DeadLetterState,
        action: i64,
    ) -> Result<u64, StoreError> {
        if letters.is_empty() {
            return Ok(0);
        }
        let update = format!(
            "UPDATE larkfire_dead_letters SET state = ?, outcome = NULL, changed_ms = ?, changed_by = ? \
             WHERE id IN ({}) AND (state IN ({}) OR state = ? AND changed_by = ?)",
            places(letters.len()),
            places(from.len())
        );
        let mut values: Vec<Value<'_>> =
            vec![to.as_str().into(), self.clock.now().as_millisecond().into(), action.into()];
        values.extend(letters.iter().map(|letter| Value::Number(letter.0)));
        values.extend(from.iter().map(|state| Value::Text(state.as_str())));
        // Those it has changed already, if it is done again because nobody heard what came of it.
        values.extend::<[Value<'_>; 2]>([to.as_str().into(), action.into()]);
        self.store.within(|| execute(self.store.pool(), &update, &values)).await
    }
}

/// How long a letter is kept after it was replayed or discarded: for whoever asks later.
pub(crate) const SETTLED_KEPT: Duration = Duration::from_hours(30 * 24);
/// Letters deleted in one transaction.
const DELETED_TOGETHER: u64 = 50;

impl DeadLetters {
    /// Deletes all that was kept long enough, in small steps. Says how many letters those were.
    pub async fn clean(&self) -> Result<u64, StoreError> {
        let before_ms = before(self.clock.now(), SETTLED_KEPT);
        let mut steps = SmallSteps::default();
        loop {
            let old = self.old(before_ms).await?;
            if !old.is_empty() {
                self.store.within(|| self.delete(&old)).await?;
            }
            if !steps.go_on(StepResult::of(old.len() as u64, DELETED_TOGETHER)).await {
                break;
            }
        }
        self.trail.clean().await?;
        Ok(steps.done)
    }

    async fn old(&self, before_ms: i64) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let select = format!(
            "SELECT id, letter_key FROM larkfire_dead_letters WHERE state IN (?, ?) AND changed_ms < ? \
             LIMIT {DELETED_TOGETHER}"
        );
        let values = [
            DeadLetterState::Replayed.as_str().into(),
            DeadLetterState::Discarded.as_str().into(),
            before_ms.into(),
        ];
        self.store.within(|| rows(self.store.pool(), &select, &values)).await
    }

    async fn delete(&self, letters: &[(i64, Vec<u8>)]) -> Result<(), sqlx::Error> {
        let mut transaction = Transaction::begin(self.store.pool()).await?;
        let places = places(letters.len());
        let keys: Vec<Value<'_>> = letters.iter().map(|(_, key)| Value::Bytes(key)).collect();
        let alerts = format!("DELETE FROM larkfire_dead_alerts WHERE letter_key IN ({places})");
        transaction.execute(&alerts, &keys).await?;
        let ids: Vec<Value<'_>> = letters.iter().map(|(id, _)| Value::Number(*id)).collect();
        let letters = format!("DELETE FROM larkfire_dead_letters WHERE id IN ({places})");
        transaction.execute(&letters, &ids).await?;
        transaction.commit().await
    }
}

fn before(now: Timestamp, kept: Duration) -> i64 {
    let kept = SignedDuration::try_from(kept).unwrap_or(SignedDuration::MAX);
    now.checked_sub(kept).unwrap_or(Timestamp::MIN).as_millisecond()
}
