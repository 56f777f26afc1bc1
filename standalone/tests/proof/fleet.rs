//! Two ingests and three workers, on the services of the machine.

use std::net::SocketAddr;
use std::time::Duration;

use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use shared::queue::rabbitmq::topology::Names;
use tempfile::TempDir;
use testkit::http;
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::{Launch, Process};
use testkit::rabbitmq::{Leftovers, amqp_url};
use testkit::wait_until::wait_until;

/// How long a process may take to be ready; a debug build on a busy machine needs seconds.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// What a process gets to finish what it has in hand: `shutdown_grace` as nobody sets it.
pub(crate) const GRACE: Duration = Duration::from_secs(20);
/// The bot's token and secret at the simulator.
const TOKEN: &str = "proof-token";
const SECRET: &str = "proof-secret";

pub(crate) const INGESTS: usize = 2;
pub(crate) const WORKERS: usize = 3;

/// Everything between the senders and Feishu.
pub(crate) struct Fleet {
    pub(crate) sim: FeishuSim,
    pub(crate) ingests: Vec<Member>,
    pub(crate) workers: Vec<Member>,
    pub(crate) database: TestDatabase,
    _folder: TempDir,
    _leftovers: Leftovers,
}

/// One process of it.
pub(crate) struct Member {
    pub(crate) name: String,
    /// Where an ingest takes alerts.
    pub(crate) listen: SocketAddr,
    admin: SocketAddr,
    launch: Launch,
    process: Process,
}

impl Fleet {
    /// All of them, ready.
    pub(crate) async fn start() -> Self {
        let bot = BotSettings::new(TOKEN).secret(SECRET);
        let sim = FeishuSim::start(SimSettings::new([bot])).await.unwrap();
        let (database, folder, prefix) =
            (TestDatabase::create().await, tempfile::tempdir().unwrap(), unique_prefix());
        let common = |binary: &str| {
            Launch::binary(binary)
                .directory(folder.path())
                .variable("FEISHU_WEBHOOK_URL", sim.webhook_url(TOKEN))
                .variable("FEISHU_SECRET", SECRET)
                .variable("LOCALE", "en")
                .variable("LARKFIRE_QUEUE_PREFIX", &prefix)
        };
        let (mut ingests, mut workers) = (Vec::new(), Vec::new());
        for number in 0..INGESTS {
            let launch = common("larkfire-ingest");
            ingests.push(Member::start(format!("ingest {number}"), launch, &database));
        }
        for number in 0..WORKERS {
            let launch = common("larkfire-worker");
            workers.push(Member::start(format!("worker {number}"), launch, &database));
        }
        let topology = Names::new(prefix.clone(), 1).topology();
        let leftovers = Leftovers::new()
            .queues(topology.queues.into_iter().map(|queue| queue.name))
            .exchanges(topology.exchanges.into_iter().map(|exchange| exchange.name));
        let fleet = Self { sim, ingests, workers, database, _folder: folder, _leftovers: leftovers };
        fleet.wait_until_ready().await;
        fleet
    }

    /// All of it, ingests first.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.ingests.iter().chain(&self.workers)
    }

    /// Waits until each process is.
    pub(crate) async fn wait_until_ready(&self) {
        for member in self.members() {
            member.wait_until_ready().await;
        }
    }

    /// Asks each process to end, ingests first as an operator would, and sees to it that each does so well.
    pub(crate) async fn stop(&mut self) {
        for member in self.ingests.iter_mut().chain(&mut self.workers) {
            member.stop().await;
        }
    }
}

impl Member {
    fn start(name: String, launch: Launch, database: &TestDatabase) -> Self {
        let (listen, admin) = (free_address(), free_address());
        let launch = launch
            .variable("LARKFIRE_LISTEN", listen.to_string())
            .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string())
            .variable("AMQP_URL", amqp_url())
            .variable("DATABASE_URL", database.url());
        let process = launch.start();
        Self { name, listen, admin, launch, process }
    }

    /// Asks it to end, and sees to it that it does so well and in time.
    pub(crate) async fn stop(&mut self) {
        self.process.terminate();
        let status = self.process.wait(GRACE).await;
        assert!(status.success(), "{} ended with {status}:\n{}", self.name, self.process.output());
    }

    pub(crate) fn start_again(&mut self) {
        self.process = self.launch.start();
    }

    /// The end of what it printed since it was started last.
    pub(crate) fn output(&self) -> String {
        self.process.output()
    }

    pub(crate) async fn wait_until_ready(&self) {
        let url = format!("http://{}/readyz", self.admin);
        wait_until(START_PATIENCE, &format!("{} to be ready", self.name), async || {
            match http::get(&url).await {
                Ok(answer) if answer.status == 200 => Ok(()),
                Ok(answer) => Err(answer.text().to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }
}
