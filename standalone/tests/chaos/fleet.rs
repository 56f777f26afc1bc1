//! Ingests and workers, each with ways of its own to the broker and to the database, which can be cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use queue::rabbitmq::topology::Names;
use tempfile::TempDir;
use testkit::chaos_proxy::ChaosProxy;
use testkit::http;
use testkit::mariadb::{TestDatabase, address_of, mysql_address};
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::{Launch, Process};
use testkit::rabbitmq::{self, Leftovers};
use testkit::wait_until::wait_until;

/// How long a process may take to be ready; a debug build on a busy machine needs seconds.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// What a process gets to finish what it has in hand: `shutdown_grace` as nobody sets it.
pub(crate) const GRACE: Duration = Duration::from_secs(20);
/// The bot's token and secret at the simulator.
const TOKEN: &str = "chaos-token";
const SECRET: &str = "chaos-secret";

/// What our processes call their connections to the broker, by what they do there.
pub(crate) const PUBLISHING: &str = "larkfire publisher";
pub(crate) const CONSUMING: &str = "larkfire alerts";

pub(crate) const INGESTS: usize = 2;
pub(crate) const WORKERS: usize = 3;

/// What a fleet is made of.
pub(crate) struct Plan {
    pub(crate) ingests: usize,
    pub(crate) workers: usize,
    /// The port of its broker.
    pub(crate) broker: u16,
    /// The configuration file of all of them; the environment says the rest.
    pub(crate) config: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            ingests: INGESTS,
            workers: WORKERS,
            broker: address_of(&rabbitmq::amqp_url()).port(),
            config: String::new(),
        }
    }
}

/// Everything between the senders and Feishu.
pub(crate) struct Fleet {
    pub(crate) sim: FeishuSim,
    pub(crate) ingests: Vec<FleetProcess>,
    pub(crate) workers: Vec<FleetProcess>,
    pub(crate) database: TestDatabase,
    /// Where messages lie that are under way.
    queues: Vec<String>,
    amqp_url: String,
    _folder: TempDir,
    _leftovers: Leftovers,
}

/// One process of it.
pub(crate) struct FleetProcess {
    pub(crate) name: String,
    /// Where an ingest takes alerts.
    pub(crate) listen: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) broker: ChaosProxy,
    pub(crate) database: ChaosProxy,
    launch: Launch,
    process: Process,
    /// What it printed before it was started last.
    before: String,
}

impl Fleet {
    /// All of them, with nothing but defaults, ready.
    pub(crate) async fn start() -> Self {
        Self::of(Plan::default()).await
    }

    /// All of them, ready, which hold alerts for so long while Feishu is away.
    pub(crate) async fn holding(hold: Duration) -> Self {
        // What fires seconds after its end waits for up to six times the jitter: longer than stamps are apart here, and not
        // by much.
        let config = format!("delivery:\n  hold: {}s\ndedup:\n  jitter: 20s\n", hold.as_secs());
        Self::of(Plan { config, ..Plan::default() }).await
    }

    /// All of these, ready.
    pub(crate) async fn of(plan: Plan) -> Self {
        let bot = BotSettings::new(TOKEN).secret(SECRET);
        let sim = FeishuSim::start(SimSettings::new([bot])).await.unwrap();
        let database = TestDatabase::create().await;
        let folder = tempfile::tempdir().unwrap();
        let prefix = unique_prefix();
        let config = folder.path().join("larkfire.yaml");
        std::fs::write(&config, plan.config).unwrap();
        let common = |binary: &str| {
            Launch::binary(binary)
                .directory(folder.path())
                .variable("LARKFIRE_CONFIG", &config)
                .variable("FEISHU_WEBHOOK_URL", sim.webhook_url(TOKEN))
                .variable("FEISHU_SECRET", SECRET)
                .variable("LOCALE", "en")
                .variable("LARKFIRE_QUEUE_PREFIX", &prefix)
        };
        let mut ingests = Vec::new();
        let mut workers = Vec::new();
        for number in 0..plan.ingests {
            let launch = common("larkfire-ingest");
            ingests
                .push(FleetProcess::start(format!("ingest {number}"), launch, plan.broker, &database).await);
        }
        for number in 0..plan.workers {
            let launch = common("larkfire-worker");
            workers
                .push(FleetProcess::start(format!("worker {number}"), launch, plan.broker, &database).await);
        }
        let amqp_url = amqp_url((Ipv4Addr::LOCALHOST, plan.broker).into());
        let topology = Names::new(prefix.clone(), 1).topology();
        let queues: Vec<_> = topology.queues.into_iter().map(|queue| queue.name).collect();
        let leftovers = Leftovers::on(amqp_url.clone())
            .queues(queues.clone())
            .exchanges(topology.exchanges.into_iter().map(|exchange| exchange.name));
        let fleet = Self {
            sim,
            ingests,
            workers,
            database,
            queues,
            amqp_url,
            _folder: folder,
            _leftovers: leftovers,
        };
        fleet.wait_until_ready().await;
        fleet
    }

    /// All of it, ingests first.
    pub(crate) fn members(&self) -> impl Iterator<Item = &FleetProcess> {
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
        rabbitmq::lying_on(&self.amqp_url, &self.queues).await
    }

    /// How much is under way: messages in the queues, and envelopes in the workers' hands.
    pub(crate) async fn under_way(&self) -> u64 {
        let mut under_way = u64::from(self.lying().await);
        for worker in &self.workers {
            under_way += worker.counted("larkfire_envelopes_in_flight").await;
        }
        under_way
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

impl FleetProcess {
    async fn start(name: String, launch: Launch, broker: u16, database: &TestDatabase) -> Self {
        let listen = free_address();
        let admin = free_address();
        let to_broker = ChaosProxy::start((Ipv4Addr::LOCALHOST, broker).into()).await;
        let to_database = ChaosProxy::start(mysql_address()).await;
        let launch = launch
            .variable("LARKFIRE_LISTEN", listen.to_string())
            .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string())
            .variable("AMQP_URL", amqp_url(to_broker.address()))
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
        counted(self.admin, metric).await
    }

    pub(crate) async fn wait_until_ready(&self) {
        wait_until_ready(self.admin, &self.name).await;
    }
}

/// Of the metrics at this address those that begin like this, added up.
pub(crate) async fn counted(admin: SocketAddr, metric: &str) -> u64 {
    let metrics = http::get(&format!("http://{admin}/metrics")).await.unwrap();
    let values = metrics.text().lines().filter_map(|line| line.strip_prefix(metric)?.rsplit(' ').next());
    values.map(|value| value.parse::<u64>().unwrap()).sum()
}

/// Waits until the process with this address for operators is ready.
pub(crate) async fn wait_until_ready(admin: SocketAddr, name: &str) {
    let url = format!("http://{admin}/readyz");
    wait_until(START_PATIENCE, &format!("{name} to be ready"), async || match http::get(&url).await {
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) => Err(answer.text().to_owned()),
        Err(error) => Err(error.to_string()),
    })
    .await;
}

fn amqp_url(broker: SocketAddr) -> String {
    format!("amqp://guest:guest@{broker}/%2f")
}

impl Drop for FleetProcess {
    #[expect(clippy::print_stderr, reason = "the test harness shows it with the failed test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- earlier output of {} ---\n{}", self.name, self.before);
        }
    }
}
