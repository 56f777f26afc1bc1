//! A `PostgreSQL` server of the test's own, to be killed and started again; the system's is left alone.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tempfile::TempDir;
use tokio::process::Command;

use crate::ports::free_address;
use crate::process::{Launch, Process};
use crate::tls::{TestCa, TestCertificate};
use crate::wait_until::wait_until;

/// Where Debian keeps what is not in anybody's `PATH`, by version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Who runs it: it refuses to be root's.
const USER: &str = "postgres";
/// A server takes a second to start, more on a busy machine.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// A server that lets everybody in. Killed when dropped.
pub struct PostgresNode {
    process: Option<Process>,
    launch: Launch,
    port: u16,
    _home: TempDir,
}

impl PostgresNode {
    /// A fresh server, which takes connections when this returns.
    pub async fn start() -> Self {
        Self::start_with(&[], &[], "").await
    }

    /// The same, which speaks TLS with clients that ask for it and shows this certificate. It wants a certificate of this CA
    /// from one user.
    pub async fn start_with_tls(ca: &TestCa, certificate: &TestCertificate, shown_by: &str) -> Self {
        let files = [
            ("ssl_ca_file", ca.file()),
            ("ssl_cert_file", &certificate.cert_file),
            ("ssl_key_file", &certificate.key_file),
        ];
        let rule = format!("hostssl all {shown_by} 127.0.0.1/32 trust clientcert=verify-ca\n");
        Self::start_with(&["--ssl=on"], &files, &rule).await
    }

    async fn start_with(settings: &[&str], files: &[(&str, &Path)], first_rule: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let data = home.path().join("data");
        own(home.path()).await;
        install(&data).await;
        let rules = data.join("pg_hba.conf");
        let usual = std::fs::read_to_string(&rules).expect("the rules of a new server");
        std::fs::write(&rules, format!("{first_rule}{usual}")).expect("a file");
        let port = free_address().port();
        let mut launch = program("postgres")
            .argument("-D")
            .argument(&data)
            .argument(format!("--port={port}"))
            .argument("--listen_addresses=127.0.0.1")
            .argument(format!("--unix_socket_directories={}", home.path().display()));
        for (setting, file) in files {
            // It believes a key only where nobody else can read it.
            let copy = data.join(setting);
            std::fs::copy(file, &copy).expect("a copy");
            std::fs::set_permissions(&copy, Permissions::from_mode(0o600)).expect("a mode");
            own(&copy).await;
            launch = launch.argument(format!("--{setting}={}", copy.display()));
        }
        launch = settings.iter().fold(launch, Launch::argument);
        let mut server = Self { process: None, launch, port, _home: home };
        server.start_unready();
        wait_until(START_PATIENCE, "a PostgreSQL server that answers", async || {
            PgConnection::connect(&server.url()).await.map(drop)
        })
        .await;
        server
    }

    /// Its URL, with the user and the database that every new server has.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
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

/// Makes the server's own tables.
async fn install(data: &Path) {
    let [program, arguments @ ..] = &words("initdb")[..] else { panic!("a program") };
    let mut command = Command::new(program);
    command.args(arguments).arg("-D").arg(data).args([
        "--auth=trust",
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C",
    ]);
    command.args(["--username", USER]);
    let output = command.output().await.expect("initdb is installed");
    assert!(output.status.success(), "initdb: {output:?}");
}

/// Gives a file or directory to whoever runs the server, and to nobody else.
async fn own(path: &Path) {
    if !is_root() {
        return;
    }
    let output = Command::new("chown").arg(USER).arg(path).output().await.expect("chown");
    assert!(output.status.success(), "chown: {output:?}");
}

fn program(name: &str) -> Launch {
    let words = words(name);
    let [program, arguments @ ..] = &words[..] else { panic!("a program") };
    arguments.iter().fold(Launch::program(program), Launch::argument)
}

/// A program of the newest version that is installed, as the user who runs it.
fn words(name: &str) -> Vec<String> {
    let versions = std::fs::read_dir(VERSIONS).map(|versions| versions.flatten().collect::<Vec<_>>());
    let newest = versions
        .unwrap_or_default()
        .into_iter()
        .map(|version| version.path().join("bin").join(name))
        .filter(|program| program.exists())
        .max();
    let program = newest.unwrap_or_else(|| PathBuf::from(name)).display().to_string();
    let as_user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--"].map(str::to_owned);
    let before = if is_root() { as_user.to_vec() } else { Vec::new() };
    before.into_iter().chain([program]).collect()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
