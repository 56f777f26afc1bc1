//! The worker's database: MySQL (MariaDB) or `PostgreSQL`, shared by all workers, or one SQLite file. Opening it, the schema,
//! and the one rule everything that uses it keeps: whoever waits for the database waits for a bounded time, and a
//! database that is away is asked again only after a pause. What is done without it is the caller's decision.

mod breaker;
mod connections;
mod dialect;
pub mod inspection;
mod migrations;
mod refusal;
mod schema;
mod simulated;
pub mod sql;
mod steps;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use config::{DatabaseConfig, Secret};
use prometheus::{IntCounter, IntGauge, Registry};
use runtime::data_dir::{self, DATABASE_FILE, sqlite_advice};
use runtime::lifecycle::Condition;
use runtime::metrics::memory;
use sqlx::error::DatabaseError;
use sqlx::mysql::MySql;
use sqlx::postgres::Postgres;
use sqlx::sqlite::SqlitePool;
use thiserror::Error;
use tracing::debug;

pub(crate) use breaker::{Breaker, Pass};
pub(crate) use connections::ConnectionLease;
pub use connections::{Server, ServerEngine};
pub(crate) use dialect::{DeleteSome, Dialect, Insert};
pub use refusal::StoreFault;
pub(crate) use refusal::{mysql_number, postgres_state};
use schema::Schema;
pub use simulated::{DatabaseLink, SimulatedDatabase};
pub(crate) use steps::{AgedRows, SmallSteps, StepResult};

/// How long a writer waits for another process that writes to the same file: a command, or a second worker.
const FILE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How often one operation is done at most, within its one deadline: on a new connection, then on a mended schema (a
/// database that was restarted may have come back empty), or until nobody else is in the way.
const RUNS_MAX: u32 = 3;

/// The database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store(Arc<StoreState>);

#[derive(Debug)]
struct StoreState {
    pool: Pool,
    /// Where it is, if it is a file.
    file: Option<PathBuf>,
    timeout: Duration,
    breaker: Breaker,
    schema: Schema,
    /// Whether it is of use, as far as is known.
    usable: Condition,
    /// For a file: its connection is not used again.
    is_stale: Arc<AtomicBool>,
}

/// The connections, by the kind of database.
#[derive(Clone, Debug)]
pub enum Pool {
    /// `MySQL` or MariaDB.
    MySql(Server<MySql>),
    /// `PostgreSQL`.
    Postgres(Server<Postgres>),
    /// One file. One connection, because it has one writer anyway.
    Sqlite(SqlitePool),
    /// The tables of a simulation.
    Simulated(SimulatedDatabase),
}

/// Whether an operation may have been done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// It was not.
    First,
    /// It may have been: its connection was lost before it answered.
    MaybeAgain,
}

/// Why the database could not be asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It failed a moment ago, and is not asked again yet.
    #[error("the database was away a moment ago")]
    Away,
    /// No answer in time.
    #[error("the database did not answer within {} ms{}", .after.as_millis(), because(.last.as_ref()))]
    TimedOut {
        /// The time.
        after: Duration,
        /// What it was tried again for, if anything: a server that refuses connections may be starting.
        last: Option<sqlx::Error>,
    },
    /// It cannot be reached, or it refused.
    #[error("the database failed: {0}")]
    Failed(#[from] sqlx::Error),
    /// It is a file, and that is why it cannot be used.
    #[error("{}: {advice}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What to do about it.
        advice: &'static str,
        /// What SQLite said, which the advice says in other words.
        error: sqlx::Error,
    },
}

fn because(last: Option<&sqlx::Error>) -> String {
    last.map(|error| format!(": {error}")).unwrap_or_default()
}

impl StoreError {
    /// Whether the database is there, well, and has refused this very statement.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Failed(error) => error.as_database_error().is_some_and(refusal::is_of_statement),
            // Each advice is about the file as a whole.
            Self::Away | Self::TimedOut { .. } | Self::File { .. } => false,
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
        let is_stale = Arc::new(AtomicBool::new(false));
        let file = file_of(config, data_dir);
        let pool = match (&file, &config.url) {
            (Some(file), url) => {
                make_room_for(file, url.is_none().then_some(data_dir))?;
                Pool::Sqlite(connections::to_file(file, Arc::clone(&is_stale)))
            }
            (None, url) => Pool::to_server(url.as_ref().map_or("", Secret::expose), config)?,
        };
        Self::over(pool, file, config.timeout, is_stale, registry)
    }

    /// The database of a simulation, with the deadline of the real ones.
    pub fn simulated(
        database: SimulatedDatabase,
        timeout: Duration,
        registry: &Registry,
    ) -> Result<Self, OpenError> {
        Self::over(Pool::Simulated(database), None, timeout, Arc::default(), registry)
    }

    fn over(
        pool: Pool,
        file: Option<PathBuf>,
        timeout: Duration,
        is_stale: Arc<AtomicBool>,
        registry: &Registry,
    ) -> Result<Self, OpenError> {
        let breaker = Breaker::new("the database", StoreMetrics::register(registry)?);
        let inner = StoreState {
            pool,
            file,
            timeout,
            breaker,
            schema: Schema::default(),
            usable: usable(),
            is_stale,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The connections, for the statements themselves. To be used inside [`within`](Self::within) only.
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// Whether it is of use, for a process's readiness. One that is away is: it comes back. One that lets nobody in or
    /// refuses to hold its tables never is until somebody does something about it.
    pub fn usable(&self) -> Condition {
        self.0.usable.clone()
    }

    /// Whether several processes may share it without being on one machine.
    pub fn is_shared(&self) -> bool {
        match self.0.pool {
            Pool::MySql(_) | Pool::Postgres(_) | Pool::Simulated(_) => true,
            Pool::Sqlite(_) => false,
        }
    }

    /// Does something with the database: in bounded time, on an up-to-date schema, and not at all while the
    /// database is known to be away.
    ///
    /// The operation may be done twice: a connection may have died while nobody looked, or after the database had
    /// done it. So it has to come to the same when it is done again.
    pub async fn within<T, F>(&self, operation: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        self.within_knowing(|_| operation()).await
    }

    /// Does something with the database that would not come to the same if it were done twice: it is told whether it
    /// may have been done before.
    pub(crate) async fn within_knowing<T, F>(&self, operation: impl Fn(Run) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        let StoreState { timeout, breaker, schema, usable, .. } = &*self.0;
        let Some(pass) = breaker.lets_through() else { return Err(StoreError::Away) };
        let mut last = None;
        let outcome = tokio::time::timeout(*timeout, self.repeated(pass, operation, &mut last)).await;
        let outcome = outcome.map_or_else(
            |_| {
                // Its connection may lead nowhere.
                self.distrust();
                Err(StoreError::TimedOut { after: *timeout, last })
            },
            |outcome| outcome.map_err(|error| self.failure(error)),
        );
        match &outcome {
            Err(StoreError::Failed(error) | StoreError::File { error, .. })
                if refusal::is_for_good(error) && !schema.is_ready() =>
            {
                usable.set(false);
            }
            Ok(_) => {
                usable.set(true);
            }
            Err(_) => {}
        }
        match &outcome {
            // Without its tables there is no use in a database, whatever it says no to.
            Err(StoreError::Failed(error)) if schema.is_ready() && refusal::is_no_outage(error) => {
                breaker.learn_refusal(pass, error);
            }
            outcome => breaker.learn(pass, outcome.as_ref().err().map(|error| error as _)),
        }
        outcome
    }

    /// The operation, until it has an outcome that another run would not change. `last` is why it was run again, for whoever
    /// does not wait for the end.
    async fn repeated<T, F>(
        &self,
        pass: Pass,
        operation: impl Fn(Run) -> F,
        last: &mut Option<sqlx::Error>,
    ) -> Result<T, sqlx::Error>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        let StoreState { pool, schema, .. } = &*self.0;
        let mut runs = 0;
        let mut run = Run::First;
        loop {
            // Boxed: statements are some 10 KB, which everybody who waits for one would carry through all that calls it.
            let once = Box::pin(async {
                schema.ready(pool).await?;
                if pass.is_probe() {
                    // What takes no writes is not back, whatever it lets read.
                    schema::takes_writes(pool).await?;
                }
                operation(run).await
            });
            let error = match once.await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            runs += 1;
            let fault = StoreFault::of(&error);
            match fault {
                StoreFault::Lost | StoreFault::ReadOnly => self.distrust(),
                StoreFault::Missing => Box::pin(schema.mend(pool)).await?,
                StoreFault::Contended => {}
                StoreFault::Data | StoreFault::Other => return Err(error),
            }
            if runs >= RUNS_MAX {
                return Err(error);
            }
            if fault == StoreFault::Lost {
                run = Run::MaybeAgain;
            }
            debug!(%error, "asking the database once more");
            *last = Some(error);
        }
    }

    /// The next connection is a new one.
    fn distrust(&self) {
        self.0.pool.distrust();
        self.0.is_stale.store(true, Ordering::Release);
    }

    /// Brings the schema up to date without the deadline of every day, for commands and for tests.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.0.schema.ready(&self.0.pool).await.map_err(|error| self.failure(error))
    }

    /// What a failure means for whoever has to do something about it.
    fn failure(&self, error: sqlx::Error) -> StoreError {
        let code = error.as_database_error().and_then(DatabaseError::code);
        let advice = code.and_then(|code| code.parse().ok()).and_then(sqlite_advice);
        match (&self.0.file, advice) {
            (Some(path), Some(advice)) => StoreError::File { path: path.clone(), advice, error },
            (None, _) | (_, None) => StoreError::Failed(error),
        }
    }
}

impl Pool {
    /// The next connection to a server is a new one.
    pub(crate) fn distrust(&self) {
        match self {
            Self::MySql(server) => server.distrust(),
            Self::Postgres(server) => server.distrust(),
            // A file's is its store's to distrust; a simulation's next statement goes another way anyhow.
            Self::Sqlite(_) | Self::Simulated(_) => {}
        }
    }

    /// Connections to the server of this URL; which kind it is its scheme says.
    pub(crate) fn to_server(url: &str, config: &DatabaseConfig) -> Result<Self, OpenError> {
        let is_postgres = config::is_postgres_url(url);
        Ok(if is_postgres {
            Self::Postgres(Server::of(url, config)?)
        } else {
            Self::MySql(Server::of(url, config)?)
        })
    }
}

fn usable() -> Condition {
    let usable = Condition::default();
    usable.set(true);
    usable
}

/// Makes the directory of a file, and keeps both from being read by others: the directory only where it is ours.
fn make_room_for(file: &Path, data_dir: Option<&Path>) -> Result<(), OpenError> {
    let folder = data_dir.or(file.parent()).filter(|folder| !folder.as_os_str().is_empty());
    let made = match (folder, data_dir) {
        (None, _) => Ok(()),
        (Some(folder), Some(_)) => data_dir::open(folder),
        (Some(folder), None) => std::fs::create_dir_all(folder),
    };
    data_dir::narrow_database(file);
    made.map_err(|cause| {
        let path = folder.unwrap_or(file).display().to_string();
        OpenError::Directory { path, cause }
    })
}

/// The file of the database, if it is one.
pub(crate) fn file_of(config: &DatabaseConfig, data_dir: &Path) -> Option<PathBuf> {
    match config.url.as_ref().map(Secret::expose) {
        None => Some(data_dir.join(DATABASE_FILE)),
        Some(url) => url.strip_prefix("sqlite:").map(|path| PathBuf::from(path.trim_start_matches("//"))),
    }
}

impl StoreMetrics {
    fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self { up: memory::STORE_UP.gauge()?, failures: memory::STORE_FAILURES.counter()? };
        metrics.up.set(1);
        registry.register(Box::new(metrics.up.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        Ok(metrics)
    }
}
