//! The SQL of the embedded queue. Knows nothing of who publishes or consumes.

mod row;

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use queue::{Message, MessageDestination, Subscription};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, QueryBuilder, Sqlite, SqliteConnection};

use super::error::OpenError;
use super::returns::Recall;
use super::schema::migrate;
use row::COLUMNS;
pub(super) use row::Stored;

/// How long a commit waits for another connection's write lock: SQLite's tools, a backup.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
/// SQLite's default page.
const PAGE_BYTES: u64 = 4096;
/// What the write-ahead log is cut back to after a burst.
const WAL_BYTES_KEPT: u64 = 64 * 1024 * 1024;
/// Rows per INSERT; more gain little and each number of rows is a statement of its own to prepare.
const ROWS_PER_INSERT: usize = 50;
/// Free pages that stay in the file for the next burst (16 MiB).
const FREE_PAGES_KEPT: i64 = 4096;
/// Free pages that go back to the disk at a time (16 MiB): publishers wait meanwhile.
const FREE_PAGES_RETURNED: i64 = 4096;
/// The same on a full disk (2 MiB): pages that move take as much of the log.
const FREE_PAGES_RETURNED_WHEN_FULL: i64 = 512;
/// What has to fit for the queue to be of use: as much as publishers put into one message.
const PROBE_BYTES: i64 = 64 * 1024;
/// SQLite's code for "database or disk is full".
const SQLITE_FULL: i32 = 13;

/// The file.
pub(super) struct Store(SqliteConnection);

/// What a pass of a recall has done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recalled {
    /// How many messages it has moved.
    pub(super) messages: u64,
    /// Whether there are no further ones.
    pub(super) is_over: bool,
}

/// Ids of one subscription's table.
pub(super) type Forgotten<'f> = (Subscription, &'f [i64]);

impl Store {
    pub(super) async fn open(path: &Path, stored_bytes_max: u64) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            // Free pages are used again before the file grows, and returned to the disk bit by bit after a
            // burst (`shrink`). FULL would move pages in every commit; NONE would never return any.
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit in WAL mode is synced with FULL only; less would confirm what a power cut undoes.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(LOCK_PATIENCE)
            .pragma("journal_size_limit", WAL_BYTES_KEPT.to_string())
            // Over it SQLite says "database or disk is full", so that both fulls are one case.
            .pragma("max_page_count", (stored_bytes_max / PAGE_BYTES).max(1).to_string());
        let mut connection = options.connect().await.map_err(OpenError::sqlite(path))?;
        migrate(&mut connection, path).await?;
        Ok(Self(connection))
    }

    /// Forgets and stores, in one transaction. When this returns it is on disk.
    pub(super) async fn commit(
        &mut self,
        messages: &[Message],
        forgotten: [Forgotten<'_>; 3],
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        self.begin().await?;
        let written = write(&mut self.0, messages, forgotten, now).await;
        self.end(written).await
    }

    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.0).await?;
        Ok(())
    }

    /// Commits what worked, undoes what did not. By hand, because SQLite undoes the transaction itself when the
    /// disk is full, and sqlx's `Transaction` then counts one that is not there for ever.
    async fn end(&mut self, outcome: Result<(), sqlx::Error>) -> Result<(), sqlx::Error> {
        let outcome = match outcome {
            Ok(()) => sqlx::query("COMMIT").execute(&mut self.0).await.map(drop),
            Err(error) => Err(error),
        };
        if outcome.is_err() {
            let _nothing_to_undo = sqlx::query("ROLLBACK").execute(&mut self.0).await;
        }
        outcome
    }

    /// When the next parked message is due.
    pub(super) async fn next_due(&mut self) -> Result<Option<Timestamp>, sqlx::Error> {
        let due: Option<i64> =
            sqlx::query_scalar("SELECT MIN(due_ms) FROM parked").fetch_one(&mut self.0).await?;
        Ok(due.and_then(|due| Timestamp::from_millisecond(due).ok()))
    }

    /// What is parked is due earlier, by so much.
    pub(super) async fn bring_forward(&mut self, by: SignedDuration) -> Result<(), sqlx::Error> {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        sqlx::query("UPDATE parked SET due_ms = due_ms - ?").bind(by_ms).execute(&mut self.0).await?;
        Ok(())
    }

    /// How many messages a table holds.
    pub(super) async fn count(&mut self, table: &str) -> Result<i64, sqlx::Error> {
        let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        sqlx::query_scalar(count).fetch_one(&mut self.0).await
    }

    /// Puts parked messages that are due at the end of the alerts, the oldest first; says how many.
    pub(super) async fn return_due(&mut self, now: Timestamp, limit: usize) -> Result<u64, sqlx::Error> {
        self.begin().await?;
        let mut count = 0;
        let returned = return_due(&mut self.0, now, limit).await.map(|returned| count = returned);
        self.end(returned).await.map(|()| count)
    }

    /// Puts what is parked for a receiver at the end of the alerts, in its order; looks at so many messages, whosever they are.
    pub(super) async fn recall(
        &mut self,
        recall: &mut Recall,
        limit: usize,
    ) -> Result<Recalled, sqlx::Error> {
        let up_to = match recall.up_to {
            Some(up_to) => up_to,
            None => self.last_parked().await?,
        };
        recall.up_to = Some(up_to);
        let some = "SELECT MAX(id) FROM (SELECT id FROM parked WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?)";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let last = sqlx::query_scalar(some).bind(recall.from).bind(up_to).bind(limit);
        let last: Option<i64> = last.fetch_one(&mut self.0).await?;
        let Some(last) = last else { return Ok(Recalled { messages: 0, is_over: true }) };
        self.begin().await?;
        let mut messages = 0;
        let moved = return_recalled(&mut self.0, recall, last).await.map(|count| messages = count);
        self.end(moved).await?;
        recall.from = last + 1;
        Ok(Recalled { messages, is_over: last >= up_to })
    }

    async fn last_parked(&mut self) -> Result<i64, sqlx::Error> {
        let last: Option<i64> =
            sqlx::query_scalar("SELECT MAX(id) FROM parked").fetch_one(&mut self.0).await?;
        Ok(last.unwrap_or(-1))
    }

    /// The messages from `from` on, in order.
    pub(super) async fn read(
        &mut self,
        which: Subscription,
        from: i64,
        limit: usize,
    ) -> Result<Vec<Stored>, sqlx::Error> {
        let select = format!("SELECT id, {COLUMNS} FROM {} WHERE id >= ? ORDER BY id LIMIT ?", table(which));
        let select =
            sqlx::query(AssertSqlSafe(select)).bind(from).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = select.fetch_all(&mut self.0).await?;
        rows.iter().map(row::read).collect()
    }

    /// Returns some of the file's free pages to the disk, if there are many.
    pub(super) async fn shrink(&mut self) -> Result<(), sqlx::Error> {
        let free: i64 = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(&mut self.0).await?;
        if free > FREE_PAGES_KEPT {
            self.vacuum((free - FREE_PAGES_KEPT).min(FREE_PAGES_RETURNED)).await?;
        }
        Ok(())
    }

    /// Makes the file and its log smaller, on a disk that is full.
    pub(super) async fn compact(&mut self) -> Result<(), sqlx::Error> {
        self.vacuum(FREE_PAGES_RETURNED_WHEN_FULL).await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&mut self.0).await?;
        Ok(())
    }

    /// Stores a large message and deletes it, in one transaction: whether it could be kept.
    pub(super) async fn probe(&mut self) -> Result<(), sqlx::Error> {
        self.begin().await?;
        let probe = "INSERT INTO dead_letters (attempt, body) VALUES (0, zeroblob(?))";
        let stored = sqlx::query(probe).bind(PROBE_BYTES).execute(&mut self.0).await;
        let outcome = match stored {
            Ok(row) => {
                let delete = sqlx::query("DELETE FROM dead_letters WHERE id = ?");
                delete.bind(row.last_insert_rowid()).execute(&mut self.0).await.map(drop)
            }
            Err(error) => Err(error),
        };
        self.end(outcome).await
    }

    async fn vacuum(&mut self, pages: i64) -> Result<(), sqlx::Error> {
        let some = AssertSqlSafe(format!("PRAGMA incremental_vacuum({pages})"));
        // A row per page: the pragma works while they are read.
        sqlx::query(some).fetch_all(&mut self.0).await.map(drop)
    }
}

async fn write(
    connection: &mut SqliteConnection,
    messages: &[Message],
    forgotten: [Forgotten<'_>; 3],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    // First, so that what is stored can have the room.
    for (which, ids) in forgotten {
        for (first, last) in runs(ids) {
            let delete = format!("DELETE FROM {} WHERE id BETWEEN ? AND ?", table(which));
            sqlx::query(AssertSqlSafe(delete)).bind(first).bind(last).execute(&mut *connection).await?;
        }
    }
    for which in [Subscription::Alerts, Subscription::Dead, Subscription::Interactions] {
        let rows: Vec<_> = messages.iter().filter(|message| lane(message.to) == Some(which)).collect();
        for rows in rows.chunks(ROWS_PER_INSERT) {
            let into = format!("INSERT INTO {} ({COLUMNS}) ", table(which));
            let mut insert = QueryBuilder::<Sqlite>::new(into);
            insert.push_values(rows, |mut row, message| row::bind(&mut row, message));
            insert.build().execute(&mut *connection).await?;
        }
    }
    for message in messages {
        if let MessageDestination::Deferred { step, .. } = message.to {
            let due = now + SignedDuration::try_from(step.pause()).unwrap_or_default();
            let mut insert = QueryBuilder::<Sqlite>::new(format!("INSERT INTO parked (due_ms, {COLUMNS}) "));
            insert.push_values([message], |mut row, message| {
                row.push_bind(due.as_millisecond());
                row::bind(&mut row, message);
            });
            insert.build().execute(&mut *connection).await?;
        }
    }
    Ok(())
}

async fn return_due(
    connection: &mut SqliteConnection,
    now: Timestamp,
    limit: usize,
) -> Result<u64, sqlx::Error> {
    const DUE: &str = "FROM parked WHERE due_ms <= ? ORDER BY due_ms, id LIMIT ?";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = 0;
    for statement in [
        format!("INSERT INTO alerts ({COLUMNS}) SELECT {COLUMNS} {DUE}"),
        // The same rows: nobody else writes in between.
        format!("DELETE FROM parked WHERE id IN (SELECT id {DUE})"),
    ] {
        let statement = sqlx::query(AssertSqlSafe(statement)).bind(now.as_millisecond()).bind(limit);
        rows = statement.execute(&mut *connection).await?.rows_affected();
    }
    Ok(rows)
}

async fn return_recalled(
    connection: &mut SqliteConnection,
    recall: &Recall,
    last: i64,
) -> Result<u64, sqlx::Error> {
    const THEIRS: &str = "FROM parked WHERE id BETWEEN ? AND ? \
        AND CASE WHEN json_valid(failure) THEN failure ->> '$.receiver' END = ?";
    let mut rows = 0;
    for statement in [
        format!("INSERT INTO alerts ({COLUMNS}) SELECT {COLUMNS} {THEIRS} ORDER BY id"),
        format!("DELETE {THEIRS}"),
    ] {
        let statement = sqlx::query(AssertSqlSafe(statement)).bind(recall.from).bind(last);
        rows = statement.bind(&recall.receiver).execute(&mut *connection).await?.rows_affected();
    }
    Ok(rows)
}

/// Whether SQLite found no room, in the file or on the disk.
pub(super) fn is_full(error: &sqlx::Error) -> bool {
    code(error) == Some(SQLITE_FULL)
}

/// SQLite's plain code: extended ones carry it in the lowest byte.
pub(super) fn code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// Where a message is stored; `None` for the parked ones, which have a table apart.
pub(super) const fn lane(to: MessageDestination) -> Option<Subscription> {
    match to {
        MessageDestination::Alerts { .. } => Some(Subscription::Alerts),
        MessageDestination::Deferred { .. } => None,
        MessageDestination::DeadLetters => Some(Subscription::Dead),
        MessageDestination::Interactions => Some(Subscription::Interactions),
    }
}

/// The table of a subscription.
pub(super) const fn table(which: Subscription) -> &'static str {
    match which {
        Subscription::Alerts => "alerts",
        Subscription::Dead => "dead_letters",
        Subscription::Interactions => "interactions",
    }
}

/// Ascending ids as ranges without gaps: a batch settled in order is one DELETE.
fn runs(ids: &[i64]) -> impl Iterator<Item = (i64, i64)> {
    ids.chunk_by(|before, after| before + 1 == *after).filter_map(|run| Some((*run.first()?, *run.last()?)))
}

#[cfg(test)]
mod tests {
    use queue::{DeferStep, Failure, FailureMarks, Headers, Reason};

    use super::*;

    fn deferred(number: u8, receiver: &str) -> Message {
        let failure = Failure {
            reason: Reason::Unavailable,
            receiver: receiver.to_owned(),
            code: None,
            message: String::new(),
            attempts: 1,
            first_failed_at: Timestamp::UNIX_EPOCH,
            last_failed_at: Timestamp::UNIX_EPOCH,
            marks: FailureMarks::default(),
        };
        Message {
            to: MessageDestination::Deferred { shard_key: 0, step: DeferStep::Minutes10 },
            body: vec![number].into(),
            headers: Headers { failure: Some(failure), ..Headers::default() },
        }
    }

    #[tokio::test]
    async fn a_recall_returns_what_is_its_receivers_and_was_deferred_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("queue.db"), 1 << 30).await.unwrap();
        let nothing = [(Subscription::Alerts, &[][..]); 3];
        let messages: Vec<_> =
            (0..9).map(|number| deferred(number, ["ops", "dev"][usize::from(number % 2)])).collect();
        store.commit(&messages, nothing, Timestamp::UNIX_EPOCH).await.unwrap();
        let mut recall = Recall { receiver: "ops".to_owned(), from: 0, up_to: None };
        let mut moved = Vec::new();
        loop {
            let Recalled { messages, is_over } = store.recall(&mut recall, 4).await.unwrap();
            moved.push(messages);
            // It comes to be deferred while the others return, and keeps its pause.
            store.commit(&[deferred(100, "ops")], nothing, Timestamp::UNIX_EPOCH).await.unwrap();
            if is_over {
                break;
            }
        }
        assert_eq!(moved, [2, 2, 1], "each pass looks at no more than it may");
        let alerts = store.read(Subscription::Alerts, 0, 100).await.unwrap();
        assert_eq!(alerts.iter().map(|stored| stored.body[0]).collect::<Vec<_>>(), [0, 2, 4, 6, 8]);
        assert_eq!(store.count("parked").await.unwrap(), 4 + 3);
    }

    #[test]
    fn a_gap_ends_a_run() {
        assert_eq!(runs(&[1, 2, 3, 5, 7, 8]).collect::<Vec<_>>(), [(1, 3), (5, 5), (7, 8)]);
        assert_eq!(runs(&[]).count(), 0);
    }
}
