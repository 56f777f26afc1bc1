//! An ingest of its own in front of the broker, and what it says of itself.

use std::net::SocketAddr;
use std::time::Duration;

use queue::rabbitmq::topology::Names;
use tempfile::TempDir;
use testkit::http;
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::{Launch, Process};
use testkit::rabbitmq::{self, Leftovers};
use testkit::wait_until::wait_until;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// An ingest in front of the broker.
pub(crate) struct Harness {
    pub(crate) listen: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) probes: SocketAddr,
    _process: Process,
    _folder: TempDir,
    _leftovers: Leftovers,
}

impl Harness {
    /// One with these limits, which may hold so many files open.
    pub(crate) async fn with(limits: &str, files: usize) -> Self {
        Self::configured(&format!("limits: {limits}\n"), files).await
    }

    /// One with these settings.
    pub(crate) async fn configured(settings: &str, files: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let prefix = unique_prefix();
        let listen = free_address();
        let admin = free_address();
        let probes = free_address();
        let url = rabbitmq::amqp_url();
        let file = folder.path().join("larkfire.yaml");
        let text = format!(
            "listen: {listen}\nadmin_listen: {admin}\nprobes_listen: {probes}\n\
             queue: {{ url: '{url}', prefix: {prefix} }}\n{settings}"
        );
        std::fs::write(&file, text).unwrap();
        let program = env!("CARGO_BIN_EXE_larkfire-ingest");
        let start = format!("ulimit -n {files}; exec {program} --config {}", file.display());
        let process = Launch::program("sh").argument("-c").argument(start).directory(folder.path()).start();
        let topology = Names::new(prefix, 1).topology();
        let leftovers = Leftovers::new()
            .queues(topology.queues.into_iter().map(|queue| queue.name))
            .exchanges(topology.exchanges.into_iter().map(|exchange| exchange.name));
        let harness =
            Self { listen, admin, probes, _process: process, _folder: folder, _leftovers: leftovers };
        wait_until(PATIENCE, "readiness", async || {
            match http::get(&format!("http://{admin}/readyz")).await {
                Ok(answer) if answer.status == 200 => Ok(()),
                other => Err(other.map(|answer| answer.text().to_owned())),
            }
        })
        .await;
        harness
    }

    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let answer = http::get(&format!("http://{}/metrics", self.admin)).await.unwrap();
        let line = answer.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {}", answer.text())).parse().unwrap()
    }

    pub(crate) async fn memory(&self) -> u64 {
        self.metric("process_resident_memory_bytes").await
    }

    pub(crate) async fn open_connections(&self) -> u64 {
        self.metric("larkfire_ingest_open_connections").await
    }

    /// Sends one alert as Alertmanager would: again, when the connection breaks.
    pub(crate) async fn honest(&self) {
        let url = format!("http://{}/api/alert", self.listen);
        let body = serde_json::json!({ "message": "disk is full", "sender_id": "honest" });
        wait_until(PATIENCE, "a 202 for an honest sender", async || {
            match http::post_json(&url, &body).await {
                Ok(answer) if answer.status == 202 => Ok(()),
                other => Err(other.map(|answer| answer.status)),
            }
        })
        .await;
    }
}
