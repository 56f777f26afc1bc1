//! Large changes in small steps: whoever else has something to do with the database comes first.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqlitePool;
use tokio::time::sleep;
use tracing::info;

use super::sql::execute;
use super::{DeleteSome, Pool, Store, StoreError};

/// The pause after each step.
const PAUSE: Duration = Duration::from_millis(20);
/// Free pages that stay in a file for what comes next (16 MiB).
const FREE_PAGES_KEPT: i64 = 4096;
/// Free pages that one step gives back to the disk (1 MiB).
const FREE_PAGES_RETURNED: i64 = 256;
/// What `PRAGMA auto_vacuum` says of a file that can give pages back bit by bit (sqlite.org, the page on pragmas).
const INCREMENTAL: i64 = 2;

/// Something that is done step after step, until one finds nothing left: `while steps.go_on(…).await {}`.
#[derive(Debug, Default)]
pub(crate) struct SmallSteps {
    /// How much was done in all.
    pub(crate) done: u64,
}

impl SmallSteps {
    /// Counts a step; says whether there may be another, once the others had their turn.
    pub(crate) async fn go_on(&mut self, step: StepResult) -> bool {
        match step {
            StepResult::Done(more) => {
                self.done += more;
                false
            }
            StepResult::GoesOn(more) => {
                self.done += more;
                sleep(PAUSE).await;
                true
            }
        }
    }
}

/// What one step has done, and whether there may be more to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StepResult {
    /// This much, and there may be more.
    GoesOn(u64),
    /// This much, and there is no more.
    Done(u64),
}

impl StepResult {
    /// Of a step that has done `count` of at most `most`.
    pub(crate) const fn of(count: u64, most: u64) -> Self {
        if count < most { Self::Done(count) } else { Self::GoesOn(count) }
    }
}

/// Rows that are kept for a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgedRows {
    pub(crate) table: &'static str,
    /// The columns of its primary key.
    pub(crate) key: &'static str,
    /// The column by which they are old, which has an index.
    pub(crate) time: &'static str,
    /// Rows that one statement removes: so many that none takes longer than the store waits for one.
    pub(crate) together: u64,
}

impl AgedRows {
    /// Removes all that are older than that, the oldest first. Says how many those were.
    pub(crate) async fn forget(&self, store: &Store, before_ms: i64) -> Result<u64, StoreError> {
        let Self { table, key, time, together } = *self;
        let condition = format!("{time} < ?");
        let delete = DeleteSome { table, key, condition: &condition, order: time };
        let delete = delete.statement(store.pool().dialect());
        let values = [before_ms.into(), i64::try_from(together).unwrap_or(i64::MAX).into()];
        let mut steps = SmallSteps::default();
        loop {
            let removed = store.within(|| execute(store.pool(), &delete, &values)).await?;
            if !steps.go_on(StepResult::of(removed, together)).await {
                return Ok(steps.done);
            }
        }
    }
}

impl Store {
    /// Gives back to the disk what a file has no more use for. A server does that by itself, or not.
    pub async fn shrink(&self) -> Result<(), StoreError> {
        let Pool::Sqlite(pool) = self.pool() else { return Ok(()) };
        if self.asked(pool, "PRAGMA auto_vacuum").await? != INCREMENTAL {
            return self.say_that_it_stays(pool).await;
        }
        let mut steps = SmallSteps::default();
        loop {
            let free = self.asked(pool, "PRAGMA freelist_count").await?.saturating_sub(FREE_PAGES_KEPT);
            if free <= 0 {
                return Ok(());
            }
            let pages = free.min(FREE_PAGES_RETURNED);
            let some = format!("PRAGMA incremental_vacuum({pages})");
            // A row per page: the pragma works while they are read.
            self.within(|| sqlx::query(AssertSqlSafe(some.clone())).fetch_all(pool)).await?;
            let _another = steps.go_on(StepResult::GoesOn(pages.unsigned_abs())).await;
        }
    }

    /// A file that was made before it could shrink.
    async fn say_that_it_stays(&self, pool: &SqlitePool) -> Result<(), StoreError> {
        if self.asked(pool, "PRAGMA freelist_count").await? > FREE_PAGES_KEPT {
            info!(
                file = ?self.0.file,
                "a part of the database's file is free and does not go back to the disk: see \"A SQLite file that does not shrink\" \
                 in docs/operations.md"
            );
        }
        Ok(())
    }

    async fn asked(&self, pool: &SqlitePool, pragma: &'static str) -> Result<i64, StoreError> {
        self.within(|| sqlx::query_scalar(pragma).fetch_one(pool)).await
    }
}
