//! A database server of the test's own, to be killed and started again; the system's is left alone.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;
use tempfile::TempDir;
use tokio::process::Command;

use crate::ports::free_address;
use crate::process::{Launch, Process};
use crate::tls::{TestCa, TestCertificate};
use crate::wait_until::wait_until;

/// Where Debian keeps it, which is not in everybody's `PATH`.
const SERVER: &str = "/usr/sbin/mariadbd";
/// A server takes a second to start, more on a busy machine.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// A MariaDB server that syncs every commit, as the system's does. Killed when dropped.
pub struct DatabaseNode {
    process: Option<Process>,
    launch: Launch,
    port: u16,
    _home: TempDir,
}

impl DatabaseNode {
    /// A fresh server, which takes connections when this returns.
    pub async fn start() -> Self {
        Self::start_with(|launch| launch).await
    }

    /// The same, which speaks TLS with clients that ask for it, shows this certificate, and believes this CA.
    pub async fn start_with_tls(ca: &TestCa, certificate: &TestCertificate) -> Self {
        let files = [
            setting("ssl-ca", ca.file()),
            setting("ssl-cert", &certificate.cert_file),
            setting("ssl-key", &certificate.key_file),
        ];
        Self::start_with(|launch| files.into_iter().fold(launch, Launch::argument)).await
    }

    async fn start_with(further: impl FnOnce(Launch) -> Launch) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let data = home.path().join("data");
        install(home.path(), &data).await;
        let port = free_address().port();
        let mut launch = Launch::program(SERVER)
            .argument("--no-defaults")
            .argument(setting("datadir", &data))
            .argument(setting("socket", &home.path().join("socket")))
            .argument(setting("pid-file", &home.path().join("pid")))
            .argument(format!("--port={port}"))
            .argument("--bind-address=127.0.0.1")
            .argument("--skip-name-resolve")
            .variable("TMPDIR", home.path());
        if is_root() {
            launch = launch.argument("--user=root");
        }
        let launch = further(launch);
        let mut server = Self { process: None, launch, port, _home: home };
        server.start_unready();
        wait_until(START_PATIENCE, "a database server that answers", async || {
            MySqlConnection::connect(&server.url()).await.map(drop)
        })
        .await;
        server
    }

    /// Its URL without a database, with the user every new server has.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// kill -9.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    /// Starts it on what it had stored, and lets it come up while everything goes on.
    pub fn start_unready(&mut self) {
        self.process = Some(self.launch.start());
    }
}

/// Makes the server's own tables. In a place of its own for temporary files: a server that starts removes those of another
/// from theirs.
async fn install(home: &Path, data: &Path) {
    let mut command = Command::new("mariadb-install-db");
    command
        .env("TMPDIR", home)
        .arg("--no-defaults")
        .arg(setting("datadir", data))
        .args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
    if is_root() {
        command.arg("--user=root");
    }
    let output = command.output().await.expect("mariadb-install-db is installed");
    assert!(output.status.success(), "mariadb-install-db: {output:?}");
}

fn setting(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

/// MariaDB wants to be told that it is meant to run as root.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mariadb::TestDatabase;

    #[tokio::test]
    async fn what_was_committed_survives_a_kill_of_the_server() {
        let mut server = DatabaseNode::start().await;
        let database = TestDatabase::create_on(server.url()).await;
        let mut connection = MySqlConnection::connect(&database.url()).await.unwrap();
        sqlx::query("CREATE TABLE kept (number INT)").execute(&mut connection).await.unwrap();
        sqlx::query("INSERT INTO kept VALUES (7)").execute(&mut connection).await.unwrap();
        server.kill().await;
        assert!(MySqlConnection::connect(&database.url()).await.is_err());
        server.start_unready();
        let mut again = wait_until(START_PATIENCE, "a server that is back", async || {
            MySqlConnection::connect(&database.url()).await
        })
        .await;
        let kept: Vec<i32> =
            sqlx::query_scalar("SELECT number FROM kept").fetch_all(&mut again).await.unwrap();
        assert_eq!(kept, [7]);
    }
}
