//! A whole Larkfire as it runs in production: ingest, RabbitMQ, worker, MariaDB, and the simulator for Feishu.
//! All of it ends when it is dropped.

mod role;
mod services;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use testkit::chaos_proxy::{ChaosProxy, Direction};
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::process::Launch;
use thiserror::Error;

use feishu_sim::{Fault, Lasting};

use crate::broker::{Broker, BrokerError};
use crate::harness::HarnessError;
use crate::scenario::Profile;
use crate::scenario::profile::{Feishu, What};
use crate::sim_host::{NO_LIMITS, SECRET, SimHost, receiver_name};
use crate::timeline::{KilledProcess, Service, Step};
pub(crate) use role::{Counters, Role};
pub(crate) use services::Services;

/// What Feishu says of too many messages.
const THROTTLED: (i64, &str) = (11_232, "frequency limited psm[lark.oapi.app_platform_runtime]");

/// Why there is no deployment, or why something could not be done to it.
#[derive(Debug, Error)]
pub(crate) enum DeploymentError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Stage(#[from] HarnessError),
    /// The simulator, or a file of ours.
    #[error("{what}: {source}")]
    Io { what: &'static str, source: std::io::Error },
    /// A URL without an address in it.
    #[error("{0} names no address that a proxy could stand in for; set it to HOST:PORT")]
    NoAddress(&'static str),
}

/// The binaries that are measured.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) ingest: PathBuf,
    pub(crate) worker: PathBuf,
    /// The one-machine binary.
    pub(crate) embedded: PathBuf,
}

/// Processes, services and what stands between them. Fields are dropped in this order: processes go before
/// what they use.
pub(crate) struct Deployment {
    pub(crate) roles: Vec<Role>,
    feishu_way: Option<ChaosProxy>,
    pub(crate) host: SimHost,
    pub(crate) database: TestDatabase,
    broker: Broker,
    pub(crate) services: Services,
    pub(crate) listen: SocketAddr,
    folder: TempDir,
}

impl Deployment {
    /// Starts everything and waits until it is ready.
    pub(crate) async fn start(profile: &Profile, programs: &Programs) -> Result<Self, DeploymentError> {
        let mut deployment = Self::without_processes(profile).await?;
        deployment.add(KilledProcess::Ingest, &programs.ingest);
        for _ in 0..profile.fleet.workers {
            deployment.add(KilledProcess::Worker, &programs.worker);
        }
        for role in &mut deployment.roles {
            role.start().await?;
        }
        Ok(deployment)
    }

    /// The services, and the configuration for processes to come.
    pub(crate) async fn without_processes(profile: &Profile) -> Result<Self, DeploymentError> {
        let io = |what| move |source| DeploymentError::Io { what, source };
        let services = Services::start(profile).await?;
        let host = SimHost::start(profile.feishu).map_err(io("the simulator"))?;
        let is_slow = profile.faults.iter().any(|fault| fault.what == What::FeishuSlow);
        let feishu_way = if is_slow { Some(ChaosProxy::start(host.sim.address()).await) } else { None };
        let deployment = Self {
            roles: Vec::new(),
            feishu_way,
            host,
            database: TestDatabase::create_on(services.database_url()).await,
            broker: Broker::connect(services.broker_url(), profile.fleet.shards).await?,
            services,
            listen: free_address(),
            folder: tempfile::tempdir().map_err(io("a temporary directory"))?,
        };
        std::fs::write(deployment.config_path(), deployment.config(profile).to_string())
            .map_err(io("the configuration"))?;
        Ok(deployment)
    }

    /// Processes to come keep nothing of what became of alerts.
    pub(crate) fn without_history(&self, profile: &Profile) -> Result<(), DeploymentError> {
        let mut config = self.config(profile);
        config["history"] = json!({ "enabled": false });
        std::fs::write(self.config_path(), config.to_string())
            .map_err(|source| DeploymentError::Io { what: "the configuration", source })
    }

    /// Adds a process, which is not started yet.
    pub(crate) fn add(&mut self, part: KilledProcess, program: &Path) {
        let launch = Launch::program(program)
            .argument("--config")
            .argument(self.config_path())
            // Where no `.env` of somebody's changes what is measured.
            .directory(self.folder.path());
        self.roles.push(Role::new(part, launch, free_address()));
    }

    /// Does what a profile wants to go wrong, or right again.
    pub(crate) async fn apply(&mut self, step: Step) -> Result<(), DeploymentError> {
        let io = |source| DeploymentError::Io { what: "the simulator", source };
        let refuse = |fault, lasting| {
            for token in (0..)
                .map(receiver_name)
                .take_while(|token| self.host.sim.fault(token, &fault, lasting).is_ok())
            {
                drop(token);
            }
        };
        match step {
            Step::Away => self.host.sim.away().await.map_err(io)?,
            Step::Back => self.host.sim.back().await.map_err(io)?,
            Step::Throttle(time) => {
                let (code, msg) = THROTTLED;
                refuse(Fault::Refusal { code, msg: msg.to_owned() }, Lasting::For(time));
            }
            Step::TooMany(time) => refuse(Fault::TooManyRequests { reset_seconds: None }, Lasting::For(time)),
            Step::Hold => on(self.feishu_way.as_ref(), |way| way.stall(Direction::ToClient)),
            Step::Flow => on(self.feishu_way.as_ref(), ChaosProxy::restore),
            Step::Cut(service) => self.services.cut(service),
            Step::Mend(service) => self.services.mend(service),
            Step::KillService(service) => self.services.kill(service).await,
            Step::StartService(service) => self.services.start_again(service),
            Step::Kill(part) => {
                if let Some(role) = self.first(part) {
                    role.kill().await;
                }
            }
            Step::Start(part) => {
                if let Some(role) = self.first(part) {
                    role.start_unready();
                }
            }
        }
        Ok(())
    }

    /// Messages that wait for a worker, and those that are deferred; unknown while a broker that was killed is away.
    pub(crate) async fn depth(&mut self) -> Result<Option<(u64, u64)>, BrokerError> {
        match self.broker.depth().await {
            Err(_) if self.services.is_own(Service::Broker) => {
                self.broker.reconnect().await;
                Ok(None)
            }
            depth => depth.map(Some),
        }
    }

    /// Where ingest's messages wait.
    pub(crate) fn alerts_queues(&self) -> &[String] {
        self.broker.alerts_queues()
    }

    fn first(&mut self, part: KilledProcess) -> Option<&mut Role> {
        self.roles.iter_mut().find(|role| role.part == part)
    }

    fn config_path(&self) -> PathBuf {
        self.folder.path().join("larkfire.yaml")
    }

    /// JSON is YAML as well.
    fn config(&self, profile: &Profile) -> Value {
        let sim = self.feishu_way.as_ref().map_or(self.host.sim.address(), ChaosProxy::address);
        json!({
            "listen": self.listen.to_string(),
            "locale": "en",
            "receivers": receivers(profile.feishu, sim),
            "queue": {
                "url": self.services.broker_url_through(),
                "prefix": self.broker.prefix,
                "shards": profile.fleet.shards,
            },
            "database": { "url": self.services.database_url_through(&self.database) },
        })
    }
}

fn receivers(feishu: Feishu, sim: SocketAddr) -> Map<String, Value> {
    let receiver = |number| {
        let name = receiver_name(number);
        let url = format!("http://{sim}/open-apis/bot/v2/hook/{name}");
        let mut receiver = json!({"webhook_url": url, "secret": SECRET});
        if !feishu.limits {
            let (per_second, per_minute) = NO_LIMITS;
            receiver["cards_per_second"] = per_second.into();
            receiver["cards_per_minute"] = per_minute.into();
        }
        (name, receiver)
    };
    (0..feishu.receivers).map(receiver).collect()
}

fn on(way: Option<&ChaosProxy>, act: impl FnOnce(&ChaosProxy)) {
    if let Some(way) = way {
        act(way);
    }
}
