//! The test database server: a database that vanishes with its test.

use std::net::SocketAddr;
use std::time::Duration;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::time::timeout;

use crate::prefix::unique_prefix;

/// How long making and dropping a database may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The server for tests, from `TEST_MYSQL_URL` where it is not the usual one; without a database.
pub fn mysql_url() -> String {
    std::env::var("TEST_MYSQL_URL").unwrap_or_else(|_| "mysql://root@127.0.0.1:3306".to_owned())
}

/// The address of that server, for a proxy in front of it.
pub fn mysql_address() -> SocketAddr {
    address_of(&mysql_url())
}

/// The address in such a URL.
pub fn address_of(url: &str) -> SocketAddr {
    url.rsplit(['@', '/']).find_map(|part| part.parse().ok()).expect("a URL with an address and a port")
}

/// An empty database of a test's own, dropped with this value, also after a failure.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// Makes one.
    pub async fn create() -> Self {
        Self::create_on(mysql_url()).await
    }

    /// Makes one on another server, by its URL without a database.
    pub async fn create_on(server: String) -> Self {
        let name = unique_prefix();
        let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
        let made = timeout(DEADLINE, execute(&server, create)).await;
        made.expect("the test database server in time").expect("a new database");
        Self { server, name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// Its URL with another server's address, such as a proxy's.
    pub fn url_at(&self, address: SocketAddr) -> String {
        format!("mysql://root@{address}/{}", self.name)
    }
}

impl Drop for TestDatabase {
    #[expect(clippy::print_stderr, reason = "a second panic while a test fails would hide the first one")]
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {}", self.name);
        let server = std::mem::take(&mut self.server);
        // The test's own runtime cannot be waited on from here, so a thread with one of its own does it.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            runtime.block_on(async { timeout(DEADLINE, execute(&server, statement)).await })
        });
        match cleaning.join() {
            Ok(Ok(Ok(()))) => {}
            failed => eprintln!("the database {} may be left behind: {failed:?}", self.name),
        }
    }
}

async fn execute(server: &str, statement: String) -> sqlx::Result<()> {
    let mut connection = MySqlConnection::connect(server).await?;
    connection.execute(AssertSqlSafe(statement)).await?;
    connection.close().await
}
