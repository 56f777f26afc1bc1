//! The tables, and how a file of an earlier version becomes one of this version.

use std::path::Path;

use sqlx::{Connection, SqliteConnection};

use super::error::OpenError;

/// One step per version, never changed once released; the file's `user_version` says how many it has had.
///
/// `AUTOINCREMENT` is not decoration: a consumer's place in the queue is an id, so none may be used twice.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE alerts (
        id INTEGER PRIMARY KEY AUTOINCREMENT, attempt INTEGER NOT NULL, failure TEXT, traceparent TEXT,
        body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE interactions (
        id INTEGER PRIMARY KEY AUTOINCREMENT, attempt INTEGER NOT NULL, failure TEXT, traceparent TEXT,
        body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE dead_letters (
        id INTEGER PRIMARY KEY AUTOINCREMENT, attempt INTEGER NOT NULL, failure TEXT, traceparent TEXT,
        body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE parked (
        id INTEGER PRIMARY KEY AUTOINCREMENT, due_ms INTEGER NOT NULL, attempt INTEGER NOT NULL, failure TEXT,
        traceparent TEXT, body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX parked_by_due ON parked (due_ms);
",
    // A dead letter that is sent again says which one it is.
    "
    ALTER TABLE alerts ADD COLUMN replay TEXT;
    ALTER TABLE interactions ADD COLUMN replay TEXT;
    ALTER TABLE dead_letters ADD COLUMN replay TEXT;
    ALTER TABLE parked ADD COLUMN replay TEXT;
",
];

/// Brings the file up to date, each step in a transaction.
pub(super) async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let asked = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await;
    let found: i64 = asked.map_err(OpenError::sqlite(path))?;
    let known = STEPS.len();
    let Some(missing) = usize::try_from(found).ok().and_then(|found| STEPS.get(found..)) else {
        let known = i64::try_from(known).unwrap_or(i64::MAX);
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    };
    take(connection, known, missing).await.map_err(OpenError::sqlite(path))
}

async fn take(
    connection: &mut SqliteConnection,
    known: usize,
    missing: &[&'static str],
) -> Result<(), sqlx::Error> {
    for (version, step) in (known - missing.len() + 1..).zip(missing) {
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(*step).execute(&mut *transaction).await?;
        // A pragma takes no parameters; the number is our own.
        let set = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {version}"));
        sqlx::raw_sql(set).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::SqliteConnection;

    use super::*;

    #[tokio::test]
    async fn what_waits_in_a_file_of_the_first_version_is_still_there_in_the_newest() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for statement in [STEPS[0], "INSERT INTO alerts (attempt, body) VALUES (3, x'7b7d')"] {
            sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        }
        sqlx::raw_sql("PRAGMA user_version = 1").execute(&mut connection).await.unwrap();
        migrate(&mut connection, Path::new("queue.db")).await.unwrap();
        let row: (i64, Option<String>, Vec<u8>) = sqlx::query_as("SELECT attempt, replay, body FROM alerts")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(row, (3, None, b"{}".to_vec()));
    }
}
