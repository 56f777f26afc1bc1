//! What the workers have written down, read past them.

use std::collections::{HashMap, HashSet};

use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;

use crate::plan::Plan;
use crate::template::numbers_of;

const DELIVERED: &str = "SELECT fingerprint, told_at FROM larkfire_ledger WHERE told_at IS NOT NULL";
const DELIVERED_COUNT: &str = "SELECT COUNT(*) FROM larkfire_ledger WHERE told_at IS NOT NULL";
const DEAD_LETTERED: &str = "SELECT DISTINCT fingerprint FROM larkfire_dead_alerts";
const DEAD_LETTERED_COUNT: &str = "SELECT COUNT(DISTINCT fingerprint) FROM larkfire_dead_alerts";

/// The SQL state of a table that is not there.
const NO_SUCH_TABLE: &str = "42S02";

/// The database of a run, past any proxy.
pub(crate) struct Ledger {
    url: String,
    plan: Plan,
    connection: Option<MySqlConnection>,
}

/// The end of the alerts, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// When each was delivered, in milliseconds since 1970 by the worker's clock.
    pub(crate) delivered: HashMap<u32, i64>,
    pub(crate) dead_lettered: HashSet<u32>,
}

impl Ledger {
    pub(crate) const fn new(url: String, plan: Plan) -> Self {
        Self { url, plan, connection: None }
    }

    /// How many alerts have ended, delivered or dead-lettered. A database that was killed and is not back yet is an error.
    pub(crate) async fn ended(&mut self) -> sqlx::Result<u64> {
        let delivered: i64 = or_nothing(self.scalar(DELIVERED_COUNT).await)?;
        let dead_lettered: i64 = or_nothing(self.scalar(DEAD_LETTERED_COUNT).await)?;
        Ok(u64::try_from(delivered + dead_lettered).unwrap_or(0))
    }

    pub(crate) async fn read(&mut self) -> sqlx::Result<Written> {
        let numbers = numbers_of(self.plan);
        let connection = self.connection().await?;
        let delivered: Vec<(Vec<u8>, i64)> =
            or_nothing(sqlx::query_as(DELIVERED).fetch_all(&mut *connection).await)?;
        let dead_lettered: Vec<String> =
            or_nothing(sqlx::query_scalar(DEAD_LETTERED).fetch_all(connection).await)?;
        Ok(Written {
            delivered: delivered
                .iter()
                .filter_map(|(fingerprint, at)| Some((*numbers.get(fingerprint)?, *at)))
                .collect(),
            dead_lettered: dead_lettered
                .iter()
                .filter_map(|fingerprint| numbers.get(fingerprint.as_bytes()).copied())
                .collect(),
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
