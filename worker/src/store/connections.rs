//! Connections to a database: how they are opened, which are kept, and which of them are still believed to lead somewhere.
//!
//! Those to a server are kept here and not by sqlx, whose pool asks a connection that comes back whether it is there and
//! waits for the answer for as long as the system does, and waits again when it closes one under TLS: connections that a
//! firewall has forgotten take its places for a quarter of an hour.

use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, IdentityFiles};
use runtime::tls::{install_provider, said_of};
use sqlx::mysql::{
    MySql, MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlQueryResult, MySqlRow, MySqlSslMode,
};
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Executor, Row};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

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

/// Connections to a server. Clones share them.
#[derive(Clone, Debug)]
pub struct Server(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: MySqlConnectOptions,
    set_by: SetBy,
    /// What one operation may take in all.
    timeout: Duration,
    places: Arc<Semaphore>,
    idle: Mutex<Idle>,
}

/// Which settings a server is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SetBy {
    /// `database.url` and `database.tls`.
    DatabaseUrl,
    /// `owners.table.host` and those beside it.
    UserTable,
}

/// What an address says of TLS itself.
#[derive(Clone, Copy, Debug, Default)]
struct UrlTls {
    names_mode: bool,
    names_ca: bool,
    names_identity: bool,
}

#[derive(Debug, Default)]
struct Idle {
    /// The one that was used last at the end, from where they are taken.
    kept: Vec<IdleConnection>,
    /// What was opened before is not used again.
    distrusted: Option<Instant>,
}

#[derive(Debug)]
struct IdleConnection {
    connection: MySqlConnection,
    opened: Instant,
    used: Instant,
}

/// A connection in use. Unless it is [settled](Lease::settled) it is cut, whatever was under way on it.
#[derive(Debug)]
pub(crate) struct ConnectionLease {
    server: Server,
    kept: Option<IdleConnection>,
    _place: OwnedSemaphorePermit,
}

impl Server {
    /// By its URL.
    pub(crate) fn of(url: &str, config: &DatabaseConfig) -> Result<Self, OpenError> {
        let url = match url.strip_prefix("mariadb:") {
            Some(rest) => format!("mysql:{rest}"),
            None => url.to_owned(),
        };
        let options = MySqlConnectOptions::from_str(&url)
            .map_err(|_| OpenError::Url("expected mysql://user:password@host:3306/database"))?;
        let options = with_tls(options, UrlTls::of(&url), &config.tls);
        Ok(Self::new(options, SetBy::DatabaseUrl, config.connections, config.timeout))
    }

    /// By its parts, which are those of a server of the user table. `timeout` is what one operation may take in all.
    pub(crate) fn of_user_table(
        options: MySqlConnectOptions,
        tls: &ClientTls,
        connections: u32,
        timeout: Duration,
    ) -> Self {
        let options = with_tls(options, UrlTls::default(), tls);
        Self::new(options, SetBy::UserTable, connections, timeout)
    }

    fn new(options: MySqlConnectOptions, set_by: SetBy, connections: u32, timeout: Duration) -> Self {
        // Sqlx asks for the provider of the process where only the CA is checked.
        install_provider();
        Self(Arc::new(Shared {
            options: options.disable_statement_logging(),
            set_by,
            timeout,
            places: Arc::new(Semaphore::new(connections.max(1) as usize)),
            idle: Mutex::default(),
        }))
    }

    /// A connection that leads somewhere, as far as one can know. Waits for one, in its caller's time.
    pub(crate) async fn lease(&self) -> Result<ConnectionLease, sqlx::Error> {
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
        query: Query<'_, MySql, MySqlArguments>,
    ) -> Result<MySqlQueryResult, sqlx::Error> {
        let mut lease = self.lease().await?;
        let done = query.execute(lease.connection()?).await;
        lease.settled(done)
    }

    /// The rows of one query.
    pub(crate) async fn rows(
        &self,
        query: Query<'_, MySql, MySqlArguments>,
    ) -> Result<Vec<MySqlRow>, sqlx::Error> {
        let mut lease = self.lease().await?;
        let found = query.fetch_all(lease.connection()?).await;
        lease.settled(found)
    }

    /// The next connection is a new one: one was found dead, or leads to a server that takes no writes any more.
    pub(crate) fn distrust(&self) {
        let mut idle = self.0.idle();
        idle.distrusted = Some(Instant::now());
        // Cut, not closed: whoever is gone does not answer.
        idle.kept.clear();
    }

    async fn idle_one(&self) -> Option<IdleConnection> {
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

impl Shared {
    async fn open(&self) -> Result<IdleConnection, sqlx::Error> {
        let opened = Instant::now();
        let mut connection = loop {
            match self.options.connect().await {
                Err(sqlx::Error::Io(error))
                    if error.kind() == std::io::ErrorKind::ConnectionRefused
                        && opened.elapsed() < self.timeout / REFUSED_FOR =>
                {
                    sleep(REFUSED_PAUSE).await;
                }
                connected => break connected.map_err(|error| in_our_words(error, self.set_by))?,
            }
        };
        // Without gaps being locked, batches with sorted keys do not wait for each other in a circle.
        connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
        Ok(IdleConnection { connection, opened, used: Instant::now() })
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionLease {
    /// The connection itself.
    pub(crate) fn connection(&mut self) -> Result<&mut MySqlConnection, sqlx::Error> {
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

/// Adds what the settings say of TLS. Whoever names a CA wants to know whom they talk to: then certificate and name are
/// checked, where the URL does not say otherwise. Sqlx itself checks neither, unless `ssl-mode` says so.
fn with_tls(options: MySqlConnectOptions, url: UrlTls, tls: &ClientTls) -> MySqlConnectOptions {
    let mut options = options;
    if !url.names_mode {
        if tls.ca_file.is_some() || url.names_ca {
            options = options.ssl_mode(MySqlSslMode::VerifyIdentity);
        } else if tls.identity.is_some() || url.names_identity {
            options = options.ssl_mode(MySqlSslMode::Required);
        }
    }
    if let Some(file) = &tls.ca_file {
        options = options.ssl_ca(file);
    }
    match &tls.identity {
        Some(IdentityFiles { cert_file, key_file }) => {
            options.ssl_client_cert(cert_file).ssl_client_key(key_file)
        }
        None => options,
    }
}

/// Whether the user of this connection logs in by its password's hash alone, which a server only takes while it remembers
/// it from a log-in under TLS.
pub(super) async fn is_login_without_tls(connection: &mut MySqlConnection) -> Result<bool, sqlx::Error> {
    let cipher: Option<String> =
        match connection.fetch_optional("SHOW SESSION STATUS LIKE 'Ssl_cipher'").await? {
            Some(row) => row.try_get(1)?,
            None => None,
        };
    if cipher.is_some_and(|cipher| !cipher.is_empty()) {
        return Ok(false);
    }
    // Whoever may not see how it logs in is not told.
    let Ok(Some(user)) = connection.fetch_optional("SHOW CREATE USER CURRENT_USER()").await else {
        return Ok(false);
    };
    Ok(is_by_hash(user.try_get(0)?))
}

/// Reads what `SHOW CREATE USER` says. A user without a password needs no hash.
fn is_by_hash(created: &str) -> bool {
    created.contains("'caching_sha2_password' AS ")
}

/// What is wrong with TLS, in a sentence; and what sqlx says of its own features means: there is no TLS, and the server wants
/// the password itself.
fn in_our_words(error: sqlx::Error, set_by: SetBy) -> sqlx::Error {
    if let Some(said) = said_of(&error) {
        let settings = match set_by {
            SetBy::DatabaseUrl => "database.tls, and ssl-mode in database.url",
            SetBy::UserTable => "owners.table.tls",
        };
        // Nobody but an operator mends it; as an I/O error it would pass for a network that comes back.
        return sqlx::Error::Configuration(format!("{said}; see {settings}").into());
    }
    let is_of_feature =
        matches!(&error, sqlx::Error::Configuration(cause) if cause.to_string().contains("RSA"));
    if !is_of_feature {
        return error;
    }
    let further = match set_by {
        SetBy::DatabaseUrl => ", and remove ssl-mode=DISABLED from database.url if it is there",
        SetBy::UserTable => "",
    };
    sqlx::Error::Configuration(
        format!(
            "the server wants the password itself (caching_sha2_password or sha256_password), which is sent under TLS only: \
             turn on TLS at the server{further}"
        )
        .into(),
    )
}

impl UrlTls {
    fn of(url: &str) -> Self {
        let url = Url::parse(url).ok();
        let names = |names: [&str; 2]| {
            url.iter().flat_map(|url| url.query_pairs()).any(|(name, _)| names.contains(&&*name))
        };
        Self {
            names_mode: names(["ssl-mode", "sslmode"]),
            names_ca: names(["ssl-ca", "sslca"]),
            names_identity: names(["ssl-cert", "sslcert"]),
        }
    }
}

impl Idle {
    fn trusts(&self, kept: &IdleConnection) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_that_needs_tls_is_known_by_what_the_server_says_of_it() {
        let user =
            |how: &str| format!("CREATE USER `u`@`%` IDENTIFIED {how} REQUIRE NONE PASSWORD EXPIRE DEFAULT");
        // MySQL 9 does not show users their own hash.
        for hash in ["'$A$00A$sdq}ah{n&1DR'", "<secret>"] {
            assert!(is_by_hash(&user(&format!("WITH 'caching_sha2_password' AS {hash}"))));
        }
        for how in [
            "WITH 'caching_sha2_password'",
            "WITH 'mysql_native_password' AS '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
            "BY PASSWORD '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
        ] {
            assert!(!is_by_hash(&user(how)), "{how}");
        }
    }

    #[test]
    fn a_password_that_would_be_sent_without_tls_is_said_in_words_one_can_act_on() {
        let theirs = "RSA auth backend disabled; enable feature `mysql-rsa` (or `rsa` if using sqlx-mysql directly) or use TLS.";
        for set_by in [SetBy::DatabaseUrl, SetBy::UserTable] {
            let said = in_our_words(sqlx::Error::Configuration(theirs.into()), set_by).to_string();
            assert!(said.contains("turn on TLS at the server") && !said.contains("feature"), "{said}");
            assert_eq!(said.contains("database.url"), set_by == SetBy::DatabaseUrl, "{said}");
        }
    }
}
