//! The one-machine binary while it is measured: in a folder of its own, with the simulator for Feishu beside it; killed and
//! deleted when dropped.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::ports::free_address;
use testkit::process::{Launch, Process};
use tokio::time::{Instant, sleep};

use super::GrowthError;
use crate::client::answer_at;
use crate::deployment::Counters;
use crate::harness::ready;
use crate::plan::Plan;
use crate::proc_fs::{cpu_time, peak_memory, written_bytes};
use crate::scenario::profile::Feishu;
use crate::sender::{Aim, Answer, Counts, Sent, send};
use crate::sim_host::{NO_LIMITS, SECRET, SimHost, receiver_name};

/// The receiver that nobody reaches.
pub(super) const AWAY: &str = "away";
/// Between two looks at how many alerts are settled.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long everything may take to be settled.
const PATIENCE: Duration = Duration::from_mins(10);
/// Requests of a fill, and the connections they take.
const ALERTS_PER_REQUEST: u32 = 100;
const CONNECTIONS: u32 = 16;

/// `larkfire`, and what it has used when it was looked at last.
pub(super) struct Embedded {
    process: Process,
    id: u32,
    launch: Launch,
    listen: SocketAddr,
    admin: SocketAddr,
    pub(super) host: SimHost,
    alert_bytes: usize,
    _folder: TempDir,
}

/// What a process has used since its start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    pub(super) cpu: Duration,
    pub(super) written_bytes: u64,
}

impl Embedded {
    /// Starts it with a receiver that is reached, and these keys besides.
    pub(super) async fn start(program: &Path, alert_bytes: usize, keys: Value) -> Result<Self, GrowthError> {
        let folder = tempfile::tempdir()?;
        let host = SimHost::start(Feishu { receivers: 1, limits: false })?;
        let listen = free_address();
        let admin = free_address();
        let mut config = json!({"listen": listen.to_string(), "locale": "en", "receivers": {}});
        merge(&mut config, keys);
        config["receivers"][receiver_name(0)] = reached(host.sim.address());
        let path = folder.path().join("larkfire.yaml");
        // JSON is YAML as well.
        std::fs::write(&path, config.to_string())?;
        let launch = Launch::program(program)
            .argument("--config")
            .argument(&path)
            .directory(folder.path())
            .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string());
        let process = launch.start();
        let id = ready(&process, "larkfire", admin, "/readyz").await?;
        Ok(Self { process, id, launch, listen, admin, host, alert_bytes, _folder: folder })
    }

    /// `kill -9`, and a start; how long that takes until it is ready.
    pub(super) async fn restart(&mut self) -> Result<Duration, GrowthError> {
        self.process.kill().await;
        let begun = Instant::now();
        self.process = self.launch.start();
        self.id = ready(&self.process, "larkfire", self.admin, "/readyz").await?;
        Ok(begun.elapsed())
    }

    /// Sends so many different alerts as fast as they are accepted, numbered from `first`.
    pub(super) async fn fill(&self, path: &str, first: u32, alerts: u32) -> Result<(), GrowthError> {
        let plan = Plan::once(alerts.div_ceil(ALERTS_PER_REQUEST), Duration::ZERO, ALERTS_PER_REQUEST);
        let sent = self.send(plan.from(first), path, CONNECTIONS, Instant::now()).await?;
        let accepted = sent.iter().filter(|sent| sent.answer == Answer::Accepted).count();
        if accepted == sent.len() {
            return Ok(());
        }
        Err(GrowthError::NotFilled { accepted, wanted: sent.len() })
    }

    /// Sends what is planned, when it is due.
    pub(super) async fn send(
        &self,
        plan: Plan,
        path: &str,
        connections: u32,
        begin: Instant,
    ) -> Result<Vec<Sent>, GrowthError> {
        let aim = Aim { address: self.listen, paths: vec![path.to_owned()] };
        Ok(send(plan, aim, connections, self.alert_bytes, begin, Arc::new(Counts::default())).await?)
    }

    /// Waits until so many alerts have been delivered since it was started.
    pub(super) async fn delivered(&self, alerts: u32) -> Result<(), GrowthError> {
        let patience = Instant::now() + PATIENCE;
        let wanted = f64::from(alerts);
        loop {
            let metrics = answer_at(self.admin, "/metrics").await;
            let delivered = metrics.map_or(0.0, |metrics| Counters::read(&metrics).delivered);
            if delivered >= wanted {
                return Ok(());
            }
            if Instant::now() >= patience {
                return Err(GrowthError::TooSlow { delivered, wanted });
            }
            sleep(LOOK_EVERY).await;
        }
    }

    pub(super) fn used(&self) -> Result<Used, GrowthError> {
        Ok(Used { cpu: cpu_time(self.id)?, written_bytes: written_bytes(self.id)? })
    }

    /// The most it ever had resident, in bytes.
    pub(super) fn peak_bytes(&self) -> Result<u64, GrowthError> {
        Ok(peak_memory(self.id)?)
    }
}

impl Used {
    /// What was used since an earlier look.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            written_bytes: self.written_bytes.saturating_sub(earlier.written_bytes),
        }
    }
}

/// A receiver whose hook nobody listens at.
pub(super) fn unreached() -> Value {
    json!({"webhook_url": format!("http://{}/open-apis/bot/v2/hook/{AWAY}", free_address()), "secret": SECRET})
}

fn reached(sim: SocketAddr) -> Value {
    let (per_second, per_minute) = NO_LIMITS;
    json!({
        "webhook_url": format!("http://{sim}/open-apis/bot/v2/hook/{}", receiver_name(0)),
        "secret": SECRET,
        "cards_per_second": per_second,
        "cards_per_minute": per_minute,
    })
}

fn merge(config: &mut Value, keys: Value) {
    if let Value::Object(keys) = keys {
        for (key, value) in keys {
            config[key] = value;
        }
    }
}
