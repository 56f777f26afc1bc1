//! A broker node of the test's own, to be killed, restarted and starved; the system's is left alone.
//!
//! It is of the version that is installed, or of the one in the root directory that `TEST_RABBITMQ_ROOT` names: one that
//! was made by `mmdebstrap --variant=minbase --include=rabbitmq-server`, say, of another release. That needs root.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::ports::free_address;
use crate::prefix::unique_prefix;
use crate::tls::{TestCa, TestCertificate};
use crate::wait_until::wait_until;

/// A node takes seconds to start, more on a busy machine.
const START_PATIENCE: Duration = Duration::from_mins(3);

/// The file of its settings, without its ending; there is none unless something is set.
const CONFIGURATION: &str = "rabbitmq";
/// Where another version is installed.
const ROOT_VARIABLE: &str = "TEST_RABBITMQ_ROOT";

/// A RabbitMQ node. Killed when dropped.
#[derive(Debug)]
pub struct BrokerNode {
    root: Option<PathBuf>,
    home: TempDir,
    node: String,
    port: u16,
    /// With TLS, where there is any.
    tls_port: u16,
    dist_port: u16,
    process: Option<Child>,
}

impl BrokerNode {
    /// A fresh, empty node, which takes connections when this returns.
    pub async fn start() -> Self {
        let mut broker = Self::prepared();
        broker.restart().await;
        broker
    }

    /// The same, which speaks TLS on a second port as well and shows this certificate there. Clients have to show one of the
    /// same CA.
    pub async fn start_with_tls(ca: &TestCa, certificate: &TestCertificate) -> Self {
        let mut broker = Self::prepared();
        let settings = format!(
            "listeners.ssl.1 = 127.0.0.1:{}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\nssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n",
            broker.tls_port,
            ca.file().display(),
            certificate.cert_file.display(),
            certificate.key_file.display()
        );
        std::fs::write(broker.path(&format!("{CONFIGURATION}.conf")), settings).expect("a file");
        broker.restart().await;
        broker
    }

    fn prepared() -> Self {
        let root = std::env::var_os(ROOT_VARIABLE).map(PathBuf::from);
        let home = match &root {
            Some(root) => tempfile::tempdir_in(root.join("tmp")).expect("a directory in the root"),
            None => tempfile::tempdir().expect("a directory"),
        };
        let node = format!("larkfire-{}@localhost", unique_prefix());
        std::fs::write(home.path().join("enabled_plugins"), "[].\n").expect("a file");
        let port = free_address().port();
        let tls_port = free_address().port();
        let dist_port = free_address().port();
        Self { root, home, node, port, tls_port, dist_port, process: None }
    }

    /// The port it listens on, on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its URL, with the user every new node has.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// The same with TLS, by this name of the host.
    pub fn tls_url(&self, host: &str) -> String {
        format!("amqps://guest:guest@{host}:{}/%2f", self.tls_port)
    }

    /// What is in the files of its certificate now counts for new connections at once, and not after a while.
    pub async fn read_certificate_again(&self) {
        self.control(&["eval", "ssl:clear_pem_cache()."]).await;
    }

    /// kill -9 of the Erlang VM.
    pub async fn kill(&mut self) {
        let pid = std::fs::read_to_string(self.path("pid")).expect("the node's process id");
        let killed = Command::new("kill").args(["-9", pid.trim()]).status().await.expect("kill runs");
        assert!(killed.success(), "kill -9 {pid} failed");
        if let Some(mut process) = self.process.take() {
            process.wait().await.expect("the end of the node");
        }
    }

    /// Starts the node on what it had stored; returns when it takes connections.
    pub async fn restart(&mut self) {
        self.start_unready();
        wait_until(START_PATIENCE, "a broker that listens", async || {
            let said = || std::fs::read_to_string(self.path("stdout"));
            TcpStream::connect(("127.0.0.1", self.port)).await.map(drop).map_err(|_| said())
        })
        .await;
    }

    /// The same, and lets it come up while everything goes on.
    pub fn start_unready(&mut self) {
        let log = std::fs::File::create(self.path("stdout")).expect("a file");
        let process = self
            .command("rabbitmq-server")
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("rabbitmq-server is installed");
        self.process = Some(process);
    }

    /// Gives every queue the delivery limit that RabbitMQ has without a policy from 4.0 on; those before have none.
    pub async fn limit_deliveries(&self) {
        // It listens before it can be told anything.
        self.control(&["await_startup"]).await;
        let definition = r#"{"delivery-limit":20}"#;
        self.control(&["set_policy", "as-4.0", ".*", definition, "--apply-to", "queues"]).await;
    }

    /// Raises or ends a memory alarm.
    pub async fn alarm(&self, on: bool) {
        let allowed: &[&str] = if on { &["absolute", "1MB"] } else { &["0.6"] };
        self.control(&[&["set_vm_memory_high_watermark"], allowed].concat()).await;
    }

    /// Runs `rabbitmqctl` on this node.
    pub async fn control(&self, arguments: &[&str]) {
        let done = self.command("rabbitmqctl").args(["-n", &self.node]).args(arguments).output().await;
        let output = done.expect("rabbitmqctl is installed");
        assert!(output.status.success(), "rabbitmqctl {arguments:?}: {output:?}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A path as the node sees it.
    fn inside(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let inner = self.root.as_ref().and_then(|root| path.strip_prefix(root).ok());
        inner.map_or_else(|| path.clone(), |inner| PathBuf::from("/").join(inner))
    }

    fn command(&self, program: &str) -> Command {
        // The wrapper in the path changes to another user; the program itself needs only its own directory.
        let program = PathBuf::from("/usr/lib/rabbitmq/bin").join(program);
        let mut command = match &self.root {
            Some(root) => {
                let mut command = Command::new("chroot");
                command.arg(root).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .env("HOME", self.inside(""))
            .env("RABBITMQ_NODENAME", &self.node)
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.dist_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", self.inside("mnesia"))
            .env("RABBITMQ_LOG_BASE", self.inside("log"))
            .env("RABBITMQ_PID_FILE", self.inside("pid"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", self.inside("enabled_plugins"))
            .env("RABBITMQ_CONFIG_FILE", self.inside(CONFIGURATION))
            .env("RABBITMQ_CONF_ENV_FILE", self.inside("none"));
        command
    }
}

impl Drop for BrokerNode {
    fn drop(&mut self) {
        // The script's child is the VM; killing the script alone would leave it running.
        if let Ok(pid) = std::fs::read_to_string(self.path("pid")) {
            let _gone = std::process::Command::new("kill").args(["-9", pid.trim()]).status();
        }
    }
}
