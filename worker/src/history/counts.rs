//! What the history counts by receiver, of the last moments: by the time of the rows, or by their outcome.

use jiff::Timestamp;

use super::repeats::SPAN_MS;
use super::row::HistoryOutcome;
use crate::store::sql::{Value, explain, rows};
use crate::store::{Store, StoreError};

/// Receivers that are counted at most.
const RECEIVERS_MAX: i64 = 1_000;

/// Rows that are looked at for it at most, the newest.
const ROWS_MAX: i64 = 1_000_000;

/// How many cards, or alerts, of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverCount {
    /// The receiver.
    pub receiver: String,
    /// How many.
    pub count: i64,
    /// The last moment that is about them, in milliseconds since 1970.
    pub last_ms: i64,
}

type CountRow = (Vec<u8>, i64, i64);

/// What counts of the last moments are asked with.
type CountQuery = (&'static str, Vec<Value<'static>>);

fn cards_query(since: Timestamp) -> CountQuery {
    // The rows first, by their time: SQLite would read all of them in the order of receivers.
    let select = "SELECT receiver, COUNT(DISTINCT card), MAX(at_ms) FROM (SELECT receiver, card, at_ms FROM larkfire_history \
         WHERE at_ms >= ? AND card IS NOT NULL ORDER BY at_ms DESC LIMIT ?) AS lately GROUP BY receiver LIMIT ?";
    (select, vec![since.as_millisecond().into(), ROWS_MAX.into(), RECEIVERS_MAX.into()])
}

fn deferred_query(now: Timestamp) -> CountQuery {
    let select = "SELECT receiver, COUNT(*), MAX(until_ms) FROM (SELECT receiver, until_ms FROM larkfire_history \
         WHERE outcome = ? AND at_ms >= ? AND until_ms > ? ORDER BY at_ms DESC LIMIT ?) AS lately GROUP BY receiver LIMIT ?";
    let now_ms = now.as_millisecond();
    let values = vec![
        HistoryOutcome::Deferred.number().into(),
        now_ms.saturating_sub(SPAN_MS).into(),
        now_ms.into(),
        ROWS_MAX.into(),
        RECEIVERS_MAX.into(),
    ];
    (select, values)
}

/// Cards since then, by receiver.
pub async fn cards_since(store: &Store, since: Timestamp) -> Result<Vec<ReceiverCount>, StoreError> {
    counts(store, cards_query(since)).await
}

/// Alerts that are put aside beyond now, by receiver, and until when the last of them is.
pub async fn deferred(store: &Store, now: Timestamp) -> Result<Vec<ReceiverCount>, StoreError> {
    counts(store, deferred_query(now)).await
}

/// How the database finds the rows of each of these counts.
pub async fn count_plans(store: &Store, now: Timestamp) -> Result<[Vec<String>; 2], StoreError> {
    let plan =
        async |(select, values): CountQuery| store.within(|| explain(store.pool(), select, &values)).await;
    Ok([plan(cards_query(now)).await?, plan(deferred_query(now)).await?])
}

async fn counts(store: &Store, query: CountQuery) -> Result<Vec<ReceiverCount>, StoreError> {
    let (select, values) = query;
    let found: Vec<CountRow> = store.within(|| rows(store.pool(), select, &values)).await?;
    Ok(found.into_iter().map(counted).collect())
}

fn counted(row: CountRow) -> ReceiverCount {
    let (receiver, count, last_ms) = row;
    ReceiverCount { receiver: String::from_utf8_lossy(&receiver).into_owned(), count, last_ms }
}
