//! What the workers have written down, read past them.

use std::collections::{HashMap, HashSet};

use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;
use testkit::mariadb::TestDatabase;

use crate::template::number_of;

const TOLD: &str = "SELECT fingerprint, told_at FROM larkfire_ledger WHERE told_at IS NOT NULL";
const TOLD_COUNT: &str = "SELECT COUNT(*) FROM larkfire_ledger WHERE told_at IS NOT NULL";
const DEAD: &str = "SELECT DISTINCT fingerprint FROM larkfire_dead_alerts";
const DEAD_COUNT: &str = "SELECT COUNT(DISTINCT fingerprint) FROM larkfire_dead_alerts";

/// The SQL state of a table that is not there.
const NO_SUCH_TABLE: &str = "42S02";

/// A connection to the database of a run, past any proxy.
pub(crate) struct Ledger(MySqlConnection);

/// The end of the alerts, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// When each was told, in milliseconds since 1970 by the worker's clock.
    pub(crate) told: HashMap<u32, i64>,
    pub(crate) dead: HashSet<u32>,
}

impl Ledger {
    pub(crate) async fn open(database: &TestDatabase) -> sqlx::Result<Self> {
        Ok(Self(MySqlConnection::connect(&database.url()).await?))
    }

    /// How many alerts have ended, told or dead.
    pub(crate) async fn ended(&mut self) -> sqlx::Result<u64> {
        let told: i64 = or_nothing(sqlx::query_scalar(TOLD_COUNT).fetch_one(&mut self.0).await)?;
        let dead: i64 = or_nothing(sqlx::query_scalar(DEAD_COUNT).fetch_one(&mut self.0).await)?;
        Ok(u64::try_from(told + dead).unwrap_or(0))
    }

    pub(crate) async fn read(&mut self) -> sqlx::Result<Written> {
        let told: Vec<(Vec<u8>, i64)> = or_nothing(sqlx::query_as(TOLD).fetch_all(&mut self.0).await)?;
        let dead: Vec<String> = or_nothing(sqlx::query_scalar(DEAD).fetch_all(&mut self.0).await)?;
        Ok(Written {
            told: told.iter().filter_map(|(fingerprint, at)| Some((number_of(fingerprint)?, *at))).collect(),
            dead: dead.iter().filter_map(|fingerprint| number_of(fingerprint.as_bytes())).collect(),
        })
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
