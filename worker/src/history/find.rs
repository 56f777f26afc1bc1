//! Rows for whoever asks: the newest first, by an index behind each filter. Labels and reasons are looked at row by row, up to
//! a limit that is said.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use model::alert::{Labels, Status};
use model::envelope::EnvelopeId;
use model::matcher::Matcher;
use serde::Serialize;
use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::repeats::SPAN_MS;
use super::row::{HistoryOutcome, name_kept};
use super::table::status_number;
use crate::store::sql::{Value, explain, rows};
use crate::store::{Store, StoreError};

/// Rows read at a time.
const PAGE_ROWS: i64 = 500;
/// Rows whose labels and reasons are looked at for one question at most.
const SCANNED_MAX: usize = 100_000;

const COLUMNS: &str = "at_ms, number, receiver, identity, name, status, outcome, envelope, by_envelope, last_ms, times, \
    until_ms, card, bot, attempts, code, reason, labels";

/// What is looked for; each condition narrows it.
#[derive(Clone, Debug, Default)]
pub struct HistoryFilter {
    /// Alerts whose identity begins so.
    pub identity: Option<String>,
    /// Alerts of this name.
    pub name: Option<String>,
    /// What came with this envelope; of repeats the last.
    pub envelope: Option<EnvelopeId>,
    /// What is on this card.
    pub card: Option<String>,
    /// What was for this receiver.
    pub receiver: Option<String>,
    /// What became of them.
    pub outcome: Option<HistoryOutcome>,
    /// What Feishu has answered with this code.
    pub code: Option<i64>,
    /// What happened for a reason that has these words, in capitals or not.
    pub reason: Option<String>,
    /// Alerts that all of these match.
    pub labels: Vec<Matcher>,
    /// What happened then or later.
    pub since: Option<Timestamp>,
    /// What happened before then.
    pub until: Option<Timestamp>,
}

/// What became of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// When; of what happened several times, the first time.
    pub at: Timestamp,
    /// For whom it was; empty where there was no receiver.
    pub receiver: String,
    /// Who the alert is.
    pub identity: String,
    /// What it is called.
    pub name: String,
    /// Whether it fired or was over.
    pub status: Status,
    /// What became of it.
    pub outcome: HistoryOutcome,
    /// The envelope it came with; of several the last.
    pub envelope: EnvelopeId,
    /// The envelope that has delivered it instead, or was about to.
    pub by: Option<EnvelopeId>,
    /// How often.
    pub times: i64,
    /// The last time.
    pub last_at: Timestamp,
    /// Until when it was put aside.
    pub until: Option<Timestamp>,
    /// The card it is on.
    pub card: Option<String>,
    /// The bot that sent that.
    pub bot: Option<String>,
    /// Attempts that were made.
    pub attempts: i64,
    /// Feishu's code, where that is the reason.
    pub code: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// Its labels, as far as there was room for them.
    pub labels: BTreeMap<String, String>,
}

/// What was found, the newest first.
#[derive(Debug, Default)]
pub struct HistoryPage {
    /// The rows.
    pub entries: Vec<HistoryEntry>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
    /// Whether no more was looked at, though there is more: so many rows were.
    pub scanned: Option<usize>,
    /// The last row that was looked at.
    pub last: Option<HistoryPlace>,
}

/// The newest of what is looked for, at most so many.
pub async fn find(store: &Store, filter: &HistoryFilter, most: usize) -> Result<HistoryPage, StoreError> {
    find_after(store, filter, None, most).await
}

/// The same, beyond this place.
pub async fn find_after(
    store: &Store,
    filter: &HistoryFilter,
    mut after: Option<HistoryPlace>,
    most: usize,
) -> Result<HistoryPage, StoreError> {
    let mut page = HistoryPage::default();
    let mut scanned = 0;
    loop {
        let found = filter.rows_after(store, after).await?;
        let Some(last) = found.last() else { return Ok(page) };
        after = Some(last.place);
        scanned += found.len();
        let is_last = i64::try_from(found.len()).unwrap_or(i64::MAX) < PAGE_ROWS;
        for HistoryEntryRow { place, entry } in found {
            // What another version wrote and this one cannot read is left out.
            let entry = entry.filter(|entry| filter.matches(entry));
            if entry.is_some() && page.entries.len() == most {
                page.has_more = true;
                return Ok(page);
            }
            page.last = Some(place);
            page.entries.extend(entry);
        }
        if is_last {
            return Ok(page);
        }
        if scanned >= SCANNED_MAX {
            page.scanned = Some(scanned);
            return Ok(page);
        }
    }
}

/// How the database finds a page of what is looked for.
pub async fn plan(store: &Store, filter: &HistoryFilter) -> Result<Vec<String>, StoreError> {
    let identities_end = filter.identities_end();
    let (select, values) = filter.page_query(identities_end.as_deref(), None);
    store.within(|| explain(store.pool(), &select, &values)).await
}

impl HistoryFilter {
    /// The rows after that one, the newest first, by the conditions that columns answer.
    async fn rows_after(
        &self,
        store: &Store,
        after: Option<HistoryPlace>,
    ) -> Result<Vec<HistoryEntryRow>, StoreError> {
        let identities_end = self.identities_end();
        let (select, values) = self.page_query(identities_end.as_deref(), after);
        store.within(|| rows(store.pool(), &select, &values)).await
    }

    /// What is behind all identities that begin so: none has such a byte.
    fn identities_end(&self) -> Option<Vec<u8>> {
        self.identity.as_ref().map(|prefix| [prefix.as_bytes(), &[0xff]].concat())
    }

    /// The statement for the page after that row, and its values.
    fn page_query<'v>(
        &'v self,
        identities_end: Option<&'v [u8]>,
        after: Option<HistoryPlace>,
    ) -> (String, Vec<Value<'v>>) {
        let since_ms = self.since.map(Timestamp::as_millisecond);
        let named = self.name.as_deref().or_else(|| self.alertname()).map(name_kept);
        let outcome = self.outcome.map(HistoryOutcome::number);
        // A database that has an index for both reads each to its end and keeps what is in both. So it is shown one: that of the
        // receiver where rows of this outcome are many, else that of the outcome.
        let is_common = self.outcome.is_none_or(HistoryOutcome::is_common);
        let (by_receiver, by_outcome) = match (&self.receiver, self.outcome) {
            (Some(_), Some(_)) if is_common => ("receiver = ?", "outcome + 0 = ?"),
            (Some(_), Some(_)) => ("SUBSTR(receiver, 1) = ?", "outcome = ?"),
            (None, _) | (_, None) => ("receiver = ?", "outcome = ?"),
        };
        let conditions: [(&str, Value<'_>); 12] = [
            ("identity >= ?", self.identity.as_deref().map(str::as_bytes).into()),
            ("identity < ?", identities_end.into()),
            ("name = ?", named.map(str::as_bytes).into()),
            ("envelope = ?", self.envelope.as_ref().map(|id| id.as_bytes().as_slice()).into()),
            ("card = ?", self.card.as_deref().map(str::as_bytes).into()),
            (by_receiver, self.receiver.as_deref().map(str::as_bytes).into()),
            (by_outcome, outcome.into()),
            ("code = ?", self.code.into()),
            ("last_ms >= ?", since_ms.into()),
            // What an index begins with: a row counts for so long at most.
            ("at_ms >= ?", since_ms.map(|since| since.saturating_sub(SPAN_MS)).into()),
            ("at_ms < ?", self.until.map(Timestamp::as_millisecond).into()),
            ("at_ms <= ?", after.map(|after| after.at_ms).into()),
        ];
        let (parts, mut values): (Vec<&str>, Vec<Value<'_>>) =
            conditions.into_iter().filter(|(_, value)| !matches!(value, Value::Null)).unzip();
        let mut condition = [&["1 = 1"], &parts[..]].concat().join(" AND ");
        if let Some(HistoryPlace { at_ms, number }) = after {
            condition.push_str(" AND (at_ms < ? OR number < ?)");
            values.extend([Value::Number(at_ms), Value::Number(number)]);
        }
        let select = format!(
            "SELECT {COLUMNS} FROM larkfire_history WHERE {condition} ORDER BY at_ms DESC, number DESC LIMIT {PAGE_ROWS}"
        );
        (select, values)
    }

    /// The name that a matcher asks for.
    fn alertname(&self) -> Option<&str> {
        let named = self.labels.iter().filter(|matcher| matcher.name() == "alertname");
        named.filter_map(Matcher::equal_value).find(|value| !value.trim().is_empty())
    }

    fn matches(&self, entry: &HistoryEntry) -> bool {
        self.is_for_reason(entry.reason.as_deref()) && self.has_labels(entry)
    }

    fn is_for_reason(&self, reason: Option<&str>) -> bool {
        let is_in = |words: &str| reason.is_some_and(|of| of.to_lowercase().contains(&words.to_lowercase()));
        self.reason.as_deref().is_none_or(is_in)
    }

    fn has_labels(&self, entry: &HistoryEntry) -> bool {
        if self.labels.is_empty() {
            return true;
        }
        let pairs = entry.labels.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into()));
        let labels: Labels<'_> = pairs.collect();
        self.labels.iter().all(|matcher| matcher.matches(&labels))
    }
}

/// Where a row stands among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryPlace {
    at_ms: i64,
    number: i64,
}

impl HistoryPlace {
    /// As it is written by `Display`.
    pub fn read(text: &str) -> Option<Self> {
        let (at_ms, number) = text.split_once('-')?;
        Some(Self { at_ms: at_ms.parse().ok()?, number: number.parse().ok()? })
    }
}

impl fmt::Display for HistoryPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.at_ms, self.number)
    }
}

#[derive(Debug)]
struct HistoryEntryRow {
    place: HistoryPlace,
    entry: Option<HistoryEntry>,
}

/// The databases' rows have the same columns, of types of their own.
macro_rules! from_row {
    ($row:ty) => {
        impl FromRow<'_, $row> for HistoryEntryRow {
            fn from_row(row: &$row) -> Result<Self, sqlx::Error> {
                let text = |column| Ok::<_, sqlx::Error>(text_of(row.try_get::<Vec<u8>, _>(column)?));
                let perhaps =
                    |column| Ok::<_, sqlx::Error>(row.try_get::<Option<Vec<u8>>, _>(column)?.map(text_of));
                let id =
                    |column| Ok::<_, sqlx::Error>(row.try_get::<Option<Vec<u8>>, _>(column)?.and_then(id_of));
                let at_ms = row.try_get("at_ms")?;
                let until_ms: Option<i64> = row.try_get("until_ms")?;
                let labels: Vec<u8> = row.try_get("labels")?;
                let known = HistoryOutcome::of_number(row.try_get("outcome")?).zip(id("envelope")?);
                let entry = |(outcome, envelope)| {
                    Ok::<_, sqlx::Error>(HistoryEntry {
                        at: timestamp_of(at_ms),
                        receiver: text("receiver")?,
                        identity: text("identity")?,
                        name: text("name")?,
                        status: status_of(row.try_get("status")?),
                        outcome,
                        envelope,
                        by: id("by_envelope")?,
                        times: row.try_get("times")?,
                        last_at: timestamp_of(row.try_get("last_ms")?),
                        until: until_ms.map(timestamp_of),
                        card: perhaps("card")?,
                        bot: perhaps("bot")?,
                        attempts: row.try_get("attempts")?,
                        code: row.try_get("code")?,
                        reason: perhaps("reason")?,
                        labels: serde_json::from_slice(&labels).unwrap_or_default(),
                    })
                };
                let place = HistoryPlace { at_ms, number: row.try_get("number")? };
                Ok(Self { place, entry: known.map(entry).transpose()? })
            }
        }
    };
}
from_row!(MySqlRow);
from_row!(PgRow);
from_row!(SqliteRow);

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn id_of(bytes: Vec<u8>) -> Option<EnvelopeId> {
    bytes.try_into().ok().map(EnvelopeId::from_bytes)
}

/// Nobody but us writes these.
fn timestamp_of(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn status_of(number: i64) -> Status {
    let is_resolved = number == status_number(Status::Resolved);
    if is_resolved { Status::Resolved } else { Status::Firing }
}
