//! Writing letters. One death is one letter: a message that is delivered again changes nothing, and a later death of
//! the same envelope (after a replay, or because a worker died between publishing and settling) moves its letter on.

use model::envelope::Source;

use super::record::DeadLetterRecord;
use super::{DeadLetterState, DeadLetters, ReplayOutcome};
use crate::store::sql::{Transaction, Value, places, rows};
use crate::store::{Dialect, Insert, Pool, StoreError};

/// Letters written in one transaction. Few, because all of it has to be done within `database.timeout`.
const KEPT_TOGETHER_MAX: usize = 20;

/// The first columns are what a later death leaves as it is.
const LETTER: Insert<'_> = Insert {
    table: "larkfire_dead_letters",
    columns: &[
        "letter_key",
        "line_key",
        "envelope",
        "source",
        "alerts",
        "summary",
        "body",
        "body_bytes",
        "first_failed_ms",
        "stored_ms",
        MOVED_ON[0],
        MOVED_ON[1],
        MOVED_ON[2],
        MOVED_ON[3],
        MOVED_ON[4],
        MOVED_ON[5],
        MOVED_ON[6],
        MOVED_ON[7],
        MOVED_ON[8],
        MOVED_ON[9],
    ],
    key: 1,
};
const ALERTS: Insert<'_> =
    Insert { table: "larkfire_dead_alerts", columns: &["fingerprint", "letter_key"], key: 2 };
/// What a later death changes; the time of the death is the last of them, because `MySQL` assigns in this order and
/// compares with what it has assigned already.
const MOVED_ON: [&str; 10] = [
    "receiver",
    "reason",
    "code",
    "message",
    "attempts",
    "card",
    "state",
    "outcome",
    "changed_ms",
    "last_failed_ms",
];

impl DeadLetters {
    /// Writes the letters. When this returns they are safe.
    pub(super) async fn keep(&self, records: &[DeadLetterRecord]) -> Result<(), StoreError> {
        for together in records.chunks(KEPT_TOGETHER_MAX) {
            self.store.within(|| self.keep_together(together)).await?;
        }
        Ok(())
    }

    async fn keep_together(&self, records: &[DeadLetterRecord]) -> Result<(), sqlx::Error> {
        let now_ms = self.clock.now().as_millisecond();
        let pool = self.store.pool();
        let mut died_again = Vec::with_capacity(records.len());
        for record in records {
            died_again.push(self.is_known(record).await?);
        }
        let mut transaction = Transaction::begin(pool).await?;
        let insert = insert(pool.dialect());
        for (record, died_again) in records.iter().zip(died_again) {
            if died_again {
                move_on(&mut transaction, record, now_ms).await?;
                continue;
            }
            let mut values = vec![
                record.letter_key[..].into(),
                record.line_key[..].into(),
                record.envelope.as_ref().map(|envelope| &envelope.as_bytes()[..]).into(),
                record.source.map(Source::as_str).into(),
                count(record.alerts).into(),
                record.summary.as_str().into(),
                record.body[..].into(),
                count(record.body_bytes).into(),
                record.failure.first_failed_at.as_millisecond().into(),
                now_ms.into(),
            ];
            values.extend(moved_on(record, None, now_ms));
            transaction.execute(&insert, &values).await?;
            index(&mut transaction, pool, record).await?;
        }
        transaction.commit().await
    }

    /// Whether a letter of ours was sent again and this is what became of it. Of an envelope only what was not told
    /// comes back, so its line may be another; the letter keeps all of it.
    async fn is_known(&self, record: &DeadLetterRecord) -> Result<bool, sqlx::Error> {
        let Some(letter) = record.replay else { return Ok(false) };
        let known =
            "SELECT COUNT(*) FROM larkfire_dead_letters WHERE id = ? AND (line_key = ? OR envelope = ?)";
        let envelope = record.envelope.as_ref().map(|envelope| &envelope.as_bytes()[..]);
        let values = [letter.0.into(), record.line_key[..].into(), envelope.into()];
        let found: Vec<(i64,)> = rows(self.store.pool(), known, &values).await?;
        // Otherwise it is another database's letter, or one that was cleaned away meanwhile: a new one here.
        Ok(found.first().is_some_and(|(found,)| *found > 0))
    }
}

/// Whoever has it in hand twice changes it once: a death is later than the one before.
async fn move_on(
    transaction: &mut Transaction,
    record: &DeadLetterRecord,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let changes = MOVED_ON.map(|column| format!("{column} = ?")).join(", ");
    let update = format!(
        "UPDATE larkfire_dead_letters SET {changes} WHERE id = ? AND last_failed_ms < ? AND state <> ?"
    );
    let mut values = Vec::from(moved_on(record, Some(ReplayOutcome::DeadLetteredAgain), now_ms));
    values.extend::<[Value<'_>; 3]>([
        record.replay.map(|letter| letter.0).into(),
        record.failure.last_failed_at.as_millisecond().into(),
        DeadLetterState::Discarded.as_str().into(),
    ]);
    transaction.execute(&update, &values).await?;
    Ok(())
}

/// Which letters an alert is in.
async fn index(
    transaction: &mut Transaction,
    pool: &Pool,
    record: &DeadLetterRecord,
) -> Result<(), sqlx::Error> {
    if record.fingerprints.is_empty() {
        return Ok(());
    }
    let places = vec!["(?, ?)"; record.fingerprints.len()].join(", ");
    let insert = ALERTS.or_keep(pool.dialect(), &format!("VALUES {places}"));
    let pairs = record.fingerprints.iter();
    let values: Vec<Value<'_>> =
        pairs.flat_map(|fingerprint| [fingerprint.as_str().into(), record.letter_key[..].into()]).collect();
    transaction.execute(&insert, &values).await?;
    Ok(())
}

/// The values of `MOVED_ON`.
fn moved_on(
    record: &DeadLetterRecord,
    outcome: Option<ReplayOutcome>,
    now_ms: i64,
) -> [Value<'_>; MOVED_ON.len()] {
    let failure = &record.failure;
    [
        failure.receiver.as_str().into(),
        failure.reason.as_str().into(),
        failure.code.into(),
        failure.message.as_str().into(),
        i64::from(failure.attempts).into(),
        record.card.as_deref().into(),
        DeadLetterState::Waiting.as_str().into(),
        outcome.map(ReplayOutcome::as_str).into(),
        now_ms.into(),
        failure.last_failed_at.as_millisecond().into(),
    ]
}

fn insert(dialect: Dialect) -> String {
    let values = format!("VALUES ({})", places(LETTER.columns.len()));
    let changes = MOVED_ON.map(|column| {
        format!(
            "{column} = CASE WHEN NEW(last_failed_ms) > larkfire_dead_letters.last_failed_ms THEN NEW({column}) \
             ELSE larkfire_dead_letters.{column} END"
        )
    });
    LETTER.or_update(dialect, &values, &changes)
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
