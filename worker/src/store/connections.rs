//! Connections to a database: how they are opened, which are kept, and which of them are still believed to lead somewhere.
//!
//! Those to a server are kept here and not by sqlx, whose pool asks a connection that comes back whether it is there and
//! waits for the answer for as long as the system does, and waits again when it closes one under TLS: connections that a
//! firewall has forgotten take its places for a quarter of an hour.

mod mysql;
mod postgres;

use std::fmt::{self, Debug};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::{ClientTls, DatabaseConfig};
use runtime::tls::{install_provider, said_of};
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Database};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

pub(super) use mysql::is_login_without_tls;

use super::{FILE_BUSY_TIMEOUT, OpenError, StoreFault};

/// Connections that were not used for so long are closed: a calm worker holds none for nothing.
const IDLE_MAX: Duration = Duration::from_mins(10);
/// Connections that are older are closed: behind a balancer or a name, another server may be meant since.
const AGE_MAX: Duration = Duration::from_mins(30);
/// Connections that were not used for so long are asked whether they are still there, which is one round trip: servers,
/// balancers and firewalls forget idle ones, often without a word.
const ASKED_AFTER: Duration = Duration::from_secs(2);
/// Of the time for one operation, the part that may go into this question: the rest is for a new connection.
const ASKED_WITHIN: u32 = 4;
/// Of the time for one operation, the part in which a server that takes no connections is tried again: it may be starting.
const REFUSED_FOR: u32 = 2;
const REFUSED_PAUSE: Duration = Duration::from_millis(20);

/// How its driver reaches a server.
pub(crate) type ServerOptions<DB> = <<DB as Database>::Connection as Connection>::Options;

/// What servers of one kind want to be told, and how they say what is wrong.
pub trait ServerEngine: Database {
    /// What an operator is told to write.
    const URL: &'static str;

    /// Reads a URL, and what the settings say of TLS.
    fn options(url: &str, tls: &ClientTls) -> Result<ServerOptions<Self>, sqlx::Error>;

    /// Tells a new connection how its transactions are, and how long anything may take.
    fn set_up(
        connection: &mut Self::Connection,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Whether a server that said this instead of taking a connection may only be starting.
    fn is_starting(error: &sqlx::Error) -> bool;

    /// What is wrong with a connection in a sentence, where the driver speaks of itself.
    fn in_our_words(error: sqlx::Error, set_by: SetBy) -> sqlx::Error;

    /// One statement.
    fn execute(
        connection: &mut Self::Connection,
        query: Query<'_, Self, Self::Arguments>,
    ) -> impl Future<Output = Result<Self::QueryResult, sqlx::Error>> + Send;

    /// The rows of one query.
    fn rows(
        connection: &mut Self::Connection,
        query: Query<'_, Self, Self::Arguments>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;
}

/// Which settings a server is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// `database.url` and `database.tls`.
    DatabaseUrl,
    /// `owners.table.host` and those beside it.
    UserTable,
}

/// Connections to a server. Clones share them.
pub struct Server<DB: ServerEngine>(Arc<Shared<DB>>);

struct Shared<DB: ServerEngine> {
    options: ServerOptions<DB>,
    set_by: SetBy,
    /// What one operation may take in all.
    timeout: Duration,
    places: Arc<Semaphore>,
    idle: Mutex<Idle<DB>>,
}

struct Idle<DB: ServerEngine> {
    /// The one that was used last at the end, from where they are taken.
    kept: Vec<IdleConnection<DB>>,
    /// What was opened before is not used again.
    distrusted: Option<Instant>,
}

struct IdleConnection<DB: ServerEngine> {
    connection: DB::Connection,
    opened: Instant,
    used: Instant,
}

/// A connection in use. Unless it is [settled](Self::settled) it is cut, whatever was under way on it.
pub(crate) struct ConnectionLease<DB: ServerEngine> {
    server: Server<DB>,
    kept: Option<IdleConnection<DB>>,
    _place: OwnedSemaphorePermit,
}

impl<DB: ServerEngine> Clone for Server<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: ServerEngine> Debug for Server<DB> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest holds a password.
        write!(formatter, "Server({})", DB::NAME)
    }
}

impl<DB: ServerEngine> Server<DB> {
    /// By its URL.
    pub(crate) fn of(url: &str, config: &DatabaseConfig) -> Result<Self, OpenError> {
        let options = DB::options(url, &config.tls).map_err(|_| OpenError::Url(DB::URL))?;
        Ok(Self::new(options, SetBy::DatabaseUrl, config.connections, config.timeout))
    }

    /// `timeout` is what one operation may take in all.
    fn new(options: ServerOptions<DB>, set_by: SetBy, connections: u32, timeout: Duration) -> Self {
        // Sqlx asks for the provider of the process where only the CA is checked.
        install_provider();
        Self(Arc::new(Shared {
            options: options.disable_statement_logging(),
            set_by,
            timeout,
            places: Arc::new(Semaphore::new(connections.max(1) as usize)),
            idle: Mutex::new(Idle { kept: Vec::new(), distrusted: None }),
        }))
    }

    /// A connection that leads somewhere, as far as one can know. Waits for one, in its caller's time.
    pub(crate) async fn lease(&self) -> Result<ConnectionLease<DB>, sqlx::Error> {
        // Only closing a semaphore makes this fail, and nobody does.
        let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let kept = match self.idle_one().await {
            Some(kept) => kept,
            None => self.0.open().await?,
        };
        Ok(ConnectionLease { server: self.clone(), kept: Some(kept), _place: place })
    }

    /// One statement.
    pub(crate) async fn execute(
        &self,
        query: Query<'_, DB, DB::Arguments>,
    ) -> Result<DB::QueryResult, sqlx::Error> {
        let mut lease = self.lease().await?;
        let done = DB::execute(lease.connection()?, query).await;
        lease.settled(done)
    }

    /// The rows of one query.
    pub(crate) async fn rows(
        &self,
        query: Query<'_, DB, DB::Arguments>,
    ) -> Result<Vec<DB::Row>, sqlx::Error> {
        let mut lease = self.lease().await?;
        let found = DB::rows(lease.connection()?, query).await;
        lease.settled(found)
    }

    /// The next connection is a new one: one was found dead, or leads to a server that takes no writes any more.
    pub(crate) fn distrust(&self) {
        let mut idle = self.0.idle();
        idle.distrusted = Some(Instant::now());
        // Cut, not closed: whoever is gone does not answer.
        idle.kept.clear();
    }

    async fn idle_one(&self) -> Option<IdleConnection<DB>> {
        loop {
            let mut kept = self.0.idle().kept.pop()?;
            let patience = self.0.timeout / ASKED_WITHIN;
            let idle_for = kept.used.elapsed();
            if idle_for > IDLE_MAX || kept.opened.elapsed() > AGE_MAX {
                // So that the server does not write down that we were cut off. Failing that, it does.
                let _closed = timeout(patience, kept.connection.close()).await;
                continue;
            }
            if idle_for < ASKED_AFTER {
                return Some(kept);
            }
            if matches!(timeout(patience, kept.connection.ping()).await, Ok(Ok(()))) {
                return Some(kept);
            }
            // What took this one took the others.
            self.distrust();
        }
    }
}

impl<DB: ServerEngine> Shared<DB> {
    async fn open(&self) -> Result<IdleConnection<DB>, sqlx::Error> {
        let opened = Instant::now();
        let mut connection = loop {
            match self.options.connect().await {
                Err(error) if is_starting::<DB>(&error) && opened.elapsed() < self.timeout / REFUSED_FOR => {
                    sleep(REFUSED_PAUSE).await;
                }
                connected => break connected.map_err(|error| DB::in_our_words(error, self.set_by))?,
            }
        };
        DB::set_up(&mut connection, self.timeout).await?;
        Ok(IdleConnection { connection, opened, used: Instant::now() })
    }

    fn idle(&self) -> MutexGuard<'_, Idle<DB>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<DB: ServerEngine> ConnectionLease<DB> {
    /// The connection itself.
    pub(crate) fn connection(&mut self) -> Result<&mut DB::Connection, sqlx::Error> {
        // It is there until the lease is settled, which ends the lease.
        self.kept.as_mut().map(|kept| &mut kept.connection).ok_or(sqlx::Error::PoolClosed)
    }

    /// Gives the connection back, unless what came of it says that it is gone, or leads to the wrong server.
    pub(crate) fn settled<T>(mut self, outcome: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        let is_sound = match outcome.as_ref().map_err(StoreFault::of) {
            Ok(_)
            | Err(StoreFault::Missing | StoreFault::Contended | StoreFault::Data | StoreFault::Other) => true,
            Err(StoreFault::Lost | StoreFault::ReadOnly) => false,
        };
        let mut idle = self.server.0.idle();
        if let Some(kept) = self.kept.take_if(|kept| is_sound && idle.trusts(kept)) {
            idle.kept.push(IdleConnection { used: Instant::now(), ..kept });
        }
        drop(idle);
        outcome
    }
}

/// Whether a server that takes no connection may be about to.
fn is_starting<DB: ServerEngine>(error: &sqlx::Error) -> bool {
    if let sqlx::Error::Io(error) = error {
        error.kind() == std::io::ErrorKind::ConnectionRefused
    } else {
        DB::is_starting(error)
    }
}

/// What is wrong with TLS, in a sentence. Nobody but an operator mends it; as an I/O error it would pass for a network that
/// comes back.
fn tls_in_our_words(error: &sqlx::Error, set_by: SetBy, mode: &str) -> Option<sqlx::Error> {
    let said = said_of(error)?;
    let settings = match set_by {
        SetBy::DatabaseUrl => format!("database.tls, and {mode} in database.url"),
        SetBy::UserTable => "owners.table.tls".to_owned(),
    };
    Some(sqlx::Error::Configuration(format!("{said}; see {settings}").into()))
}

/// Whether a URL has one of these parameters.
fn has_parameter(url: &str, names: &[&str]) -> bool {
    let url = Url::parse(url).ok();
    url.is_some_and(|url| url.query_pairs().any(|(name, _)| names.contains(&&*name)))
}

impl<DB: ServerEngine> Idle<DB> {
    fn trusts(&self, kept: &IdleConnection<DB>) -> bool {
        self.distrusted.is_none_or(|at| kept.opened > at)
    }
}

/// One file. The next connection to it is a new one where it `is_stale`.
pub(super) fn to_file(path: &Path, is_stale: Arc<AtomicBool>) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        // Free pages are used again before the file grows, and go back to the disk bit by bit (`steps.rs`). Only for a file
        // that is made now: an older one has to be written anew for it.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        // What was delivered has to be known after a power cut as well, or it is delivered twice.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(FILE_BUSY_TIMEOUT)
        .disable_statement_logging();
    let path = path.to_owned();
    let pool =
        SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).before_acquire(
            move |_, _| {
                // What is written to a file that was removed goes on without an error, and is gone at the next start.
                let is_sound = path.exists() && !is_stale.swap(false, Ordering::AcqRel);
                Box::pin(async move { Ok(is_sound) })
            },
        );
    pool.connect_lazy_with(options)
}
