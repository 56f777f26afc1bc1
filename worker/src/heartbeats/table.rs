//! The rows of heartbeats, and since when somebody listens. Whatever is done twice comes to the same.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::index::HeartbeatIndex;
use super::listening::ListeningPart;
use crate::store::sql::{Value, execute, placeholders, places, rows};
use crate::store::{Insert, Store, StoreError};

/// Rows written in one statement.
const WRITTEN_TOGETHER: usize = 200;
/// Rows that one worker takes upon itself at a time.
const TAKEN_TOGETHER: usize = 500;
/// A longer time without a word of any worker is a pause, after which each heartbeat has its whole time again: four looks.
const PAUSE_MS: i64 = 20_000;
/// For how long nobody else tells what one worker has taken upon itself. If it is not told then, that worker has died, or its word
/// is on its way and the ledger knows the next one for the same.
const TAKEN_MS: i64 = 30_000;
/// How often what is missing is said again on the queue: the ledger makes reminders of it, and a duplicate of the rest.
const REPEATED_MS: i64 = 300_000;
/// After so long without a worker that has it in its configuration a heartbeat is not looked after any more.
const UNWANTED_MS: i64 = 900_000;

const ROWS: Insert<'_> = Insert {
    table: "larkfire_heartbeats",
    columns: &[
        "name",
        "receiver",
        "every_ms",
        "allowed_ms",
        "wanted_ms",
        "since_ms",
        "heard_ms",
        "missing_ms",
        "told_ms",
        "taken_ms",
        "taken_by",
    ],
    key: 1,
};
/// Who changes how often a heartbeat comes gives it the whole time; what others look at comes last.
const WANTED: [&str; 5] = [
    "receiver = NEW(receiver)",
    "every_ms = NEW(every_ms)",
    "wanted_ms = NEW(wanted_ms)",
    "since_ms = CASE WHEN larkfire_heartbeats.allowed_ms <> NEW(allowed_ms) THEN NEW(since_ms) \
     ELSE larkfire_heartbeats.since_ms END",
    "allowed_ms = NEW(allowed_ms)",
];
const HEARD: [&str; 1] =
    ["heard_ms = CASE WHEN NEW(heard_ms) > larkfire_heartbeats.heard_ms THEN NEW(heard_ms) \
                           ELSE larkfire_heartbeats.heard_ms END"];
const LISTENING: Insert<'_> =
    Insert { table: "larkfire_listening", columns: &["id", "since_ms", "listened_ms"], key: 1 };

/// A heartbeat as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatRow {
    /// Its name.
    pub name: String,
    /// Who is told; empty: by the routes.
    pub receiver: String,
    /// How often it comes.
    pub every: Duration,
    /// How long it may take.
    pub allowed: Duration,
    /// When it was last heard of; `None`: never.
    pub heard_at: Option<Timestamp>,
    /// Since when it counts as missing, if it does.
    pub missing_since: Option<Timestamp>,
}

/// Name, receiver, how often, how long it may take, when it was heard of, and since when it is missing.
type HeartbeatColumns = (Vec<u8>, Vec<u8>, i64, i64, i64, i64);

const COLUMNS: &str = "name, receiver, every_ms, allowed_ms, heard_ms, missing_ms";

/// What is to be told of heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeartbeatNews {
    /// That they are missing, for the first time or once more.
    Missing,
    /// That they are there again.
    Returned,
    /// That nobody looks after them any more, where they are missing.
    Unwanted,
}

/// Rows that one worker has taken upon itself.
#[derive(Debug)]
pub(super) struct TakenRows {
    pub(super) rows: Vec<HeartbeatRow>,
    by: i64,
}

/// The rows. Clones share them.
#[derive(Clone, Debug)]
pub struct HeartbeatTable {
    store: Store,
}

impl HeartbeatTable {
    /// Of this database.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Says that these are configured.
    pub(super) async fn want(&self, index: &HeartbeatIndex, now: Timestamp) -> Result<(), StoreError> {
        for heartbeats in index.all().chunks(WRITTEN_TOGETHER) {
            let heard = heartbeats.iter().map(|heartbeat| (heartbeat.name.as_str(), 0)).collect::<Vec<_>>();
            self.upsert(&heard, index, now, &WANTED).await?;
        }
        Ok(())
    }

    /// Says that these were heard of.
    pub(super) async fn heard(
        &self,
        heard: &BTreeMap<String, Timestamp>,
        index: &HeartbeatIndex,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // One whose sender's clock is ahead was heard of now.
        let at = |at: &Timestamp| (*at).min(now).as_millisecond();
        let heard: Vec<_> = heard.iter().map(|(name, heard_at)| (name.as_str(), at(heard_at))).collect();
        for heard in heard.chunks(WRITTEN_TOGETHER) {
            self.upsert(heard, index, now, &HEARD).await?;
        }
        Ok(())
    }

    /// Those that are not in the configuration any more are left out.
    async fn upsert(
        &self,
        heard: &[(&str, i64)],
        index: &HeartbeatIndex,
        now: Timestamp,
        updates: &[&str],
    ) -> Result<(), StoreError> {
        let now_ms = now.as_millisecond();
        let mut values: Vec<Value<'_>> = Vec::new();
        let mut count = 0;
        for (name, heard_ms) in heard {
            let Some(heartbeat) = index.named(name) else { continue };
            let receiver = heartbeat.receiver.as_deref().unwrap_or_default();
            values.extend([Value::from(name.as_bytes()), receiver.as_bytes().into()]);
            let numbers =
                [millis(heartbeat.every), millis(heartbeat.allowed()), now_ms, now_ms, *heard_ms, 0, 0, 0, 0];
            values.extend(numbers.map(Value::from));
            count += 1;
        }
        if count == 0 {
            return Ok(());
        }
        let text = format!("VALUES {}", placeholders(ROWS.columns.len(), count));
        let text = ROWS.or_update(self.store.pool().dialect(), &text, updates);
        self.store.within(|| execute(self.store.pool(), &text, &values)).await.map(drop)
    }

    /// A worker's word about whether it hears everything. Says since when one of them always did.
    pub(super) async fn listen(&self, part: ListeningPart, now: Timestamp) -> Result<Timestamp, StoreError> {
        let is_pause = match part {
            ListeningPart::Hears => format!("larkfire_listening.listened_ms < NEW(listened_ms) - {PAUSE_MS}"),
            // Whatever others hear, it may be this one that is to take what they wait for.
            ListeningPart::IsBehind | ListeningPart::IsAway => "1 = 1".to_owned(),
        };
        let updates = [
            format!(
                "since_ms = CASE WHEN {is_pause} THEN NEW(since_ms) ELSE larkfire_listening.since_ms END"
            ),
            "listened_ms = NEW(listened_ms)".to_owned(),
        ];
        let text = LISTENING.or_update(self.store.pool().dialect(), "VALUES (1, ?, ?)", &updates);
        let now_ms = now.as_millisecond();
        let values = [now_ms.into(), now_ms.into()];
        self.store.within(|| execute(self.store.pool(), &text, &values)).await?;
        let select = "SELECT since_ms FROM larkfire_listening WHERE id = 1 LIMIT 1";
        let since: Vec<(i64,)> = self.store.within(|| rows(self.store.pool(), select, &[])).await?;
        Ok(since.first().and_then(|(since_ms,)| moment(*since_ms)).unwrap_or(now))
    }

    /// Marks what is missing: nothing was heard of it for its time, nor was it new or its time granted anew.
    pub(super) async fn mark_missing(&self, since: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        let update = "UPDATE larkfire_heartbeats SET missing_ms = ?, told_ms = 0, taken_ms = 0, taken_by = 0 \
             WHERE missing_ms = 0 AND heard_ms + allowed_ms < ? AND since_ms + allowed_ms < ? AND allowed_ms < ?";
        let now_ms = now.as_millisecond();
        let listened_ms = now_ms.saturating_sub(since.as_millisecond());
        let values = [now_ms, now_ms, now_ms, listened_ms].map(Value::from);
        self.store.within(|| execute(self.store.pool(), update, &values)).await
    }

    /// Takes upon this worker what is to be told and nobody else is telling.
    pub(super) async fn take(
        &self,
        news: HeartbeatNews,
        now: Timestamp,
    ) -> Result<Option<TakenRows>, StoreError> {
        let now_ms = now.as_millisecond();
        let (condition, conditions): (&str, &[i64]) = match news {
            HeartbeatNews::Missing => (
                "missing_ms <> 0 AND heard_ms + allowed_ms < missing_ms AND taken_ms < ? AND told_ms < ?",
                &[now_ms - TAKEN_MS, now_ms - REPEATED_MS],
            ),
            // Also where it was heard of in time, and that was written down late.
            HeartbeatNews::Returned => (
                "missing_ms <> 0 AND heard_ms + allowed_ms >= missing_ms AND taken_ms < ?",
                &[now_ms - TAKEN_MS],
            ),
            HeartbeatNews::Unwanted => {
                ("wanted_ms < ? AND taken_ms < ?", &[now_ms - UNWANTED_MS, now_ms - TAKEN_MS])
            }
        };
        let select = format!(
            "SELECT name FROM larkfire_heartbeats WHERE {condition} ORDER BY name LIMIT {TAKEN_TOGETHER}"
        );
        let conditions: Vec<Value<'_>> = conditions.iter().copied().map(Value::from).collect();
        let due: Vec<(Vec<u8>,)> =
            self.store.within(|| rows(self.store.pool(), &select, &conditions)).await?;
        if due.is_empty() {
            return Ok(None);
        }
        let by = i64::from(runtime::entropy::random::<u32>()) << 20 | i64::from(now.subsec_millisecond());
        let names = || due.iter().map(|(name,)| Value::from(name.as_slice()));
        let places = places(due.len());
        let update = format!(
            "UPDATE larkfire_heartbeats SET taken_ms = ?, taken_by = ? WHERE name IN ({places}) AND {condition}"
        );
        let values: Vec<_> =
            [now_ms.into(), by.into()].into_iter().chain(names()).chain(conditions).collect();
        self.store.within(|| execute(self.store.pool(), &update, &values)).await?;
        let select = format!(
            "SELECT {COLUMNS} FROM larkfire_heartbeats WHERE name IN ({places}) AND taken_by = ? \
             ORDER BY name LIMIT {TAKEN_TOGETHER}"
        );
        let values: Vec<_> = names().chain([by.into()]).collect();
        let taken: Vec<HeartbeatColumns> =
            self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
        Ok(Some(TakenRows { rows: taken.into_iter().map(HeartbeatRow::of).collect(), by }))
    }

    /// What was taken is on the queue.
    pub(super) async fn told(
        &self,
        news: HeartbeatNews,
        taken: &TakenRows,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (statement, now_ms) = match news {
            HeartbeatNews::Missing => (
                "UPDATE larkfire_heartbeats SET told_ms = ?, taken_ms = 0, taken_by = 0 WHERE taken_by = ?",
                Some(now.as_millisecond()),
            ),
            HeartbeatNews::Returned => (
                "UPDATE larkfire_heartbeats SET missing_ms = 0, told_ms = 0, taken_ms = 0, taken_by = 0 \
                 WHERE taken_by = ?",
                None,
            ),
            HeartbeatNews::Unwanted => ("DELETE FROM larkfire_heartbeats WHERE taken_by = ?", None),
        };
        let values: Vec<Value<'_>> = now_ms.into_iter().chain([taken.by]).map(Value::from).collect();
        self.store.within(|| execute(self.store.pool(), statement, &values)).await.map(drop)
    }

    /// Those there are, by their names: at most so many.
    pub async fn all(&self, most: usize) -> Result<Vec<HeartbeatRow>, StoreError> {
        let select = format!("SELECT {COLUMNS} FROM larkfire_heartbeats ORDER BY name LIMIT {most}");
        let found: Vec<HeartbeatColumns> =
            self.store.within(|| rows(self.store.pool(), &select, &[])).await?;
        Ok(found.into_iter().map(HeartbeatRow::of).collect())
    }

    /// How many are heard of, and how many are missing.
    pub(super) async fn counts(&self) -> Result<HeartbeatCounts, StoreError> {
        let count = async |condition: &str| {
            let select = format!("SELECT COUNT(*) FROM larkfire_heartbeats WHERE {condition} LIMIT 1");
            let counted: Vec<(i64,)> = self.store.within(|| rows(self.store.pool(), &select, &[])).await?;
            Ok::<_, StoreError>(counted.first().map_or(0, |(count,)| *count))
        };
        Ok(HeartbeatCounts {
            heard: count("missing_ms = 0").await?,
            missing: count("missing_ms <> 0").await?,
        })
    }
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeartbeatCounts {
    pub(super) heard: i64,
    pub(super) missing: i64,
}

impl HeartbeatRow {
    fn of(columns: HeartbeatColumns) -> Self {
        let (name, receiver, every_ms, allowed_ms, heard_ms, missing_ms) = columns;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let span = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        Self {
            name: text(&name),
            receiver: text(&receiver),
            every: span(every_ms),
            allowed: span(allowed_ms),
            heard_at: moment(heard_ms),
            missing_since: moment(missing_ms),
        }
    }
}

/// `None` where the column has its zero.
fn moment(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok().filter(|_| ms != 0)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
