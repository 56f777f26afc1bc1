//! The same test on each kind of database, in one thread, so that it can let time pass.

use std::time::Duration;

use config::{ClientTls, DatabaseConfig, Secret};
use testkit::mariadb::TestDatabase;
use testkit::postgres::TestSchema;

/// Gone with this value.
pub(crate) enum OwnDatabase {
    MariaDb(TestDatabase),
    Postgres(TestSchema),
    /// A file in the test's folder.
    File,
}

impl OwnDatabase {
    pub(crate) async fn mariadb() -> Self {
        Self::MariaDb(TestDatabase::create().await)
    }

    pub(crate) async fn postgres() -> Self {
        Self::Postgres(TestSchema::create().await)
    }

    #[expect(clippy::unused_async, reason = "called like the others")]
    pub(crate) async fn sqlite() -> Self {
        Self::File
    }

    pub(crate) fn config(&self) -> DatabaseConfig {
        let url = match self {
            Self::MariaDb(database) => Some(database.url()),
            Self::Postgres(schema) => Some(schema.url()),
            Self::File => None,
        };
        let url = url.map(Secret::new);
        // Longer than any time that a test lets pass while a server answers.
        let timeout = Duration::from_hours(1);
        DatabaseConfig { url, tls: ClientTls::default(), connections: 2, timeout }
    }
}

/// Makes of each function that takes an [`OwnDatabase`] a test on each kind.
macro_rules! on_each_database {
    ($($name:ident)*) => {
        crate::each_database::on_each_database!(@in on_mariadb mariadb $($name)*);
        crate::each_database::on_each_database!(@in on_postgres postgres $($name)*);
        crate::each_database::on_each_database!(@in on_sqlite sqlite $($name)*);
    };
    (@in $room:ident $kind:ident $($name:ident)*) => {
        mod $room {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::each_database::OwnDatabase::$kind().await).await;
            })*
        }
    };
}

pub(crate) use on_each_database;
