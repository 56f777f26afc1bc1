//! Whether the tables are there and as this version knows them. That is found out before the first operation, and again
//! when a statement says that something is missing: a database that was dropped and made anew, or restored, gets its
//! tables while everything runs.

use std::sync::atomic::{AtomicBool, Ordering};

use super::sql::execute;
use super::{Pool, migrations};

/// What this process knows of the schema.
#[derive(Debug, Default)]
pub(super) struct Schema {
    is_ready: AtomicBool,
    turn: tokio::sync::Mutex<()>,
}

impl Schema {
    /// Brings it up to date, unless that is done. The database may come up after the worker.
    pub(super) async fn ready(&self, pool: &Pool) -> Result<(), sqlx::Error> {
        if self.is_ready() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if !self.is_ready() {
            migrations::run(pool).await?;
            self.is_ready.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Whether it was up to date once.
    pub(super) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    /// Something was missing, and is made again. Where that fails the rest goes on as before.
    pub(super) async fn mend(&self, pool: &Pool) -> Result<(), sqlx::Error> {
        let _turn = self.turn.lock().await;
        migrations::run(pool).await
    }
}

/// Fails where nothing can be written. Changes nothing.
pub(super) async fn takes_writes(pool: &Pool) -> Result<(), sqlx::Error> {
    // The names of budgets are never empty. A server and a file that are read-only refuse it before they look for rows.
    execute(pool, "DELETE FROM larkfire_budget WHERE receiver = ''", &[]).await.map(drop)
}
