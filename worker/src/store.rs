//! The worker's database: MySQL (MariaDB), shared by all workers, or one SQLite file. Opening it, the schema, and
//! the one rule everything that uses it keeps: whoever waits for the database waits for a bounded time, and a
//! database that is away is asked again only after a pause. What is done without it is the caller's decision.

mod breaker;
mod migrations;
mod refusal;
pub(crate) mod sql;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use prometheus::{IntCounter, IntGauge, Opts, Registry};
use shared::config::{DatabaseConfig, Secret};
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Executor};
use thiserror::Error;
use tokio::sync::OnceCell;

pub(crate) use breaker::Breaker;
pub(crate) use migrations::Step;

/// The file in the data directory, where no other database is configured.
const FILE_NAME: &str = "larkfire.db";
/// How long a writer waits for another process that writes to the same file: a command, or a second worker.
const FILE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that were not used for so long are closed: a calm worker holds none for nothing.
const IDLE_TIMEOUT: Duration = Duration::from_mins(10);

/// The database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: Pool,
    timeout: Duration,
    breaker: Breaker,
    /// Set once the schema is up to date: the database may come up after the worker.
    migrated: OnceCell<()>,
}

/// The connections, by the kind of database.
#[derive(Clone, Debug)]
pub enum Pool {
    /// `MySQL` or MariaDB.
    MySql(MySqlPool),
    /// One file. One connection, because it has one writer anyway.
    Sqlite(SqlitePool),
}

/// Why the database could not be asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It failed a moment ago, and is not asked again yet.
    #[error("the database was away a moment ago")]
    Away,
    /// No answer in time.
    #[error("the database did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// It cannot be reached, or it refused.
    #[error("the database failed: {0}")]
    Failed(#[from] sqlx::Error),
}

impl StoreError {
    /// Whether the database is there, well, and has refused this very statement.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Failed(error) => error.as_database_error().is_some_and(refusal::is_of_statement),
            Self::Away | Self::TimedOut(_) => false,
        }
    }
}

/// Why the database cannot be used as it is configured.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The URL is none. Its text is not repeated: it holds a password.
    #[error("database.url (DATABASE_URL) is not a URL of a database: {0}")]
    Url(&'static str),
    /// The directory of the file cannot be made.
    #[error("{path}: {cause}")]
    Directory {
        /// The directory.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Two parts of the process want the same metric.
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// What is counted about something that may be away.
#[derive(Clone, Debug)]
pub(crate) struct StoreMetrics {
    /// 1 while it answers.
    pub(crate) up: IntGauge,
    /// Operations that failed or took too long.
    pub(crate) failures: IntCounter,
}

impl Store {
    /// Reads the configuration; does not connect: a database that is away is no reason not to start.
    pub fn open(config: &DatabaseConfig, data_dir: &Path, registry: &Registry) -> Result<Self, OpenError> {
        let pool = match (file_of(config, data_dir), &config.url) {
            (Some(file), _) => file_pool(&file)?,
            (None, url) => Pool::MySql(server_pool(url.as_ref().map_or("", Secret::expose), config)?),
        };
        let breaker = Breaker::new("the database", StoreMetrics::register(registry)?);
        let inner = Inner { pool, timeout: config.timeout, breaker, migrated: OnceCell::new() };
        Ok(Self(Arc::new(inner)))
    }

    /// The connections, for the statements themselves. To be used inside [`within`](Self::within) only.
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// Whether several processes may share it without being on one machine.
    pub fn is_shared(&self) -> bool {
        matches!(self.0.pool, Pool::MySql(_))
    }

    /// Does something with the database: in bounded time, on an up-to-date schema, and not at all while the
    /// database is known to be away.
    pub async fn within<T>(
        &self,
        operation: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let Inner { pool, timeout, breaker, migrated } = &*self.0;
        if !breaker.lets_through() {
            return Err(StoreError::Away);
        }
        let outcome = tokio::time::timeout(*timeout, async {
            migrated.get_or_try_init(|| migrations::run(pool)).await?;
            operation.await
        });
        let outcome = match outcome.await {
            Ok(outcome) => outcome.map_err(StoreError::from),
            Err(_) => Err(StoreError::TimedOut(*timeout)),
        };
        breaker.learn(outcome.as_ref().err().map(|error| error as _));
        outcome
    }

    /// Brings the schema up to date without the deadline of every day, for commands and for tests.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.0.migrated.get_or_try_init(|| migrations::run(&self.0.pool)).await?;
        Ok(())
    }
}

/// The file of the database, if it is one.
pub(crate) fn file_of(config: &DatabaseConfig, data_dir: &Path) -> Option<PathBuf> {
    match config.url.as_ref().map(Secret::expose) {
        None => Some(data_dir.join(FILE_NAME)),
        Some(url) => url.strip_prefix("sqlite:").map(|path| PathBuf::from(path.trim_start_matches("//"))),
    }
}

fn file_pool(path: &Path) -> Result<Pool, OpenError> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory)
            .map_err(|cause| OpenError::Directory { path: directory.display().to_string(), cause })?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // What was told has to be known after a power cut as well, or it is told twice.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(FILE_BUSY_TIMEOUT)
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    Ok(Pool::Sqlite(pool.connect_lazy_with(options)))
}

pub(crate) fn server_pool(url: &str, config: &DatabaseConfig) -> Result<MySqlPool, OpenError> {
    let url = match url.strip_prefix("mariadb:") {
        Some(rest) => format!("mysql:{rest}"),
        None => url.to_owned(),
    };
    let options = MySqlConnectOptions::from_str(&url)
        .map_err(|_| OpenError::Url("expected mysql://user:password@host:3306/database"))?
        .disable_statement_logging();
    let pool = MySqlPoolOptions::new()
        .max_connections(config.connections)
        .acquire_timeout(config.timeout)
        .idle_timeout(IDLE_TIMEOUT)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Without gaps being locked, batches with sorted keys do not wait for each other in a circle.
                connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
                Ok(())
            })
        });
    Ok(pool.connect_lazy_with(options))
}

impl StoreMetrics {
    fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            up: IntGauge::with_opts(Opts::new(
                "larkfire_store_up",
                "1 while the database answers, 0 while alerts are told without it.",
            ))?,
            failures: IntCounter::with_opts(Opts::new(
                "larkfire_store_failures_total",
                "Operations on the database that failed or took too long.",
            ))?,
        };
        metrics.up.set(1);
        registry.register(Box::new(metrics.up.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        Ok(metrics)
    }
}
