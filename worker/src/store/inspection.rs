//! Whether a database can do what a worker will ask of it, found out by asking it: every table is read and written, in
//! transactions that are undone, with the functions the worker uses. What makes tables is tried with one of its own, and
//! only where tables are to be made.

use sqlx::mysql::MySqlConnection;
use sqlx::sqlite::SqlitePool;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use thiserror::Error;

use super::connections::is_login_without_tls;
use super::refusal::{is_of_statement, mysql_number};
use super::{Pool, StoreFault, migrations};

/// The functions of the statements for budgets, and those of everything else.
const FUNCTIONS: &str = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED), GREATEST(1, 2), LEAST(1, 2), \
     IF(1 > 2, 1, 2), COALESCE(NULL, LAST_INSERT_ID(7)), GET_LOCK('larkfire.check', 0), RELEASE_LOCK('larkfire.check')";
/// What steps of the schema do, with a table that is gone afterwards.
const DEFINITIONS: [&str; 5] = [
    "DROP TABLE IF EXISTS larkfire_check",
    "CREATE TABLE larkfire_check (id BIGINT NOT NULL PRIMARY KEY, KEY by_id (id)) ENGINE=InnoDB \
     DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "ALTER TABLE larkfire_check ADD COLUMN more TEXT NULL",
    "INSERT IGNORE INTO larkfire_check (id, more) VALUES (1, '告警 🔥')",
    "DROP TABLE larkfire_check",
];

/// Why a database is of no use to a worker.
#[derive(Debug, Error)]
pub enum Flaw {
    /// It is away, or does not let us in.
    #[error("{0}; is it there, and is database.url (DATABASE_URL) right?")]
    Unreachable(sqlx::Error),
    /// It lets read only.
    #[error("{0}; a worker has to write, so database.url (DATABASE_URL) must lead to the primary")]
    ReadOnly(sqlx::Error),
    /// It refuses something a worker needs.
    #[error(
        "{0}; the user of database.url needs all rights on its database (GRANT ALL ON …), and the server the functions of \
         MySQL 5.7 or MariaDB 10.4: a worker finds no use in it as it is"
    )]
    Refused(sqlx::Error),
    /// It lets us in by what another client has left behind.
    #[error(
        "its user logs in by caching_sha2_password without TLS, which works only after some other client has, and no more \
         when the server was restarted: turn on TLS at the server (?ssl-mode=REQUIRED in database.url then insists on it, and \
         ?ssl-mode=DISABLED there keeps it off)"
    )]
    LoginWithoutTls,
}

impl Flaw {
    fn of(error: sqlx::Error) -> Self {
        match StoreFault::of(&error) {
            StoreFault::ReadOnly => Self::ReadOnly(error),
            StoreFault::Lost => Self::Unreachable(error),
            StoreFault::Missing | StoreFault::Contended | StoreFault::Data | StoreFault::Other => {
                let is_refusal = error.as_database_error().is_some_and(is_of_statement);
                if is_refusal { Self::Refused(error) } else { Self::Unreachable(error) }
            }
        }
    }
}

/// Asks for everything; says what there is.
pub async fn inspect(pool: &Pool) -> Result<String, Flaw> {
    match pool {
        Pool::MySql(server) => {
            let mut lease = server.lease().await.map_err(Flaw::of)?;
            let connection = lease.connection().map_err(Flaw::of)?;
            if is_login_without_tls(connection).await.map_err(Flaw::of)? {
                return Err(Flaw::LoginWithoutTls);
            }
            of_server(connection).await.map_err(Flaw::of)
        }
        Pool::Sqlite(pool) => of_file(pool).await.map_err(Flaw::of),
        Pool::Simulated(_) => Ok("a simulation's tables".to_owned()),
    }
}

async fn of_server(connection: &mut MySqlConnection) -> Result<String, sqlx::Error> {
    let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut *connection).await?;
    connection.execute(FUNCTIONS).await?;
    let columns = "SELECT CAST(table_name AS CHAR), CAST(MIN(column_name) AS CHAR) FROM information_schema.columns \
         WHERE table_schema = DATABASE() GROUP BY table_name";
    let there: Vec<(String, String)> = sqlx::query_as(columns).fetch_all(&mut *connection).await?;
    let expected = migrations::tables(|step| step.mysql);
    let found = there.iter().filter(|(table, _)| expected.contains(&table.as_str()));
    let mut count = 0;
    for (table, column) in found {
        count += 1;
        connection.execute("START TRANSACTION").await?;
        for statement in [
            format!("SELECT 1 FROM {table} LIMIT 1"),
            format!("INSERT IGNORE INTO {table} SELECT * FROM {table} WHERE 1 = 0"),
            format!("UPDATE {table} SET {column} = {column} WHERE 1 = 0"),
            format!("DELETE FROM {table} WHERE 1 = 0"),
        ] {
            connection.execute(AssertSqlSafe(statement)).await?;
        }
        connection.execute("ROLLBACK").await?;
    }
    if count < expected.len() || version_of(connection).await? < migrations::latest() {
        for statement in DEFINITIONS {
            connection.execute(statement).await?;
        }
    }
    Ok(format!("answers ({version}) and takes what a worker writes; tables: {count} of {}", expected.len()))
}

async fn version_of(connection: &mut MySqlConnection) -> Result<i64, sqlx::Error> {
    let version = "SELECT CAST(COALESCE(MAX(version), 0) AS SIGNED) FROM larkfire_schema";
    match connection.fetch_one(version).await {
        Ok(row) => row.try_get(0),
        Err(error) if mysql_number(&error) == Some(migrations::NO_SUCH_TABLE) => Ok(0),
        Err(error) => Err(error),
    }
}

async fn of_file(pool: &SqlitePool) -> Result<String, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let there: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut *transaction)
        .await?;
    let expected = migrations::tables(|step| step.sqlite);
    let found: Vec<_> = there.iter().filter(|table| expected.contains(&table.as_str())).collect();
    for table in &found {
        transaction.execute(AssertSqlSafe(format!("SELECT * FROM {table} LIMIT 1"))).await?;
    }
    for statement in ["CREATE TABLE larkfire_check (id INTEGER)", "INSERT INTO larkfire_check VALUES (1)"] {
        transaction.execute(statement).await?;
    }
    transaction.rollback().await?;
    Ok(format!("answers and takes what a worker writes; tables: {} of {}", found.len(), expected.len()))
}
