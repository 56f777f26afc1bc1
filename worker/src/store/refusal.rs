//! What a database says of itself, and what of the statement it was asked to do: the first passes, the second does not.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

/// No room on the disk, too many connections, shutting down, a full table, a lock that was not to be had, a deadlock,
/// read-only in three ways (MySQL's server error reference).
const MYSQL_OF_ITSELF: [u16; 9] = [1021, 1040, 1053, 1114, 1205, 1213, 1290, 1792, 1836];
/// Busy, locked, read-only, failed to read or write, no room (`SQLite`'s result codes; extended ones have them in their
/// last byte).
const SQLITE_OF_ITSELF: [i64; 5] = [5, 6, 8, 10, 13];

/// Whether this very statement was refused, however the database is doing.
pub(super) fn is_of_statement(error: &(dyn DatabaseError + 'static)) -> bool {
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return !MYSQL_OF_ITSELF.contains(&error.number());
    }
    let code = error.code().and_then(|code| code.parse::<i64>().ok());
    code.is_none_or(|code| !SQLITE_OF_ITSELF.contains(&(code & 0xff)))
}

#[cfg(test)]
mod tests {
    use sqlx::mysql::MySqlConnection;
    use sqlx::sqlite::SqliteConnection;
    use sqlx::{Connection as _, Executor as _};
    use testkit::mariadb::TestDatabase;

    use super::*;

    fn judged<T: std::fmt::Debug>(done: sqlx::Result<T>) -> bool {
        is_of_statement(done.unwrap_err().as_database_error().unwrap())
    }

    #[tokio::test]
    async fn a_file_that_takes_nothing_more_is_no_refusal_of_a_statement() {
        let mut file = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        file.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY); INSERT INTO kept VALUES (1)")
            .await
            .unwrap();
        assert!(judged(file.execute("INSERT INTO kept VALUES (1)").await), "there is one");
        assert!(judged(file.execute("INSERT INTO nowhere VALUES (1)").await), "there is no such table");
        file.execute("PRAGMA query_only = ON").await.unwrap();
        assert!(!judged(file.execute("INSERT INTO kept VALUES (2)").await), "read-only");
    }

    #[tokio::test]
    async fn a_server_that_takes_nothing_more_is_no_refusal_of_a_statement() {
        let database = TestDatabase::create().await;
        let mut server = MySqlConnection::connect(&database.url()).await.unwrap();
        server.execute("CREATE TABLE kept (number INT PRIMARY KEY)").await.unwrap();
        server.execute("INSERT INTO kept VALUES (1)").await.unwrap();
        assert!(judged(server.execute("INSERT INTO kept VALUES (1)").await), "there is one");
        server.execute("START TRANSACTION READ ONLY").await.unwrap();
        assert!(!judged(server.execute("INSERT INTO kept VALUES (2)").await), "read-only");
    }
}
