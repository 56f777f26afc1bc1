//! A whole Larkfire as it runs in production: ingest, RabbitMQ, worker, MariaDB, and the simulator for Feishu.
//! What is cut in a run is reached through a proxy. All of it ends when it is dropped.

mod role;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use testkit::chaos_proxy::{ChaosProxy, Direction};
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::process::Launch;
use testkit::rabbitmq::amqp_url;
use thiserror::Error;

use feishu_sim::{Fault, Lasting};

use crate::broker::{Broker, BrokerError};
use crate::scenario::Profile;
use crate::scenario::profile::{Feishu, What};
use crate::sim_host::{NO_LIMITS, SECRET, SimHost, receiver_name};
use crate::stage::StageError;
use crate::timeline::{Part, Step, Way};
pub(crate) use role::{Counters, Role};

/// What Feishu says of too many messages.
const THROTTLED: (i64, &str) = (11_232, "frequency limited psm[lark.oapi.app_platform_runtime]");

/// Why there is no house, or why something could not be done to it.
#[derive(Debug, Error)]
pub(crate) enum HouseError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Stage(#[from] StageError),
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
pub(crate) struct House {
    pub(crate) roles: Vec<Role>,
    broker_way: Option<ChaosProxy>,
    database_way: Option<ChaosProxy>,
    feishu_way: Option<ChaosProxy>,
    pub(crate) host: SimHost,
    pub(crate) database: TestDatabase,
    pub(crate) broker: Broker,
    pub(crate) listen: SocketAddr,
    folder: TempDir,
}

impl House {
    /// Starts everything and waits until it is ready.
    pub(crate) async fn start(profile: &Profile, programs: &Programs) -> Result<Self, HouseError> {
        let mut house = Self::without_processes(profile).await?;
        house.add(Part::Ingest, &programs.ingest);
        for _ in 0..profile.house.workers {
            house.add(Part::Worker, &programs.worker);
        }
        for role in &mut house.roles {
            role.start().await?;
        }
        Ok(house)
    }

    /// The services, and the configuration for processes to come.
    pub(crate) async fn without_processes(profile: &Profile) -> Result<Self, HouseError> {
        let has = |what| profile.faults.iter().any(|fault| fault.what == what);
        let io = |what| move |source| HouseError::Io { what, source };
        let broker = Broker::connect(profile.house.shards).await?;
        let host = SimHost::start(profile.feishu).map_err(io("the simulator"))?;
        let (broker_at, database_at) = (address_in(&amqp_url()), address_in(&testkit::mariadb::mysql_url()));
        let house = Self {
            roles: Vec::new(),
            broker_way: way(has(What::BrokerCut), broker_at, "TEST_AMQP_URL").await?,
            database_way: way(has(What::DatabaseCut), database_at, "TEST_MYSQL_URL").await?,
            feishu_way: way(has(What::FeishuSlow), Some(host.sim.address()), "the simulator").await?,
            host,
            database: TestDatabase::create().await,
            broker,
            listen: free_address(),
            folder: tempfile::tempdir().map_err(io("a temporary directory"))?,
        };
        std::fs::write(house.config_path(), house.config(profile).to_string())
            .map_err(io("the configuration"))?;
        Ok(house)
    }

    /// Adds a process, which is not started yet.
    pub(crate) fn add(&mut self, part: Part, program: &Path) {
        let launch = Launch::program(program)
            .argument("--config")
            .argument(self.config_path())
            // Where no `.env` of somebody's changes what is measured.
            .directory(self.folder.path());
        self.roles.push(Role::new(part, launch, free_address()));
    }

    /// Does what a profile wants to go wrong, or right again.
    pub(crate) async fn apply(&mut self, step: Step) -> Result<(), HouseError> {
        let io = |source| HouseError::Io { what: "the simulator", source };
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
            Step::Cut(way) => on(self.way(way), ChaosProxy::cut),
            Step::Mend(way) => on(self.way(way), ChaosProxy::restore),
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

    const fn way(&self, way: Way) -> Option<&ChaosProxy> {
        match way {
            Way::Broker => self.broker_way.as_ref(),
            Way::Database => self.database_way.as_ref(),
        }
    }

    fn first(&mut self, part: Part) -> Option<&mut Role> {
        self.roles.iter_mut().find(|role| role.part == part)
    }

    fn config_path(&self) -> PathBuf {
        self.folder.path().join("larkfire.yaml")
    }

    /// JSON is YAML as well.
    fn config(&self, profile: &Profile) -> Value {
        let through =
            |url: String, way: &Option<ChaosProxy>, upstream: Option<SocketAddr>| match (way, upstream) {
                (Some(way), Some(upstream)) => url.replace(&upstream.to_string(), &way.address().to_string()),
                _ => url,
            };
        let sim = self.feishu_way.as_ref().map_or(self.host.sim.address(), ChaosProxy::address);
        let database_at = address_in(&testkit::mariadb::mysql_url());
        json!({
            "listen": self.listen.to_string(),
            "locale": "en",
            "receivers": receivers(profile.feishu, sim),
            "queue": {
                "url": through(amqp_url(), &self.broker_way, address_in(&amqp_url())),
                "prefix": self.broker.prefix,
                "shards": profile.house.shards,
            },
            "database": { "url": through(self.database.url(), &self.database_way, database_at) },
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

async fn way(
    is_needed: bool,
    upstream: Option<SocketAddr>,
    name: &'static str,
) -> Result<Option<ChaosProxy>, HouseError> {
    if !is_needed {
        return Ok(None);
    }
    Ok(Some(ChaosProxy::start(upstream.ok_or(HouseError::NoAddress(name))?).await))
}

fn on(way: Option<&ChaosProxy>, act: impl FnOnce(&ChaosProxy)) {
    if let Some(way) = way {
        act(way);
    }
}

/// The address in `scheme://user:password@HOST:PORT/path`.
fn address_in(url: &str) -> Option<SocketAddr> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    authority.rsplit('@').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_between_password_and_path() {
        let address = |url| address_in(url).map(|address| address.to_string());
        assert_eq!(address("amqp://guest:guest@127.0.0.1:5672/%2f").as_deref(), Some("127.0.0.1:5672"));
        assert_eq!(address("mysql://root@127.0.0.1:3306").as_deref(), Some("127.0.0.1:3306"));
        assert_eq!(address("amqp://broker/"), None);
    }
}
