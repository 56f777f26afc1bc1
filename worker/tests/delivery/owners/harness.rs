//! A worker that knows people, and where it knows them from.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use config::{
    AppConfig, ClientTls, OwnersConfig, ReceiverConfig, ReceiverDestination, ReceiverOwners, ResolvedNews,
    Secret, UserColumns, UserServer, UserTableConfig,
};
use feishu_sim::{AppSettings, BotSettings, Call, FeishuSim, Record, SimSettings, UserSettings};
use model::alert::{Alert, Labels, Mention};
use model::envelope::Envelope;
use queue::{Headers, Settlement};
use sqlx::mysql::MySqlConnection;
use sqlx::{Connection, Executor};
use tempfile::TempDir;
use testkit::mariadb::{TestDatabase, mysql_url};
use testkit::postgres::TestSchema;
use testkit::wait_until::wait_until;

use crate::harness::{EAGER, TOKEN, WITHIN, Worker, envelope, line, settings, shows};

pub(crate) const APP: &str = "cli_test0001";
pub(crate) const APP_SECRET: &str = "app-secret-0001";
/// How long a card of a test waits for people: a slow machine is no slow table.
pub(crate) const PATIENT: Duration = Duration::from_secs(2);

/// A table as operators have it: names of their own, ids with a prefix, numbers in two forms.
pub(crate) struct People(TestDatabase);

impl People {
    pub(crate) async fn on_mariadb() -> Self {
        let database = TestDatabase::create().await;
        let mut connection = MySqlConnection::connect(&database.url()).await.unwrap();
        for statement in [
            "CREATE TABLE staff (login VARCHAR(64), `order` VARCHAR(64), phone BIGINT, lark VARCHAR(64))",
            "INSERT INTO staff VALUES ('zhangsan', '张三', 13800138000, 'feishu_ou_zhang'),
             ('lisi', '李四', 8613900139000, 'ou_li'), ('old', NULL, NULL, NULL)",
        ] {
            connection.execute(statement).await.unwrap();
        }
        connection.close().await.unwrap();
        Self(database)
    }

    /// Where the server is.
    pub(crate) fn server() -> SocketAddr {
        mysql_url().rsplit('@').next().unwrap().parse().unwrap()
    }

    pub(crate) fn config(&self) -> OwnersConfig {
        self.config_at(Self::server())
    }

    /// The same table and columns, in the database of the workers.
    pub(crate) fn in_the_workers_database(schema: &TestSchema) -> OwnersConfig {
        let columns = Self::columns();
        let table = UserTableConfig {
            name: format!("{}.staff", schema.name()),
            columns,
            ..UserTableConfig::default()
        };
        let services = vec![("order-*".to_owned(), vec!["ZhangSan".to_owned()])];
        OwnersConfig { table, services, deadline: PATIENT, ..OwnersConfig::default() }
    }

    fn columns() -> UserColumns {
        let [username, nickname, mobile, id] = ["login", "order", "phone", "lark"].map(str::to_owned);
        UserColumns { username, nickname, mobile, id }
    }

    /// The same table, reached at another address.
    pub(crate) fn config_at(&self, address: SocketAddr) -> OwnersConfig {
        let server = UserServer {
            host: address.ip().to_string(),
            port: address.port(),
            database: self.0.name().to_owned(),
            user: "root".to_owned(),
            password: None,
            tls: ClientTls::default(),
        };
        let table = UserTableConfig {
            server: Some(server),
            name: "staff".to_owned(),
            columns: Self::columns(),
            ..UserTableConfig::default()
        };
        let services = vec![("order-*".to_owned(), vec!["zhangsan".to_owned()])];
        OwnersConfig { table, services, deadline: PATIENT, ..OwnersConfig::default() }
    }
}

pub(crate) struct OwnersHarness {
    sim: FeishuSim,
    worker: Worker,
    folder: TempDir,
}

/// What an office is like.
#[derive(Default)]
struct Setting<'s> {
    owners: OwnersConfig,
    /// Who is in the bot's group.
    members: &'s [&'s str],
    /// An app, and whom it may look up.
    app: Option<(AppSettings, Vec<UserSettings>)>,
    /// A file of users to be imported: its name, and what is in it.
    users: Option<(&'s str, &'s str)>,
    allow_mention_all: bool,
    /// The database of the worker, where it is not a file.
    database: Option<String>,
}

impl OwnersHarness {
    /// With one bot, in a group of these people.
    pub(crate) async fn open(owners: OwnersConfig, members: &[&str]) -> Self {
        Self::with(Setting { owners, members, ..Setting::default() }).await
    }

    /// The same, on this database.
    pub(crate) async fn open_on(database: String, owners: OwnersConfig, members: &[&str]) -> Self {
        Self::with(Setting { owners, members, database: Some(database), ..Setting::default() }).await
    }

    /// The same, where everybody may be mentioned.
    pub(crate) async fn open_to_all() -> Self {
        Self::with(Setting { allow_mention_all: true, ..Setting::default() }).await
    }

    /// With users that were imported from a file.
    pub(crate) async fn open_with_file(file: (&str, &str), members: &[&str]) -> Self {
        let owners = OwnersConfig { deadline: PATIENT, ..OwnersConfig::default() };
        Self::with(Setting { owners, members, users: Some(file), ..Setting::default() }).await
    }

    /// With an app that may look up these people.
    pub(crate) async fn open_with_app(
        app: AppSettings,
        contacts: impl IntoIterator<Item = UserSettings>,
        members: &[&str],
    ) -> Self {
        let owners = OwnersConfig { deadline: PATIENT, ..OwnersConfig::default() };
        let app = Some((app, contacts.into_iter().collect()));
        Self::with(Setting { owners, members, app, ..Setting::default() }).await
    }

    async fn with(setting: Setting<'_>) -> Self {
        let Setting { owners, members, app, users, allow_mention_all, database } = setting;
        let bot = members.iter().fold(BotSettings::new(TOKEN).no_limits(), |bot, id| bot.known_id(*id));
        let has_app = app.is_some();
        let sim = app.into_iter().fold(SimSettings::new([bot]), |sim, (app, contacts)| {
            contacts.into_iter().fold(sim.app(app), SimSettings::user)
        });
        let sim = FeishuSim::start(sim).await.unwrap();
        let receiver = ReceiverConfig {
            template: None,
            card_format: config::CardFormat::V1,
            name: "default".to_owned(),
            destination: ReceiverDestination::CustomBot {
                webhook_url: Secret::new(sim.webhook_url(TOKEN)),
                secret: None,
            },
            cards_per_minute: 1_000_000,
            cards_per_second: 10_000,
            fallback: None,
            owners: ReceiverOwners { fallback: Vec::new(), allow_mention_all },
            escalation: None,
        };
        let folder = tempfile::tempdir().unwrap();
        if let Some((name, text)) = users {
            import(folder.path(), name, text);
        }
        let mut settings = settings(vec![receiver], EAGER, folder.path());
        settings.owners = owners;
        settings.database.url = database.map(Secret::new);
        settings.app = has_app.then(|| AppConfig {
            id: APP.to_owned(),
            secret: Secret::new(APP_SECRET),
            base_url: sim.base_url(),
            chats_allowed: Vec::new(),
            resolved: ResolvedNews::Reply,
            urgent: config::UrgentLimits::default(),
        });
        Self { sim, worker: Worker::start(settings, runtime::clock::Clock::system()), folder }
    }

    /// Tells it, and returns the card that was accepted.
    pub(crate) async fn tell(&mut self, envelope: &Envelope<'_>) -> Record {
        let before = self.sim.accepted().len();
        let tag = self.worker.queue.deliver(line(envelope), Headers::default());
        let queue = &mut self.worker.queue;
        let fate = wait_until(WITHIN, "a settlement", async || queue.fate(tag).ok_or("still in hand")).await;
        assert!(matches!(fate, Settlement::Done { .. }), "{fate:?}");
        let accepted = self.sim.accepted();
        assert_eq!(accepted.len(), before + 1);
        accepted.into_iter().last().unwrap()
    }

    /// The worker's own database.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("larkfire.db")
    }

    pub(crate) fn metric(&self, metric: &str) -> bool {
        shows(&self.worker.registry, metric)
    }

    /// How often Feishu was asked for people.
    pub(crate) fn look_ups(&self) -> usize {
        self.sim.records(APP).iter().filter(|record| record.call == Some(Call::LookUp)).count()
    }
}

/// What an operator does.
fn import(folder: &Path, name: &str, users: &str) {
    std::fs::write(folder.join(name), users).unwrap();
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_larkfire-worker"))
        .current_dir(folder)
        .env("LARKFIRE_DATA_DIR", folder)
        .args(["users", "import", name])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && said.starts_with("imported "), "{done:?}");
}

/// An alert of a service.
pub(crate) fn alert_of(service: &'static str, index: u8) -> Envelope<'static> {
    let mut envelope = envelope("default", index);
    let labels = std::mem::take(&mut envelope.alerts[0].labels);
    let labels = labels.iter().map(|(name, value)| (name.to_owned().into(), value.to_owned().into()));
    envelope.alerts[0].labels =
        labels.chain([("service".into(), service.into())]).collect::<Labels<'static>>();
    envelope
}

/// An alert whose payload names somebody.
pub(crate) fn asking_for(mention: Mention<'static>, index: u8) -> Envelope<'static> {
    let mut envelope = envelope("default", index);
    let alert: &mut Alert<'static> = &mut envelope.alerts[0];
    alert.mention = mention;
    envelope
}
