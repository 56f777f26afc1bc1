//! The schema, step by step (`src/migrations/`). Steps are only ever added; each is safe to run again, because MySQL commits each table by itself and
//! a process may die between two of them. Ten workers that start together take turns. A table that is gone although the
//! schema says that it was made is made again, by the steps it is mentioned in.

use std::collections::BTreeSet;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlConnection;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{Sqlite, SqlitePool};
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::connections::is_login_without_tls;
use super::{FILE_BUSY_TIMEOUT, Pool};

/// One step in each dialect: statements that each end with a semicolon at the end of a line. Times are milliseconds since
/// 1970, ids of envelopes are their 16 bytes.
#[derive(Debug)]
pub(super) struct Migration {
    pub(super) mysql: &'static str,
    pub(super) postgres: &'static str,
    pub(super) sqlite: &'static str,
}

macro_rules! migrations {
    ($($name:literal,)*) => {
        &[$(Migration {
            mysql: include_str!(concat!("../migrations/", $name, ".mysql.sql")),
            postgres: include_str!(concat!("../migrations/", $name, ".postgres.sql")),
            sqlite: include_str!(concat!("../migrations/", $name, ".sqlite.sql")),
        }),*]
    };
}

/// In the order they came to be. Workers of the version before run beside those that have done a step, so a step adds what they
/// do not ask for, takes away nothing, and changes a word only where they read any.
const STEPS: &[Migration] = migrations![
    "0001_ledger",
    "0002_budget",
    "0003_dead_letters",
    "0004_budget_held_for",
    "0005_cards",
    "0006_users",
    "0007_audit_outcome",
    "0008_acknowledgements",
    "0009_interactions",
    "0010_ledger_edges",
    "0011_interaction_holder",
    "0012_installation",
    "0013_firing",
    "0014_outcome_words",
    "0015_summarised",
    "0016_history",
    "0017_card_format",
    "0018_storms",
    "0019_console",
    "0020_console_sessions",
    "0021_dead_letters_by_number",
    "0022_filters",
    "0023_cards_and_attempts",
    "0024_watch",
    "0025_fallbacks",
    "0026_escalations",
    "0027_oncall_swaps",
];

/// What `MySQL` answers where there is no such table.
pub(super) const NO_SUCH_TABLE: u16 = 1146;
/// How long one worker waits for another that is bringing the schema up to date, in seconds.
const TURN_SECONDS: u32 = 30;
/// The code for a file that somebody else has locked; more bits say why (sqlite.org, "Result and Error Codes").
const SQLITE_BUSY: i32 = 5;
/// How often a locked file is tried again.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

pub(super) async fn run(pool: &Pool) -> Result<(), sqlx::Error> {
    match pool {
        Pool::MySql(server) => {
            // The lock is the connection's: whatever goes wrong here, it ends with it.
            mysql(server.lease().await?.connection()?).await
        }
        Pool::Postgres(server) => {
            let mut lease = server.lease().await?;
            let done = postgres(lease.connection()?).await;
            // What has failed has left a transaction behind, which ends with its connection.
            if done.is_ok() { lease.settled(done) } else { done }
        }
        Pool::Sqlite(pool) => sqlite(pool).await,
        // Its tables come to be when they are written to.
        Pool::Simulated(_) => Ok(()),
    }
}

async fn mysql(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    let database: Option<String> =
        sqlx::query_scalar("SELECT DATABASE()").fetch_one(&mut *connection).await?;
    // By no function of the server's: MySQL 9.7 has lost some that all others have.
    let taken: Option<i64> = sqlx::query_scalar("SELECT GET_LOCK(?, ?)")
        .bind(lock_name(database.as_deref().unwrap_or_default()))
        .bind(TURN_SECONDS)
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
    let there: Vec<String> = sqlx::query_scalar(
        "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE()",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (version, statements) in to_do(|step| step.mysql, done, &there) {
        for statement in statements {
            connection.execute(statement).await?;
        }
        sqlx::query("INSERT IGNORE INTO larkfire_schema (version) VALUES (?)")
            .bind(version)
            .execute(&mut *connection)
            .await?;
    }
    if is_login_without_tls(connection).await? {
        warn!(
            "the database's user logs in by caching_sha2_password without TLS: that works only after another client has \
             logged in under TLS, and no more once the server was restarted; turn on TLS at the server, and remove \
             ssl-mode=DISABLED from database.url if it is there"
        );
    }
    Ok(())
}

/// Each step is one message with a transaction of its own, with which its turn ends: a server goes on with it when we are gone,
/// and a pooler between two of them does no harm.
async fn postgres(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let schema: Option<String> =
        sqlx::query_scalar("SELECT CAST(current_schema() AS TEXT)").fetch_one(&mut *connection).await?;
    let there: Vec<String> = sqlx::query_scalar(
        "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()",
    )
    .fetch_all(&mut *connection)
    .await?;
    // A lock is one of this database, which may hold an installation in each of its schemas.
    let turn = format!(
        "BEGIN; SET LOCAL lock_timeout = '{TURN_SECONDS}s'; SET LOCAL statement_timeout = 0; \
         SELECT pg_advisory_xact_lock({})",
        lock_number(schema.as_deref().unwrap_or_default())
    );
    // To make what is there takes the right to make it.
    if !there.iter().any(|table| table == "larkfire_schema") {
        let make = "CREATE TABLE IF NOT EXISTS larkfire_schema (version BIGINT NOT NULL PRIMARY KEY)";
        connection.execute(AssertSqlSafe(format!("{turn}; {make}; COMMIT"))).await?;
    }
    let done: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM larkfire_schema")
        .fetch_one(&mut *connection)
        .await?;
    for (version, statements) in to_do(|step| step.postgres, done, &there) {
        let note = format!("INSERT INTO larkfire_schema (version) VALUES ({version}) ON CONFLICT DO NOTHING");
        let step = format!("{turn}; {}; {note}; COMMIT", statements.join("; "));
        connection.execute(AssertSqlSafe(step)).await?;
    }
    Ok(())
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
    let there: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut *transaction)
        .await?;
    for (version, statements) in to_do(|step| step.sqlite, done, &there) {
        for statement in statements {
            transaction.execute(statement).await?;
        }
        // A pragma takes no parameters; the number is our own.
        let version = version.max(done);
        transaction.execute(AssertSqlSafe(format!("PRAGMA user_version = {version}"))).await?;
    }
    transaction.commit().await
}

/// Names are the server's, for all its databases.
fn lock_name(database: &str) -> String {
    format!("larkfire.schema.{}", &hex::encode(Sha256::digest(database))[..16])
}

/// By the same, as `PostgreSQL` has its locks.
fn lock_number(schema: &str) -> i64 {
    let hash = Sha256::digest(lock_name(schema));
    hash.iter().take(8).fold(0, |number, byte| (number << 8) | i64::from(*byte))
}

/// The tables there are when all is done.
pub(super) fn tables(dialect: fn(&Migration) -> &'static str) -> BTreeSet<&'static str> {
    STEPS.iter().flat_map(|step| statements(dialect(step))).filter_map(makes).collect()
}

/// The version of the schema that this program makes.
pub(super) fn latest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The statements of a step, without the remarks in front of them.
fn statements(step: &'static str) -> impl Iterator<Item = &'static str> {
    let without_remarks = |mut statement: &'static str| {
        while statement.starts_with("--") {
            statement = statement.split_once('\n').map_or("", |(_remark, rest)| rest);
        }
        statement
    };
    step.split_terminator(";\n").map(without_remarks).filter(|statement| !statement.is_empty())
}

/// The steps that were never done, and those that make tables which are gone, in their order; each with its version.
fn to_do(
    dialect: fn(&Migration) -> &'static str,
    done: i64,
    there: &[String],
) -> Vec<(i64, Vec<&'static str>)> {
    let steps: Vec<(i64, Vec<&str>)> =
        (1_i64..).zip(STEPS).map(|(version, step)| (version, statements(dialect(step)).collect())).collect();
    let was_done = |version: i64| version <= done;
    let made: BTreeSet<&str> = steps
        .iter()
        .filter(|(version, _)| was_done(*version))
        .flat_map(|(_, statements)| statements)
        .filter_map(|text| makes(text))
        .collect();
    let gone: Vec<&str> =
        made.into_iter().filter(|table| !there.iter().any(|there| there == table)).collect();
    let is_of_gone = |text: &&str| gone.iter().any(|table| mentions(text, table));
    let is_due = |step: &(i64, Vec<&str>)| !was_done(step.0) || step.1.iter().any(is_of_gone);
    steps.into_iter().filter(is_due).collect()
}

/// The table that a statement makes, if it makes one.
fn makes(statement: &str) -> Option<&str> {
    let name = statement.strip_prefix("CREATE TABLE ")?;
    name.strip_prefix("IF NOT EXISTS ").unwrap_or(name).split([' ', '(']).next()
}

/// Whether the name of a table is in there, and not only as a part of another name.
fn mentions(statement: &str, table: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    statement.split(|letter| !is_word(letter)).any(|word| word == table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mysql_versions(done: i64, there: &[&str]) -> Vec<i64> {
        let there: Vec<_> = there.iter().map(|&table| table.to_owned()).collect();
        to_do(|step| step.mysql, done, &there).into_iter().map(|(version, _)| version).collect()
    }

    fn all_tables() -> Vec<&'static str> {
        STEPS.iter().flat_map(|step| statements(step.mysql)).filter_map(makes).collect()
    }

    #[test]
    fn only_what_is_new_or_gone_is_made() {
        let all = all_tables();
        let last = i64::try_from(STEPS.len()).unwrap();
        assert_eq!(mysql_versions(last, &all), [0_i64; 0]);
        assert_eq!(mysql_versions(last - 1, &all), [last]);
        assert_eq!(mysql_versions(0, &[]), (1..=last).collect::<Vec<_>>());
        let without = |gone: &str| -> Vec<_> { all.iter().copied().filter(|table| *table != gone).collect() };
        assert_eq!(mysql_versions(last, &without("larkfire_ledger")), [1, 10], "with its later columns");
        assert_eq!(mysql_versions(last, &without("larkfire_workers")), [2], "no budget is dropped for it");
        assert_eq!(mysql_versions(last, &without("larkfire_budget")), [2, 4]);
        assert_eq!(
            mysql_versions(last, &without("larkfire_audit")),
            [3, 7, 19, 22],
            "with the columns it has got later"
        );
    }

    #[test]
    fn each_database_gets_the_tables_that_the_others_have() {
        let [mysql, postgres, mut sqlite] =
            [|step: &Migration| step.mysql, |step: &Migration| step.postgres, |step: &Migration| step.sqlite]
                .map(tables);
        assert_eq!(postgres, mysql);
        assert!(sqlite.remove("larkfire_users"), "on a server people are in the operator's own table");
        sqlite.insert("larkfire_workers");
        assert_eq!(sqlite, mysql, "but for the workers, of which a file has no count");
    }

    #[test]
    fn the_name_of_the_lock_is_short_and_each_databases_own() {
        assert_eq!(lock_name("larkfire"), lock_name("larkfire"));
        assert_ne!(lock_name("a"), lock_name("b"));
        assert!(lock_name(&"x".repeat(64)).len() <= 64);
    }
}
