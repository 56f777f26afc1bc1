//! A Larkfire of a test's own, in either shape, whose parts can be killed and started again.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use feishu_sim::{AppSettings, BotSettings, ChatSettings, FeishuSim, SimSettings};
use queue::rabbitmq::topology::Names;
use tempfile::TempDir;
use testkit::http;
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::{Launch, Process};
use testkit::rabbitmq::{Leftovers, amqp_url};
use testkit::wait_until::wait_until;

use crate::store;

/// How long a part may take to be ready; a debug build on a busy machine needs seconds.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// The bot's token and secret at the simulator.
pub(crate) const TOKEN: &str = "e2e-token";
const SECRET: &str = "e2e-secret";
/// The app and its chat at the simulator.
const APP: &str = "cli_e2e";
const CHAT: &str = "oc_e2e";

/// The two shapes Larkfire runs in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// `larkfire-ingest`, RabbitMQ, `larkfire-worker`.
    Roles,
    /// `larkfire` alone.
    Embedded,
}

/// A part that can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What takes requests.
    Ingest,
    /// What sends cards.
    Worker,
}

/// Everything between a sender and Feishu.
pub(crate) struct Deployment {
    pub(crate) sim: FeishuSim,
    /// Where alerts are posted to.
    pub(crate) listen: SocketAddr,
    shape: Shape,
    roles: Vec<Role>,
    database: TestDatabase,
    folder: TempDir,
    _leftovers: Leftovers,
}

/// Where everything that Larkfire talks to is; a proxy's address, where the way there is to be cut.
pub(crate) struct Surroundings {
    pub(crate) amqp_url: String,
    pub(crate) database: TestDatabase,
    pub(crate) database_url: String,
}

/// One process, and how to start it again.
struct Role {
    part: Part,
    launch: Launch,
    admin: SocketAddr,
    process: Process,
}

impl Deployment {
    /// A simulator without Feishu's limits (they would stretch thousands of cards over an hour), and a Larkfire
    /// that sends to it.
    pub(crate) async fn start(shape: Shape) -> Self {
        Self::start_in(shape, Surroundings::direct().await).await
    }

    /// The same, with the ways to its broker and its database as given.
    pub(crate) async fn start_in(shape: Shape, surroundings: Surroundings) -> Self {
        let bot = BotSettings::new(TOKEN).secret(SECRET).no_limits();
        let sim = FeishuSim::start(SimSettings::new([bot])).await.unwrap();
        let url = sim.webhook_url(TOKEN);
        let feishu = [("FEISHU_WEBHOOK_URL", url.as_str()), ("FEISHU_SECRET", SECRET)];
        Self::launch(shape, surroundings, sim, &feishu).await
    }

    /// One that sends into a chat, as the bot of an app.
    pub(crate) async fn of_app(shape: Shape) -> Self {
        let settings =
            SimSettings::new([]).app(AppSettings::new(APP, SECRET)).chat(ChatSettings::new(CHAT).app(APP));
        let sim = FeishuSim::start(settings).await.unwrap();
        let url = sim.base_url();
        let feishu = [
            ("FEISHU_APP_ID", APP),
            ("FEISHU_APP_SECRET", SECRET),
            ("FEISHU_CHAT_ID", CHAT),
            ("FEISHU_BASE_URL", url.as_str()),
        ];
        Self::launch(shape, Surroundings::direct().await, sim, &feishu).await
    }

    async fn launch(
        shape: Shape,
        surroundings: Surroundings,
        sim: FeishuSim,
        feishu: &[(&str, &str)],
    ) -> Self {
        let Surroundings { amqp_url, database, database_url } = surroundings;
        let folder = tempfile::tempdir().unwrap();
        let prefix = unique_prefix();
        let listen = free_address();
        let names = Names::new(prefix.clone(), 1);
        let common = |binary: &str| {
            let launch = Launch::binary(binary)
                .directory(folder.path())
                .variable("LARKFIRE_LISTEN", listen.to_string());
            feishu.iter().fold(launch, |launch, (name, value)| launch.variable(name, value))
        };
        let with_broker = |launch: Launch| {
            launch
                .variable("AMQP_URL", &amqp_url)
                .variable("LARKFIRE_QUEUE_PREFIX", &prefix)
                .variable("DATABASE_URL", &database_url)
        };
        let launches = match shape {
            Shape::Roles => vec![
                (Part::Ingest, with_broker(common("larkfire-ingest"))),
                (Part::Worker, with_broker(common("larkfire-worker"))),
            ],
            Shape::Embedded => vec![(Part::Ingest, common("larkfire"))],
        };
        let roles = launches.into_iter().map(|(part, launch)| Role::start(part, launch)).collect();
        let topology = names.topology();
        let leftovers = Leftovers::new()
            .queues(topology.queues.into_iter().map(|queue| queue.name))
            .exchanges(topology.exchanges.into_iter().map(|exchange| exchange.name));
        let deployment = Self { sim, listen, shape, roles, database, folder, _leftovers: leftovers };
        deployment.wait_until_ready().await;
        deployment
    }

    /// Where a path of ingest is.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listen)
    }

    /// Ends the part as a crash would and starts it again. One process may be both parts.
    pub(crate) async fn kill_and_restart(&mut self, part: Part) {
        let embedded = matches!(self.shape, Shape::Embedded);
        for role in self.roles.iter_mut().filter(|role| embedded || role.part == part) {
            role.process.kill().await;
            role.process = role.launch.start();
        }
        self.wait_until_ready().await;
    }

    /// Asks every part to stop, ingest first, and checks that each does so cleanly.
    pub(crate) async fn stop(&mut self) {
        for role in &mut self.roles {
            role.process.terminate();
            let status = role.process.wait(START_PATIENCE).await;
            assert!(status.success(), "{:?} ended with {status}", role.part);
        }
    }

    /// The metrics of a part, as Prometheus would read them.
    pub(crate) async fn metrics(&self, part: Part) -> String {
        let embedded = matches!(self.shape, Shape::Embedded);
        let role = self.roles.iter().find(|role| embedded || role.part == part).unwrap();
        http::get(&format!("http://{}/metrics", role.admin)).await.unwrap().text().to_owned()
    }

    /// The fingerprints of the alerts that are written down as delivered.
    pub(crate) async fn delivered(&self) -> BTreeSet<String> {
        self.written_down(store::TOLD).await
    }

    /// The fingerprints of the alerts in the dead letters.
    pub(crate) async fn dead(&self) -> BTreeSet<String> {
        self.written_down(store::DEAD).await
    }

    /// Where the one process keeps its files.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    async fn written_down(&self, query: &'static str) -> BTreeSet<String> {
        match self.shape {
            Shape::Roles => store::of_roles(&self.database, query).await,
            Shape::Embedded => store::of_one(&self.data_dir(), query).await,
        }
    }

    /// Runs an operator's command where the worker runs; its exit code, and what it printed.
    pub(crate) async fn command(&self, words: &[&str]) -> (i32, String) {
        // A command reads the settings of the process it is about, whether that runs or not.
        let role = self.roles.last().unwrap();
        let launch = words.iter().fold(role.launch.clone(), Launch::argument);
        let (status, printed) = launch.start().finish(START_PATIENCE).await;
        (status.code().unwrap_or(-1), printed)
    }

    /// Starts what was stopped.
    pub(crate) async fn start_again(&mut self) {
        for role in &mut self.roles {
            role.process = role.launch.start();
        }
        self.wait_until_ready().await;
    }

    /// What every part printed.
    pub(crate) fn output(&self) -> String {
        self.roles.iter().map(|role| role.process.output()).collect()
    }

    async fn wait_until_ready(&self) {
        for role in &self.roles {
            let url = format!("http://{}/readyz", role.admin);
            wait_until(START_PATIENCE, &format!("{:?} to be ready", role.part), async || {
                match http::get(&url).await {
                    Ok(answer) if answer.status == 200 => Ok(()),
                    Ok(answer) => Err(answer.text().to_owned()),
                    Err(error) => Err(error.to_string()),
                }
            })
            .await;
        }
    }
}

impl Surroundings {
    /// The services of the machine, and a database of the test's own.
    pub(crate) async fn direct() -> Self {
        let database = TestDatabase::create().await;
        Self { amqp_url: amqp_url(), database_url: database.url(), database }
    }
}

impl Role {
    fn start(part: Part, launch: Launch) -> Self {
        let admin = free_address();
        let launch = launch.variable("LARKFIRE_ADMIN_LISTEN", admin.to_string());
        let process = launch.start();
        Self { part, launch, admin, process }
    }
}
