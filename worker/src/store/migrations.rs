//! The schema. Steps are only ever added; each is safe to run again, because MySQL commits each table by itself and
//! a process may die between two of them. Ten workers that start together take turns.

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlPool;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{Sqlite, SqlitePool};
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::time::{Instant, sleep};

use super::{FILE_BUSY_TIMEOUT, Pool};

/// One step in both dialects. Times are milliseconds since 1970, ids of envelopes are their 16 bytes.
pub(crate) struct Step {
    pub(crate) mysql: &'static [&'static str],
    pub(crate) sqlite: &'static [&'static str],
}

/// In the order they came to be; each room knows its own tables.
const STEPS: &[Step] = &[
    crate::ledger::schema::TABLES,
    crate::budget::schema::TABLES,
    crate::dead_letters::schema::TABLES,
    crate::budget::schema::HELD_FOR,
    crate::cards::schema::TABLES,
    crate::owner::table::TABLES,
    crate::audit::schema::OUTCOME,
    crate::ledger::schema::ACKNOWLEDGEMENTS,
    crate::interaction::schema::TABLES,
];

/// How long one worker waits for another that is bringing the schema up to date, in seconds.
const TURN_SECONDS: u32 = 30;
/// The code for a file that somebody else has locked; more bits say why (sqlite.org, "Result and Error Codes").
const SQLITE_BUSY: i32 = 5;
/// How often a locked file is tried again.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

pub(super) async fn run(pool: &Pool) -> Result<(), sqlx::Error> {
    match pool {
        Pool::MySql(pool) => mysql(pool).await,
        Pool::Sqlite(pool) => sqlite(pool).await,
    }
}

async fn mysql(pool: &MySqlPool) -> Result<(), sqlx::Error> {
    let mut connection = pool.acquire().await?;
    // The lock is the connection's: whatever goes wrong here, it ends with it.
    connection.close_on_drop();
    let lock = "CONCAT('larkfire.schema.', LEFT(SHA1(DATABASE()), 16))";
    let taken: Option<i64> =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT GET_LOCK({lock}, {TURN_SECONDS})")))
            .fetch_one(&mut *connection)
            .await?;
    if taken != Some(1) {
        return Err(sqlx::Error::Protocol("another process is changing the schema for too long".to_owned()));
    }
    connection
        .execute(
            "CREATE TABLE IF NOT EXISTS larkfire_schema (version INT NOT NULL PRIMARY KEY) ENGINE=InnoDB",
        )
        .await?;
    let done: i64 =
        sqlx::query_scalar("SELECT CAST(COALESCE(MAX(version), 0) AS SIGNED) FROM larkfire_schema")
            .fetch_one(&mut *connection)
            .await?;
    for (version, step) in (1_i64..).zip(STEPS).filter(|(version, _)| *version > done) {
        for statement in step.mysql {
            connection.execute(*statement).await?;
        }
        sqlx::query("INSERT IGNORE INTO larkfire_schema (version) VALUES (?)")
            .bind(version)
            .execute(&mut *connection)
            .await?;
    }
    connection.close().await
}

/// The first connection to a file. Opening a new one gives it its write-ahead log, for which SQLite wants it alone and does
/// not wait, whatever `busy_timeout` says: of several processes that start together only one gets it at once.
async fn first_connection(pool: &SqlitePool) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
    let until = Instant::now() + FILE_BUSY_TIMEOUT;
    loop {
        match pool.acquire().await {
            Err(error) if is_busy(&error) && Instant::now() < until => sleep(BUSY_PAUSE).await,
            connection => return connection,
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == SQLITE_BUSY)
}

async fn sqlite(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut connection = first_connection(pool).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let done: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
    for (version, step) in (1_i64..).zip(STEPS).filter(|(version, _)| *version > done) {
        for statement in step.sqlite {
            transaction.execute(*statement).await?;
        }
        // A pragma takes no parameters; the number is our own.
        transaction.execute(AssertSqlSafe(format!("PRAGMA user_version = {version}"))).await?;
    }
    transaction.commit().await
}
