//! The user table: the operators' own on a server, or ours in the worker's SQLite file. All people of a card
//! are one query.

mod row;
mod sql;

use std::time::Duration;

use config::{DatabaseConfig, Secret, UserServer, UserTableConfig};
use sqlx::mysql::MySqlConnectOptions;
use thiserror::Error;

use super::metrics::{OwnerMetrics, Source};
use crate::people::person::Person;
pub(crate) use crate::store::mysql_number as refusal;
use crate::store::{Breaker, OpenError, Pool, Server, Store, StoreError, StoreFault, postgres_state};
pub(crate) use row::UserRow;
use sql::Columns;

/// How long the table may take; more than a card waits, so that a slow answer is there for the next one.
const PATIENCE: Duration = Duration::from_secs(1);
/// Connections to a server of its own.
const CONNECTIONS: u32 = 2;
/// What `MySQL` answers where there is no such table.
const NO_SUCH_TABLE: u16 = 1146;
/// What `PostgreSQL` does.
const POSTGRES_NO_SUCH_TABLE: &str = "42P01";

/// Where people's ids are.
#[derive(Debug)]
pub(crate) struct UserTable {
    place: UserTablePlace,
    columns: Columns,
    id_prefix: String,
}

#[derive(Debug)]
enum UserTablePlace {
    /// In our own file, which has its own way to be away.
    File(Store),
    /// On a server.
    Server {
        pool: Box<Pool>,
        breaker: Box<Breaker>,
        /// Nobody said that there is a table.
        may_be_missing: bool,
    },
}

/// Why nobody could be looked up.
#[derive(Debug, Error)]
pub(crate) enum TableError {
    /// It failed a moment ago, and is not asked again yet.
    #[error("the user table was away a moment ago")]
    Away,
    /// No answer in time.
    #[error("the user table did not answer within {} ms", PATIENCE.as_millis())]
    TimedOut,
    /// It cannot be reached, or it refused.
    #[error("the user table failed: {0}")]
    Failed(#[from] sqlx::Error),
    /// Our own file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What there is in the table, in numbers: whether it can be read as it is configured, and never who is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Survey {
    pub(crate) rows: i64,
    /// Those with a user name.
    pub(crate) named: i64,
    pub(crate) with_nickname: i64,
    pub(crate) with_mobile: i64,
    /// Those with an id of any kind.
    pub(crate) with_id: i64,
    /// Those whose id is an open id, with or without the prefix.
    pub(crate) with_open_id: i64,
}

impl UserTable {
    /// Reads the configuration; does not connect.
    pub(crate) fn open(
        config: &UserTableConfig,
        database: &DatabaseConfig,
        store: &Store,
        metrics: &OwnerMetrics,
    ) -> Result<Self, OpenError> {
        let (place, columns) = match (&config.server, store.pool()) {
            (Some(given), _) => return Ok(Self::on_server(given, config, metrics)),
            (None, Pool::MySql(_) | Pool::Postgres(_)) => {
                let url = database.url.as_ref().map_or("", Secret::expose);
                // Connections of its own: whoever waits for people must not hold up what is delivered.
                let few = DatabaseConfig { connections: CONNECTIONS, timeout: PATIENCE, ..database.clone() };
                let pool = Pool::to_server(url, &few)?;
                let columns = Columns::theirs(config, pool.dialect());
                (UserTablePlace::server(pool, true, metrics), columns)
            }
            (None, Pool::Sqlite(_) | Pool::Simulated(_)) => {
                (UserTablePlace::File(store.clone()), Columns::ours())
            }
        };
        Ok(Self { place, columns, id_prefix: config.id_prefix.clone() })
    }

    /// The table on a server of its own.
    pub(crate) fn on_server(server: &UserServer, config: &UserTableConfig, metrics: &OwnerMetrics) -> Self {
        let server = Server::of_user_table(options(server), &server.tls, CONNECTIONS, PATIENCE);
        let pool = Pool::MySql(server);
        Self {
            columns: Columns::theirs(config, pool.dialect()),
            place: UserTablePlace::server(pool, false, metrics),
            id_prefix: config.id_prefix.clone(),
        }
    }

    /// The rows of these people, as far as there are any.
    pub(crate) async fn find(&self, people: &[Person]) -> Result<Vec<UserRow>, TableError> {
        self.ask(|| sql::find(self.pool(), &self.columns, &self.id_prefix, people)).await
    }

    /// The rows with these ids of Feishu's.
    pub(crate) async fn with_ids(&self, ids: &[&str]) -> Result<Vec<UserRow>, TableError> {
        let mut rows = self.ask(|| sql::with_ids(self.pool(), &self.columns, &self.id_prefix, ids)).await?;
        // A collation may see no difference between ids.
        rows.retain(|row| ids.contains(&row.id.as_str()));
        Ok(rows)
    }

    /// Counts it through, in the caller's time; `None` if it is not there and nobody said that it is. Makes nothing.
    pub(crate) async fn survey(&self) -> Result<Option<Survey>, sqlx::Error> {
        let (pool, may_be_missing) = match &self.place {
            UserTablePlace::File(store) => (store.pool(), true),
            UserTablePlace::Server { pool, may_be_missing, .. } => (&**pool, *may_be_missing),
        };
        match sql::count(pool, &self.columns, &self.id_prefix).await {
            Ok((rows, named, with_nickname, with_mobile, with_id, with_open_id)) => {
                Ok(Some(Survey { rows, named, with_nickname, with_mobile, with_id, with_open_id }))
            }
            Err(error) if may_be_missing && is_no_such_table(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn pool(&self) -> &Pool {
        match &self.place {
            UserTablePlace::File(store) => store.pool(),
            UserTablePlace::Server { pool, .. } => pool,
        }
    }

    async fn ask<F>(&self, query: impl Fn() -> F) -> Result<Vec<UserRow>, TableError>
    where
        F: Future<Output = Result<Vec<UserRow>, sqlx::Error>>,
    {
        match &self.place {
            UserTablePlace::File(store) => Ok(store.within(query).await?),
            UserTablePlace::Server { pool, breaker, may_be_missing } => {
                let Some(pass) = breaker.lets_through() else { return Err(TableError::Away) };
                let asked = async {
                    match query().await {
                        // It died while nobody looked; the next one is new.
                        Err(error) if StoreFault::of(&error) == StoreFault::Lost => {
                            pool.distrust();
                            query().await
                        }
                        found => found,
                    }
                };
                let found = match tokio::time::timeout(PATIENCE, asked).await {
                    Ok(Err(error)) if *may_be_missing && is_no_such_table(&error) => Ok(Vec::new()),
                    Ok(found) => found.map_err(TableError::from),
                    Err(_) => {
                        pool.distrust();
                        Err(TableError::TimedOut)
                    }
                };
                breaker.learn(pass, found.as_ref().err().map(|error| error as _));
                found
            }
        }
    }
}

impl UserTablePlace {
    fn server(pool: Pool, may_be_missing: bool, metrics: &OwnerMetrics) -> Self {
        let breaker = Box::new(Breaker::new("the user table", metrics.source(Source::Table)));
        Self::Server { pool: Box::new(pool), breaker, may_be_missing }
    }
}

fn options(server: &UserServer) -> MySqlConnectOptions {
    let options = MySqlConnectOptions::new()
        .host(&server.host)
        .port(server.port)
        .database(&server.database)
        .username(&server.user);
    match &server.password {
        Some(password) => options.password(password.expose()),
        None => options,
    }
}

fn is_no_such_table(error: &sqlx::Error) -> bool {
    let of_file = error.as_database_error().is_some_and(|error| error.message().starts_with("no such table"));
    of_file || refusal(error) == Some(NO_SUCH_TABLE) || postgres_state(error) == Some(POSTGRES_NO_SUCH_TABLE)
}
