//! Looking letters up: pages in the order of their numbers, so that whoever goes through all of them sees each once
//! and holds one page.

use jiff::Timestamp;
use shared::envelope::EnvelopeId;
use shared::queue::LetterId;
use sqlx::mysql::MySqlRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::{Content, DeadLetters, Filter, Letter, State};
use crate::store::StoreError;
use crate::store::sql::{Value, places, rows};

/// Letters read at a time.
const PAGE_LETTERS: i64 = 100;
/// The same with what is in them, which is up to 256 KiB each.
const PAGE_CONTENTS: i64 = 20;
/// Letters that are shown of one alert: the newest.
const OF_ALERT_MAX: i64 = 100;

const COLUMNS: &str = "id, envelope, receiver, source, reason, code, message, attempts, first_failed_ms, \
    last_failed_ms, state, outcome, changed_ms, changed_by, alerts, summary, body_bytes";

/// Which way to go through the letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they died.
    OldestFirst,
    /// As a person looks for them.
    NewestFirst,
}

impl DeadLetters {
    /// The numbers of the letters that are meant, at most `most`.
    pub async fn find(&self, filter: &Filter, order: Order, most: usize) -> Result<Vec<Letter>, StoreError> {
        let mut found: Vec<Letter> = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(filter, order, after).await?;
            let Some((last, _)) = page.last() else { return Ok(found) };
            after = Some(last.id);
            let matching = page.into_iter().filter(|(_, body)| {
                // Only where labels are asked for was the body read.
                body.as_ref().is_none_or(|body| filter.matches(body))
            });
            found.extend(matching.map(|(letter, _)| letter).take(most - found.len()));
            if found.len() == most {
                return Ok(found);
            }
        }
    }

    /// The letters after `after`, with their bodies if those are to be looked at.
    async fn page(
        &self,
        filter: &Filter,
        order: Order,
        after: Option<LetterId>,
    ) -> Result<Vec<(Letter, Option<Vec<u8>>)>, StoreError> {
        let (condition, mut values) = filter.condition();
        let (beyond, direction, first) = match order {
            Order::OldestFirst => ("id > ?", "ASC", i64::MIN),
            Order::NewestFirst => ("id < ?", "DESC", i64::MAX),
        };
        let looked_into = !filter.labels.is_empty();
        let (body, limit) = if looked_into { ("body", PAGE_CONTENTS) } else { ("NULL", PAGE_LETTERS) };
        let select = format!(
            "SELECT {COLUMNS}, {body} AS body FROM larkfire_dead_letters WHERE {condition} AND {beyond} \
             ORDER BY id {direction} LIMIT {limit}"
        );
        values.push(after.map_or(first, |letter| letter.0).into());
        let page: Vec<LetterRow> = self.store.within(rows(self.store.pool(), &select, &values)).await?;
        Ok(page.into_iter().map(|row| (row.letter, row.body)).collect())
    }

    /// What is in these letters, in the order of their numbers; those that are gone are left out.
    pub async fn contents(&self, ids: &[LetterId]) -> Result<Vec<(LetterId, Content)>, StoreError> {
        let mut contents = Vec::with_capacity(ids.len());
        for id in ids {
            let select = "SELECT body, card FROM larkfire_dead_letters WHERE id = ?";
            let values = [id.0.into()];
            let found: Vec<(Vec<u8>, Option<Vec<u8>>)> =
                self.store.within(rows(self.store.pool(), select, &values)).await?;
            contents.extend(found.into_iter().map(|(body, card)| (*id, Content { body, card })));
        }
        Ok(contents)
    }

    /// What is in those of these letters that this action is sending again, in their order.
    pub async fn being_replayed(
        &self,
        ids: &[LetterId],
        action: i64,
    ) -> Result<Vec<(LetterId, Vec<u8>)>, StoreError> {
        let select = format!(
            "SELECT id, body FROM larkfire_dead_letters WHERE id IN ({}) AND state = ? AND changed_by = ? \
             ORDER BY id",
            places(ids.len())
        );
        let mut values: Vec<Value<'_>> = ids.iter().map(|id| Value::Number(id.0)).collect();
        values.extend::<[Value<'_>; 2]>([State::Replaying.as_str().into(), action.into()]);
        let found: Vec<(i64, Vec<u8>)> = self.store.within(rows(self.store.pool(), &select, &values)).await?;
        Ok(found.into_iter().map(|(id, body)| (LetterId(id), body)).collect())
    }

    /// The letters an alert is in, the newest first.
    pub async fn of_alert(&self, fingerprint: &str) -> Result<Vec<Letter>, StoreError> {
        let of_alert = "letter_key IN (SELECT letter_key FROM larkfire_dead_alerts WHERE fingerprint = ?)";
        self.some(of_alert, &[fingerprint.into()]).await
    }

    /// The letters an envelope is in, the newest first.
    pub async fn of_envelope(&self, envelope: EnvelopeId) -> Result<Vec<Letter>, StoreError> {
        self.some("envelope = ?", &[envelope.as_bytes()[..].into()]).await
    }

    async fn some(&self, condition: &str, values: &[Value<'_>]) -> Result<Vec<Letter>, StoreError> {
        let select = format!(
            "SELECT {COLUMNS}, NULL AS body FROM larkfire_dead_letters WHERE {condition} \
             ORDER BY id DESC LIMIT {OF_ALERT_MAX}"
        );
        let found: Vec<LetterRow> = self.store.within(rows(self.store.pool(), &select, values)).await?;
        Ok(found.into_iter().map(|row| row.letter).collect())
    }

    /// How many wait for an operator.
    pub async fn waiting(&self) -> Result<i64, StoreError> {
        let select = "SELECT COUNT(*) FROM larkfire_dead_letters WHERE state = ?";
        let values = [State::Waiting.as_str().into()];
        let count: Vec<(i64,)> = self.store.within(rows(self.store.pool(), select, &values)).await?;
        Ok(count.first().map_or(0, |(count,)| *count))
    }
}

/// A row of the columns and a body.
struct LetterRow {
    letter: Letter,
    body: Option<Vec<u8>>,
}

/// The two databases' rows have the same columns, of types of their own.
macro_rules! from_row {
    ($row:ty) => {
        impl FromRow<'_, $row> for LetterRow {
            fn from_row(row: &$row) -> Result<Self, sqlx::Error> {
                let time = |column| Ok::<_, sqlx::Error>(timestamp(row.try_get(column)?));
                let envelope: Option<Vec<u8>> = row.try_get("envelope")?;
                let letter = Letter {
                    id: LetterId(row.try_get("id")?),
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
                    outcome: row.try_get("outcome")?,
                    changed_at: time("changed_ms")?,
                    changed_by: row.try_get("changed_by")?,
                    alerts: row.try_get("alerts")?,
                    summary: row.try_get("summary")?,
                    body_bytes: row.try_get("body_bytes")?,
                };
                Ok(Self { letter, body: row.try_get("body")? })
            }
        }
    };
}
from_row!(MySqlRow);
from_row!(SqliteRow);

/// The database holds milliseconds we have written; anything else was put there by hand.
pub(super) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
