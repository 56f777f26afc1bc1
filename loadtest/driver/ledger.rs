//! What the workers have written down, read past them.

use std::collections::{HashMap, HashSet};

use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;

use crate::template::number_of;

const TOLD: &str = "SELECT fingerprint, told_at FROM larkfire_ledger WHERE told_at IS NOT NULL";
const TOLD_COUNT: &str = "SELECT COUNT(*) FROM larkfire_ledger WHERE told_at IS NOT NULL";
const DEAD: &str = "SELECT DISTINCT fingerprint FROM larkfire_dead_alerts";
const DEAD_COUNT: &str = "SELECT COUNT(DISTINCT fingerprint) FROM larkfire_dead_alerts";

/// The SQL state of a table that is not there.
const NO_SUCH_TABLE: &str = "42S02";

/// The database of a run, past any proxy.
pub(crate) struct Ledger {
    url: String,
    connection: Option<MySqlConnection>,
}

/// The end of the alerts, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// When each was told, in milliseconds since 1970 by the worker's clock.
    pub(crate) told: HashMap<u32, i64>,
    pub(crate) dead: HashSet<u32>,
}

impl Ledger {
    pub(crate) const fn new(url: String) -> Self {
        Self { url, connection: None }
    }

    /// How many alerts have ended, told or dead. A database that was killed and is not back yet is an error.
    pub(crate) async fn ended(&mut self) -> sqlx::Result<u64> {
        let told: i64 = or_nothing(self.scalar(TOLD_COUNT).await)?;
        let dead: i64 = or_nothing(self.scalar(DEAD_COUNT).await)?;
        Ok(u64::try_from(told + dead).unwrap_or(0))
    }

    pub(crate) async fn read(&mut self) -> sqlx::Result<Written> {
        let connection = self.connection().await?;
        let told: Vec<(Vec<u8>, i64)> = or_nothing(sqlx::query_as(TOLD).fetch_all(&mut *connection).await)?;
        let dead: Vec<String> = or_nothing(sqlx::query_scalar(DEAD).fetch_all(connection).await)?;
        Ok(Written {
            told: told.iter().filter_map(|(fingerprint, at)| Some((number_of(fingerprint)?, *at))).collect(),
            dead: dead.iter().filter_map(|fingerprint| number_of(fingerprint.as_bytes())).collect(),
        })
    }

    async fn scalar(&mut self, query: &'static str) -> sqlx::Result<i64> {
        let found = sqlx::query_scalar(query).fetch_one(self.connection().await?).await;
        if let Err(sqlx::Error::Io(_)) = &found {
            self.connection = None;
        }
        found
    }

    async fn connection(&mut self) -> sqlx::Result<&mut MySqlConnection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => MySqlConnection::connect(&self.url).await?,
        };
        Ok(self.connection.insert(connection))
    }
}

/// The workers make the tables when they first need them.
fn or_nothing<T: Default>(found: sqlx::Result<T>) -> sqlx::Result<T> {
    match found {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_SUCH_TABLE) => {
            Ok(T::default())
        }
        found => found,
    }
}
