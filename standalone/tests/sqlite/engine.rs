//! The embedded queue as the conformance suite sees it: a directory, and a write lock that can be held.

use std::path::PathBuf;
use std::time::Duration;

use prometheus::Registry;
use queue::{QueueMetrics, Subscription};
use queue_sqlite::{Limits, OpenError, SqliteConsumer, SqlitePublisher, SqliteQueue};
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tempfile::TempDir;
use testkit::queue_conformance::{Engine, PATIENCE, Session};
use tokio::sync::Mutex;
use tokio::time::Instant;

const DIRECTORY_VARIABLE: &str = "LARKFIRE_TEST_DIRECTORY";

/// A data directory.
pub(crate) struct SqliteEngine {
    directory: PathBuf,
    /// Deletes the directory, unless a parent process does.
    _own: Option<TempDir>,
    limits: Limits,
    clock: Clock,
    /// Holds the write lock during a stall.
    holder: Mutex<Option<SqliteConnection>>,
}

/// One process's worth of the queue.
pub(crate) struct SqliteSession {
    pub(crate) metrics: QueueMetrics,
    queue: SqliteQueue,
    lifecycle: Lifecycle,
}

impl SqliteEngine {
    pub(crate) fn new() -> Self {
        Self::with(Limits { publish_timeout: Duration::from_secs(4), ..Limits::default() })
    }

    pub(crate) fn with(limits: Limits) -> Self {
        let own = tempfile::tempdir().expect("a directory");
        let clock = Clock::system();
        Self { directory: own.path().to_owned(), _own: Some(own), limits, clock, holder: Mutex::default() }
    }

    /// The same with a clock of the test's own.
    pub(crate) fn by_clock(clock: Clock) -> Self {
        Self { clock, ..Self::new() }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.join("queue.db")
    }

    /// Another connection to the file, as SQLite's tools would have.
    pub(crate) async fn connection(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.file()).connect().await.expect("an open file")
    }

    pub(crate) async fn try_open(&self) -> Result<SqliteSession, OpenError> {
        let lifecycle = Lifecycle::default();
        let metrics = QueueMetrics::register(&Registry::new()).expect("an empty registry");
        let queue =
            SqliteQueue::open(&self.directory, self.limits, &lifecycle, self.clock.clone(), metrics.clone())
                .await?;
        Ok(SqliteSession { metrics, queue, lifecycle })
    }
}

impl Engine for SqliteEngine {
    type Session = SqliteSession;

    async fn open(&self) -> SqliteSession {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.try_open().await {
                Ok(session) => return session,
                // The session before is still closing.
                Err(OpenError::InUse(_)) if Instant::now() < deadline => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn stall(&self) {
        let mut connection = self.connection().await;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.expect("the write lock");
        *self.holder.lock().await = Some(connection);
    }

    async fn resume(&self) {
        let mut connection = self.holder.lock().await.take().expect("a stall before");
        sqlx::query("ROLLBACK").execute(&mut connection).await.expect("the end of the lock");
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![(DIRECTORY_VARIABLE, self.directory.display().to_string())]
    }

    fn from_environment() -> Option<Self> {
        let directory = std::env::var(DIRECTORY_VARIABLE).ok()?.into();
        let clock = Clock::system();
        Some(Self { directory, _own: None, limits: Limits::default(), clock, holder: Mutex::default() })
    }

    async fn remove(self) {}
}

impl Session for SqliteSession {
    type Publisher = SqlitePublisher;
    type Consumer = SqliteConsumer;

    fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    fn publisher(&self) -> SqlitePublisher {
        self.queue.publisher()
    }

    fn consumer(&self, which: Subscription) -> SqliteConsumer {
        self.queue.subscribe(which)
    }
}
