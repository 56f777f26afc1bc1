//! What an error of a database is about, and so what helps: another connection, the schema, the same once more, or
//! nothing.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;

/// What is wrong, by what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The connection is gone. Whether the statement was done nobody knows.
    Lost,
    /// This server takes no writes: it is a replica now, or not in its cluster. The statement was not done.
    ReadOnly,
    /// A table or a column is not there. The statement was not done.
    Missing,
    /// Somebody else was in the way, and what was begun was undone.
    Contended,
    /// What was to be written does not fit; the database is well.
    Data,
    /// Anything else.
    Other,
}

/// Shutting down, killed or cut off by the server (also for having been idle), a broken network, and what a proxy says of
/// the server behind it (MySQL's and MariaDB's error references; `ProxySQL` passes 2006 and 2013 on as the server's).
const MYSQL_LOST: [u16; 11] = [1053, 1152, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 3169, 4031];
/// A node of a cluster that is not ready, and read-only in three ways.
const MYSQL_READ_ONLY: [u16; 4] = [1047, 1290, 1792, 1836];
/// No database selected, no such database, column, table, and a table the engine does not have.
const MYSQL_MISSING: [u16; 5] = [1046, 1049, 1054, 1146, 1932];
/// A row that has changed since it was read (MariaDB's snapshot isolation), a lock that was not to be had, a deadlock.
const MYSQL_CONTENDED: [u16; 3] = [1020, 1205, 1213];
/// What is said of the server, the database or the log-in: no room on the disk, a full table, too many connections of all or
/// of this user, no such database or none selected, a log-in or a host that is not let in, an account that is locked or has
/// to change its password.
const MYSQL_OF_ITSELF: [u16; 14] =
    [1021, 1040, 1044, 1045, 1046, 1049, 1114, 1129, 1130, 1203, 1226, 1698, 1820, 3118];

/// Those of them that do not pass.
const MYSQL_OF_LOGIN: [u16; 8] = [1044, 1045, 1049, 1129, 1130, 1698, 1820, 3118];

/// What a `PostgreSQL` server says that takes no connections yet: it is starting, or is not up to date as a standby.
pub(super) const POSTGRES_STARTING: &str = "57P03";
/// Its states (the manual's appendix on error codes), whole or by their class. The server or an administrator ends the
/// connection; nobody knows what came of a statement; a transaction of which nothing was heard for too long; what is
/// prepared on a connection is not there, because a pooler has put another server's behind it.
const POSTGRES_LOST: [&str; 10] =
    ["08", "57P01", "57P02", POSTGRES_STARTING, "57P04", "57P05", "40003", "25P03", "25P04", "26000"];
/// A standby, or a database that is set to be read only.
const POSTGRES_READ_ONLY: [&str; 1] = ["25006"];
/// No such database, schema, table or column.
const POSTGRES_MISSING: [&str; 4] = ["3D000", "3F000", "42P01", "42703"];
/// Serialisation, a deadlock, a lock that was not to be had, a statement that was ended for having waited too long.
const POSTGRES_CONTENDED: [&str; 4] = ["40001", "40P01", "55P03", "57014"];
/// Data, and what constraints say of it.
const POSTGRES_DATA: [&str; 2] = ["22", "23"];
/// What is said of the server, the database or the log-in: no room, no memory, too many connections, an administrator,
/// a broken file, damaged data, a log-in that is not let in, no such database.
const POSTGRES_OF_ITSELF: [&str; 6] = ["28", "3D000", "53", "57", "58", "XX"];
/// Those of them that do not pass.
const POSTGRES_OF_LOGIN: [&str; 2] = ["28", "3D000"];

const SQLITE_ERROR: i64 = 1;
const SQLITE_NOT_A_DATABASE: i64 = 26;
/// Also where the file is no longer the one at its path.
const SQLITE_READ_ONLY: i64 = 8;
/// Too large, a constraint, a value of another type.
const SQLITE_DATA: [i64; 3] = [18, 19, 20];
/// Busy, locked, read-only, failed to read or write, damaged, no room, not to be opened, no database (`SQLite`'s result codes; extended ones have them in their
/// last byte).
const SQLITE_OF_ITSELF: [i64; 8] = [5, 6, 8, 10, 11, 13, 14, 26];

impl StoreFault {
    /// Reads an error.
    pub fn of(error: &sqlx::Error) -> Self {
        if let sqlx::Error::Database(error) = error {
            return Self::said(error.as_ref());
        }
        let is_lost = matches!(
            error,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed
        );
        // The others are errors of the program's, of the configuration's, or a time that is over.
        if is_lost { Self::Lost } else { Self::Other }
    }

    fn said(error: &(dyn DatabaseError + 'static)) -> Self {
        if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
            return Self::of_mysql(error.number(), error.code().unwrap_or_default());
        }
        match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => Self::of_postgres(error.code()),
            None => Self::of_sqlite(code(error).unwrap_or_default(), error.message()),
        }
    }

    fn of_postgres(state: &str) -> Self {
        let faults = [
            (&POSTGRES_LOST[..], Self::Lost),
            (&POSTGRES_READ_ONLY, Self::ReadOnly),
            (&POSTGRES_MISSING, Self::Missing),
            (&POSTGRES_CONTENDED, Self::Contended),
            (&POSTGRES_DATA, Self::Data),
        ];
        let found = faults.into_iter().find(|(states, _)| is_among(state, states));
        found.map_or(Self::Other, |(_, fault)| fault)
    }

    fn of_mysql(number: u16, state: &str) -> Self {
        match number {
            number if MYSQL_LOST.contains(&number) => Self::Lost,
            number if MYSQL_READ_ONLY.contains(&number) => Self::ReadOnly,
            number if MYSQL_MISSING.contains(&number) => Self::Missing,
            number if MYSQL_CONTENDED.contains(&number) => Self::Contended,
            // Data, and what constraints say of it (SQL's classes of states).
            _ if state.starts_with("22") || state.starts_with("23") => Self::Data,
            _ => Self::Other,
        }
    }

    fn of_sqlite(code: i64, message: &str) -> Self {
        match code & 0xff {
            SQLITE_READ_ONLY => Self::ReadOnly,
            // It has one code for all that a statement can be wrong about.
            SQLITE_ERROR if message.starts_with("no such") || message.contains("has no column") => {
                Self::Missing
            }
            code if SQLITE_DATA.contains(&code) => Self::Data,
            _ => Self::Other,
        }
    }
}

/// Whether the database is there and well, and said no to this very statement: because of what is in it, or of others.
pub(super) fn is_no_outage(error: &sqlx::Error) -> bool {
    StoreFault::of(error) == StoreFault::Contended || error.as_database_error().is_some_and(is_of_statement)
}

/// Whether only somebody who changes the server, its users or the configuration can help: a statement that makes tables, or
/// the log-in itself, was refused, or the file is something else.
pub(super) fn is_for_good(error: &sqlx::Error) -> bool {
    let is_login = mysql_number(error).is_some_and(|number| MYSQL_OF_LOGIN.contains(&number))
        || postgres_state(error).is_some_and(|state| is_among(state, &POSTGRES_OF_LOGIN));
    let is_refusal = error.as_database_error().is_some_and(is_of_statement);
    let is_no_database =
        error.as_database_error().and_then(code).is_some_and(|code| code & 0xff == SQLITE_NOT_A_DATABASE);
    is_login || is_refusal || is_no_database || matches!(error, sqlx::Error::Configuration(_))
}

/// Whether this very statement was refused, however the database is doing.
pub(super) fn is_of_statement(error: &(dyn DatabaseError + 'static)) -> bool {
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return !MYSQL_OF_ITSELF.contains(&error.number())
            && matches!(StoreFault::said(error), StoreFault::Missing | StoreFault::Data | StoreFault::Other);
    }
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return !is_among(error.code(), &POSTGRES_OF_ITSELF)
            && matches!(StoreFault::said(error), StoreFault::Missing | StoreFault::Data | StoreFault::Other);
    }
    code(error).is_none_or(|code| !SQLITE_OF_ITSELF.contains(&(code & 0xff)))
}

/// The number a server said no with.
pub(crate) fn mysql_number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

/// The state (`SQLSTATE`) that a `PostgreSQL` server said no with.
pub(crate) fn postgres_state(error: &sqlx::Error) -> Option<&str> {
    let error = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
    Some(error.code())
}

/// Whether a state is one of these, or of one of these classes.
fn is_among(state: &str, states: &[&str]) -> bool {
    states.iter().any(|known| state.starts_with(known))
}

fn code(error: &(dyn DatabaseError + 'static)) -> Option<i64> {
    error.code().and_then(|code| code.parse().ok())
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnection;
    use sqlx::{Connection as _, Executor as _};

    use super::*;

    fn judged<T: std::fmt::Debug>(done: sqlx::Result<T>) -> (bool, StoreFault) {
        let error = done.unwrap_err();
        (is_of_statement(error.as_database_error().unwrap()), StoreFault::of(&error))
    }

    #[tokio::test]
    async fn a_file_that_takes_nothing_more_is_no_refusal_of_a_statement() {
        let mut file = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        file.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY); INSERT INTO kept VALUES (1)")
            .await
            .unwrap();
        assert_eq!(
            judged(file.execute("INSERT INTO kept VALUES (1)").await),
            (true, StoreFault::Data),
            "there is one"
        );
        assert_eq!(
            judged(file.execute("INSERT INTO nowhere VALUES (1)").await),
            (true, StoreFault::Missing),
            "no table"
        );
        for unknown in ["SELECT lost FROM kept", "INSERT INTO kept (lost) VALUES (1)"] {
            assert_eq!(judged(file.execute(unknown).await), (true, StoreFault::Missing), "no column");
        }
        file.execute("PRAGMA query_only = ON").await.unwrap();
        assert_eq!(judged(file.execute("INSERT INTO kept VALUES (2)").await), (false, StoreFault::ReadOnly));
    }

    #[test]
    fn what_servers_and_proxies_say_of_a_connection_is_no_word_on_the_statement() {
        for number in [1053, 1927, 2013, 4031] {
            assert_eq!(StoreFault::of_mysql(number, "HY000"), StoreFault::Lost, "{number}");
        }
        for number in [1047, 1290, 1792, 1836] {
            assert_eq!(StoreFault::of_mysql(number, "HY000"), StoreFault::ReadOnly, "{number}");
        }
        assert_eq!(StoreFault::of_mysql(1020, "HY000"), StoreFault::Contended);
        assert_eq!(StoreFault::of_mysql(1213, "40001"), StoreFault::Contended);
        assert_eq!(StoreFault::of_mysql(1406, "22001"), StoreFault::Data);
        assert_eq!(StoreFault::of_mysql(1142, "42000"), StoreFault::Other);
    }
    #[test]
    fn what_postgresql_says_of_a_connection_or_of_others_is_no_word_on_the_statement() {
        for (state, fault) in [
            ("08006", StoreFault::Lost),
            ("57P01", StoreFault::Lost),
            ("57P03", StoreFault::Lost),
            ("26000", StoreFault::Lost),
            ("25006", StoreFault::ReadOnly),
            ("42P01", StoreFault::Missing),
            ("42703", StoreFault::Missing),
            ("40001", StoreFault::Contended),
            ("40P01", StoreFault::Contended),
            ("55P03", StoreFault::Contended),
            ("57014", StoreFault::Contended),
            ("22021", StoreFault::Data),
            ("23505", StoreFault::Data),
            ("53300", StoreFault::Other),
            ("42501", StoreFault::Other),
        ] {
            assert_eq!(StoreFault::of_postgres(state), fault, "{state}");
        }
    }
}
