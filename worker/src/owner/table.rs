//! The user table: the operators' own on a `MySQL` server, or ours in the worker's SQLite file. All people of a card
//! are one query.

mod row;
mod sql;
mod survey;

use std::time::Duration;

use shared::config::{DatabaseConfig, Secret, UserServer, UserTableConfig};
use sqlx::ConnectOptions;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlPool, MySqlPoolOptions};
use thiserror::Error;

use super::metrics::{OwnerMetrics, Source};
use super::person::Person;
use crate::store::{Breaker, OpenError, Pool, Step, Store, StoreError, server_pool};
pub(crate) use row::Row;
use sql::Columns;
pub(crate) use survey::Survey;

/// How long the table may take; more than a card waits, so that a slow answer is there for the next one.
const PATIENCE: Duration = Duration::from_secs(1);
/// Connections to a server of its own.
const CONNECTIONS: u32 = 2;
const IDLE_TIMEOUT: Duration = Duration::from_mins(10);
/// What `MySQL` answers where there is no such table.
const NO_SUCH_TABLE: u16 = 1146;

/// Ours, where there is no other. Names are compared without case, as `MySQL` mostly does.
pub(crate) const TABLES: Step = Step {
    mysql: &[],
    sqlite: &[
        "CREATE TABLE IF NOT EXISTS larkfire_users (
            username TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
            nickname TEXT,
            mobile TEXT,
            source_user_id TEXT
        ) STRICT",
        "CREATE INDEX IF NOT EXISTS larkfire_users_by_mobile ON larkfire_users (mobile)",
    ],
};

/// Where people's ids are.
#[derive(Debug)]
pub(crate) struct UserTable {
    place: Place,
    columns: Columns,
    id_prefix: String,
}

#[derive(Debug)]
enum Place {
    /// In our own file, which has its own way to be away.
    File(Store),
    /// On a server.
    Server {
        pool: Box<Pool>,
        breaker: Breaker,
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

impl UserTable {
    /// Reads the configuration; does not connect.
    pub(crate) fn open(
        config: &UserTableConfig,
        database: &DatabaseConfig,
        store: &Store,
        metrics: &OwnerMetrics,
    ) -> Result<Self, OpenError> {
        let (place, columns) = match (&config.server, store.is_shared()) {
            (Some(given), _) => return Ok(Self::on_server(given, config, metrics)),
            (None, true) => {
                let url = database.url.as_ref().map_or("", Secret::expose);
                // Connections of its own: whoever waits for people must not hold up what is told.
                let few = DatabaseConfig { connections: CONNECTIONS, timeout: PATIENCE, ..database.clone() };
                (Place::server(server_pool(url, &few)?, true, metrics), Columns::theirs(config))
            }
            (None, false) => (Place::File(store.clone()), Columns::ours()),
        };
        Ok(Self { place, columns, id_prefix: config.id_prefix.clone() })
    }

    /// The table on a server of its own.
    pub(crate) fn on_server(server: &UserServer, config: &UserTableConfig, metrics: &OwnerMetrics) -> Self {
        Self {
            place: Place::server(pool_of(server), false, metrics),
            columns: Columns::theirs(config),
            id_prefix: config.id_prefix.clone(),
        }
    }

    /// The rows of these people, as far as there are any.
    pub(crate) async fn find(&self, people: &[Person]) -> Result<Vec<Row>, TableError> {
        self.ask(sql::find(self.pool(), &self.columns, &self.id_prefix, people)).await
    }

    /// The rows with these ids of Feishu's.
    pub(crate) async fn with_ids(&self, ids: &[&str]) -> Result<Vec<Row>, TableError> {
        let mut rows = self.ask(sql::with_ids(self.pool(), &self.columns, &self.id_prefix, ids)).await?;
        // A collation may see no difference between ids.
        rows.retain(|row| ids.contains(&row.id.as_str()));
        Ok(rows)
    }

    fn pool(&self) -> &Pool {
        match &self.place {
            Place::File(store) => store.pool(),
            Place::Server { pool, .. } => pool,
        }
    }

    async fn ask(
        &self,
        query: impl Future<Output = Result<Vec<Row>, sqlx::Error>>,
    ) -> Result<Vec<Row>, TableError> {
        match &self.place {
            Place::File(store) => Ok(store.within(query).await?),
            Place::Server { breaker, may_be_missing, .. } => {
                if !breaker.lets_through() {
                    return Err(TableError::Away);
                }
                let found = match tokio::time::timeout(PATIENCE, query).await {
                    Ok(Err(error)) if *may_be_missing && is_no_such_table(&error) => Ok(Vec::new()),
                    Ok(found) => found.map_err(TableError::from),
                    Err(_) => Err(TableError::TimedOut),
                };
                breaker.learn(found.as_ref().err().map(|error| error as _));
                found
            }
        }
    }
}

impl Place {
    fn server(pool: MySqlPool, may_be_missing: bool, metrics: &OwnerMetrics) -> Self {
        let breaker = Breaker::new("the user table", metrics.source(Source::Table));
        Self::Server { pool: Box::new(Pool::MySql(pool)), breaker, may_be_missing }
    }
}

fn pool_of(server: &UserServer) -> MySqlPool {
    let options = MySqlConnectOptions::new()
        .host(&server.host)
        .port(server.port)
        .database(&server.database)
        .username(&server.user)
        .disable_statement_logging();
    let options = match &server.password {
        Some(password) => options.password(password.expose()),
        None => options,
    };
    MySqlPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .idle_timeout(IDLE_TIMEOUT)
        .connect_lazy_with(options)
}

fn is_no_such_table(error: &sqlx::Error) -> bool {
    let of_file = error.as_database_error().is_some_and(|error| error.message().starts_with("no such table"));
    of_file || refusal(error) == Some(NO_SUCH_TABLE)
}

/// The number of what a `MySQL` server said no with.
pub(crate) fn refusal(error: &sqlx::Error) -> Option<u16> {
    let refusal = error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
    refusal.map(MySqlDatabaseError::number)
}
