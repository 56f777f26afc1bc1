//! Two ingests and three workers, each with ways of its own to the broker and to the database, which can be cut.

use std::net::SocketAddr;
use std::time::Duration;

use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use shared::queue::rabbitmq::topology::Names;
use tempfile::TempDir;
use testkit::chaos_proxy::ChaosProxy;
use testkit::http;
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::{Launch, Process};
use testkit::rabbitmq::{self, Leftovers};
use testkit::wait_until::wait_until;

/// Where the services of the machine are.
const RABBITMQ: &str = "127.0.0.1:5672";
const MARIADB: &str = "127.0.0.1:3306";
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
    /// Where messages lie that are under way.
    queues: Vec<String>,
    _folder: TempDir,
    _leftovers: Leftovers,
}

/// One process of it.
pub(crate) struct Member {
    pub(crate) name: String,
    /// Where an ingest takes alerts.
    pub(crate) listen: SocketAddr,
    admin: SocketAddr,
    pub(crate) broker: ChaosProxy,
    pub(crate) database: ChaosProxy,
    launch: Launch,
    process: Process,
    /// What it printed before it was started last.
    before: String,
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
            ingests.push(Member::start(format!("ingest {number}"), launch, &database).await);
        }
        for number in 0..WORKERS {
            let launch = common("larkfire-worker");
            workers.push(Member::start(format!("worker {number}"), launch, &database).await);
        }
        let topology = Names::new(prefix.clone(), 1).topology();
        let queues: Vec<_> = topology.queues.into_iter().map(|queue| queue.name).collect();
        let leftovers = Leftovers::new()
            .queues(queues.clone())
            .exchanges(topology.exchanges.into_iter().map(|exchange| exchange.name));
        let fleet = Self { sim, ingests, workers, database, queues, _folder: folder, _leftovers: leftovers };
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

    /// What an operator is told of an alert.
    pub(crate) async fn trace(&self, fingerprint: &str) -> String {
        let launch = self.workers[0].launch.clone().argument("trace").argument(fingerprint);
        launch.start().finish(START_PATIENCE).await.1
    }

    /// How many messages lie in the queues.
    pub(crate) async fn lying(&self) -> u32 {
        rabbitmq::lying(&self.queues).await
    }

    /// Asks each process to end, ingests first as an operator would, and sees to it that each does so well.
    pub(crate) async fn stop(&mut self) {
        for member in self.ingests.iter_mut().chain(&mut self.workers) {
            member.stop().await;
        }
    }

    /// The same, and each is started anew, with its counters at zero.
    pub(crate) async fn renew(&mut self) {
        for member in self.ingests.iter_mut().chain(&mut self.workers) {
            member.stop().await;
            member.start_again();
        }
        self.wait_until_ready().await;
    }
}

impl Member {
    async fn start(name: String, launch: Launch, database: &TestDatabase) -> Self {
        let (listen, admin) = (free_address(), free_address());
        let to_broker = ChaosProxy::start(RABBITMQ.parse().unwrap()).await;
        let to_database = ChaosProxy::start(MARIADB.parse().unwrap()).await;
        let launch = launch
            .variable("LARKFIRE_LISTEN", listen.to_string())
            .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string())
            .variable("AMQP_URL", format!("amqp://guest:guest@{}/%2f", to_broker.address()))
            .variable("DATABASE_URL", database.url_at(to_database.address()));
        let process = launch.start();
        Self {
            name,
            listen,
            admin,
            broker: to_broker,
            database: to_database,
            launch,
            process,
            before: String::new(),
        }
    }

    /// Ends it as a crash would, and starts it again at once.
    pub(crate) async fn crash(&mut self) {
        self.process.kill().await;
        self.start_again();
    }

    /// Asks it to end, and sees to it that it does so well and in time.
    pub(crate) async fn stop(&mut self) {
        self.process.terminate();
        let status = self.process.wait(GRACE).await;
        assert!(status.success(), "{} ended with {status}:\n{}", self.name, self.process.output());
    }

    pub(crate) fn start_again(&mut self) {
        self.before.push_str(&self.process.output());
        self.process = self.launch.start();
    }

    /// The end of what it printed since it was started last.
    pub(crate) fn output(&self) -> String {
        self.process.output()
    }

    /// Of its metrics those that begin like this, added up.
    pub(crate) async fn counted(&self, metric: &str) -> u64 {
        let metrics = http::get(&format!("http://{}/metrics", self.admin)).await.unwrap();
        let values = metrics.text().lines().filter_map(|line| line.strip_prefix(metric)?.rsplit(' ').next());
        values.map(|value| value.parse::<u64>().unwrap()).sum()
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

impl Drop for Member {
    #[expect(clippy::print_stderr, reason = "the test harness shows it with the failed test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- earlier output of {} ---\n{}", self.name, self.before);
        }
    }
}
