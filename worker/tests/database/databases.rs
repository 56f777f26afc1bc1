//! A database of a test's own, of each kind there is; and a test for each of them.

use std::net::SocketAddr;

use tempfile::TempDir;
use testkit::mariadb::{TestDatabase, mysql_address};
use testkit::postgres::{TestSchema, postgres_address};

/// Gone with this value.
pub(crate) enum Database {
    MariaDb(TestDatabase),
    Postgres(TestSchema),
    Sqlite(TempDir),
}

impl Database {
    pub(crate) async fn mariadb() -> Self {
        Self::MariaDb(TestDatabase::create().await)
    }

    pub(crate) async fn postgres() -> Self {
        Self::Postgres(TestSchema::create().await)
    }

    #[expect(clippy::unused_async, reason = "called like the others")]
    pub(crate) async fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// As `database.url` has it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::MariaDb(database) => database.url(),
            Self::Postgres(schema) => schema.url(),
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("larkfire.db").display()),
        }
    }

    /// The same where `PostgreSQL` goes by its indexes: with the few rows of a test it would rather read all of them and sort.
    pub(crate) fn url_by_indexes(&self) -> String {
        match self {
            Self::MariaDb(_) | Self::Sqlite(_) => self.url(),
            Self::Postgres(schema) => schema.url() + "%20-cenable_seqscan%3Doff%20-cenable_sort%3Doff",
        }
    }

    /// The address of its server, for a proxy in front of it.
    pub(crate) fn server(&self) -> SocketAddr {
        match self {
            Self::MariaDb(_) => mysql_address(),
            Self::Postgres(_) => postgres_address(),
            Self::Sqlite(_) => panic!("a file has no server"),
        }
    }

    /// Its URL with the address of such a proxy.
    pub(crate) fn url_at(&self, proxy: SocketAddr) -> String {
        match self {
            Self::MariaDb(database) => database.url_at(proxy),
            Self::Postgres(schema) => schema.url_at(proxy),
            Self::Sqlite(_) => panic!("a file has no server"),
        }
    }

    /// Bytes as its statements have them, by their hexadecimal digits.
    pub(crate) fn bytes(&self, hex: &str) -> String {
        match self {
            Self::MariaDb(_) | Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("'\\x{hex}'::BYTEA"),
        }
    }
}

/// Makes of each function that takes a [`Database`] a test on each kind.
macro_rules! on_each_database {
    ($($name:ident)*) => {
        crate::databases::on_each_database!(@in on_mariadb mariadb $($name)*);
        crate::databases::on_each_database!(@in on_postgres postgres $($name)*);
        crate::databases::on_each_database!(@in on_sqlite sqlite $($name)*);
    };
    (@in $room:ident $kind:ident $($name:ident)*) => {
        mod $room {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::databases::Database::$kind().await).await;
            })*
        }
    };
}

/// The same on each kind that is a server.
macro_rules! on_each_server {
    ($($name:ident)*) => {
        crate::databases::on_each_database!(@in on_mariadb_server mariadb $($name)*);
        crate::databases::on_each_database!(@in on_postgres_server postgres $($name)*);
    };
}

pub(crate) use {on_each_database, on_each_server};
