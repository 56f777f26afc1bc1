//! The test server with `PostgreSQL`: a schema that vanishes with its test. Databases would be dropped with a checkpoint
//! each, which takes seconds.

use std::net::SocketAddr;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::time::timeout;

use crate::mariadb::address_of;
use crate::prefix::unique_prefix;

/// How long making and dropping a schema may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The server for tests with the database that every server has, from `TEST_POSTGRES_URL` where it is not the usual one.
pub fn postgres_url() -> String {
    let usual = || "postgres://postgres:postgres@127.0.0.1:5432/postgres".to_owned();
    std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| usual())
}

/// The address of that server, for a proxy in front of it.
pub fn postgres_address() -> SocketAddr {
    address_of(&postgres_url())
}

/// An empty schema of a test's own, dropped with this value, also after a failure.
#[derive(Debug)]
pub struct TestSchema {
    server: String,
    name: String,
}

impl TestSchema {
    /// Makes one.
    pub async fn create() -> Self {
        Self::create_on(postgres_url()).await
    }

    /// Makes one on another server, by its URL with a database.
    pub async fn create_on(server: String) -> Self {
        let name = unique_prefix();
        let made = timeout(DEADLINE, execute(&server, format!("CREATE SCHEMA {name}"))).await;
        made.expect("the test server with PostgreSQL in time").expect("a new schema");
        Self { server, name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("{}?options=-csearch_path%3D{}", self.server, self.name)
    }

    /// Its URL with another server's address, such as a proxy's.
    pub fn url_at(&self, address: SocketAddr) -> String {
        self.url().replace(&address_of(&self.server).to_string(), &address.to_string())
    }
}

impl Drop for TestSchema {
    #[expect(clippy::print_stderr, reason = "a second panic while a test fails would hide the first one")]
    fn drop(&mut self) {
        let statement = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name);
        let server = std::mem::take(&mut self.server);
        // The test's own runtime cannot be waited on from here, so a thread with one of its own does it.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            runtime.block_on(async { timeout(DEADLINE, execute(&server, statement)).await })
        });
        match cleaning.join() {
            Ok(Ok(Ok(()))) => {}
            failed => eprintln!("the schema {} may be left behind: {failed:?}", self.name),
        }
    }
}

async fn execute(server: &str, statement: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(server).await?;
    // It is said of every table that goes with a schema.
    connection.execute("SET client_min_messages = warning").await?;
    connection.execute(AssertSqlSafe(statement)).await?;
    connection.close().await
}
