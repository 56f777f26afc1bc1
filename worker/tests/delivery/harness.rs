//! A worker between a queue in memory and the simulator.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::{
    BrokenReceiver, ClientTls, DatabaseConfig, DedupConfig, DeliveryConfig, Environment, HistoryConfig,
    InteractionsConfig, LinksConfig, Locale, OwnersConfig, ReceiverConfig, ReceiverDestination,
    ReceiverOwners, Reloads, Secret, SeverityWords, TemplateConfig, parse,
};
use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use model::envelope::{Envelope, EnvelopeId, Notice, Source, encode};
use prometheus::{Registry, TextEncoder};
use queue::{Consumer, Headers, Settlement};
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use tempfile::TempDir;
use testkit::ports::free_address;
use testkit::wait_until::wait_until;
use worker::budget::Budget;
use worker::history::{self, HistoryEntry, HistoryFilter};
use worker::ledger::Ledger;
use worker::render::Style;
use worker::store::Store;
use worker::{Pages, Queue, Settings};

use crate::fake_queue::FakeQueue;
use crate::logs;

/// The token of the default receiver's webhook: what no log line may show.
pub(crate) const TOKEN: &str = "0123-the-token";
/// The token of the second receiver's webhook.
pub(crate) const OTHER_TOKEN: &str = "4567-the-other-token";
/// The bot's signing secret: neither.
pub(crate) const SECRET: &str = "the-signing-secret";
/// How long a test waits for anything.
pub(crate) const WITHIN: Duration = Duration::from_secs(20);

pub(crate) struct Harness {
    pub(crate) sim: FeishuSim,
    pub(crate) queue: FakeQueue,
    pub(crate) lifecycle: Lifecycle,
    registry: Registry,
    folder: TempDir,
    _kept: [FakeQueue; 2],
}

/// How hard the worker of most tests tries.
pub(crate) const EAGER: DeliveryConfig = DeliveryConfig {
    attempts_in_place: 3,
    request_timeout: Duration::from_secs(2),
    give_up_after: Duration::from_hours(24),
    concurrency: 8,
    hold: Duration::from_mins(5),
    broken_receiver: BrokenReceiver::Wait,
    continuation_cards: 0,
};

/// The same, but what cannot be delivered after its attempts in place is parked at once.
pub(crate) const PARKING: DeliveryConfig = DeliveryConfig { hold: Duration::ZERO, ..EAGER };
/// A request that hangs does so for longer than a test waits for anything: who waits for it fails the test.
pub(crate) const PATIENT: DeliveryConfig =
    DeliveryConfig { request_timeout: WITHIN.saturating_mul(3), hold: Duration::from_hours(1), ..EAGER };
/// A file in the test's folder.
const DATABASE: DatabaseConfig =
    DatabaseConfig { url: None, tls: NO_TLS, connections: 1, timeout: Duration::from_secs(5) };
const NO_TLS: ClientTls = ClientTls { ca_file: None, identity: None, server_name: None };
/// Messages the queue of a test hands out at once.
const WINDOW: usize = 100;

impl Harness {
    /// A worker with the receivers `default`, which signs, and `other`, and no limits on how often they may send.
    pub(crate) async fn set(delivery: DeliveryConfig) -> Self {
        let bots =
            [BotSettings::new(TOKEN).secret(SECRET).no_limits(), BotSettings::new(OTHER_TOKEN).no_limits()];
        let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
        let receivers =
            vec![receiver(&sim, "default", TOKEN, Some(SECRET)), receiver(&sim, "other", OTHER_TOKEN, None)];
        Self::with(sim, receivers, delivery)
    }

    pub(crate) fn with(sim: FeishuSim, receivers: Vec<ReceiverConfig>, delivery: DeliveryConfig) -> Self {
        Self::by_clock(sim, receivers, delivery, Clock::system())
    }

    /// The same with another database than a file.
    pub(crate) fn on_database(
        sim: FeishuSim,
        receivers: Vec<ReceiverConfig>,
        delivery: DeliveryConfig,
        database: DatabaseConfig,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { database, ..settings(receivers, delivery, folder.path()) };
        Self::on(sim, settings, folder, Clock::system())
    }

    /// The same with a clock of the test's own.
    pub(crate) fn by_clock(
        sim: FeishuSim,
        receivers: Vec<ReceiverConfig>,
        delivery: DeliveryConfig,
        clock: Clock,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(receivers, delivery, folder.path());
        Self::on(sim, settings, folder, clock)
    }

    /// A worker with the receivers `default` and `other`, and these routes.
    pub(crate) async fn routed(routes: &str, delivery: DeliveryConfig) -> Self {
        Self::routed_to(["default", "other"], routes, delivery).await
    }

    /// The same with receivers of these names.
    pub(crate) async fn routed_to(names: [&str; 2], routes: &str, delivery: DeliveryConfig) -> Self {
        let tokens = [TOKEN, OTHER_TOKEN];
        let bots = tokens.map(|token| BotSettings::new(token).no_limits());
        let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
        let receivers: Vec<_> =
            names.into_iter().zip(tokens).map(|(name, token)| receiver(&sim, name, token, None)).collect();
        let [one, two] = names.map(|name| format!("{name}: {{ webhook_url: https://h/x }}"));
        let text = format!("{{ receivers: {{ {one}, {two} }}, routes: {routes} }}");
        let routes = parse("test.yaml", &text, Environment::default()).unwrap().routes;
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { routes, ..settings(receivers, delivery, folder.path()) };
        Self::on(sim, settings, folder, Clock::system())
    }

    /// A worker with the receiver `default`, these heartbeats, and a clock of the test's own.
    pub(crate) async fn expecting(heartbeats: &str, clock: Clock) -> Self {
        let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).no_limits()])).await.unwrap();
        let receivers = vec![receiver(&sim, "default", TOKEN, None)];
        let text = format!(
            "{{ receivers: {{ default: {{ webhook_url: https://h/x }} }}, heartbeats: {heartbeats} }}"
        );
        let heartbeats = parse("test.yaml", &text, Environment::default()).unwrap().heartbeats;
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { heartbeats, ..settings(receivers, EAGER, folder.path()) };
        Self::on(sim, settings, folder, clock)
    }

    /// A worker with the receivers `default` and `other`, and these settings of who is told of trouble.
    pub(crate) fn in_trouble(
        sim: FeishuSim,
        trouble: &str,
        delivery: DeliveryConfig,
        database: DatabaseConfig,
    ) -> Self {
        let receivers =
            vec![receiver(&sim, "default", TOKEN, None), receiver(&sim, "other", OTHER_TOKEN, None)];
        let [one, two] = ["default", "other"].map(|name| format!("{name}: {{ webhook_url: https://h/x }}"));
        let text = format!("{{ receivers: {{ {one}, {two} }}, trouble: {trouble} }}");
        let trouble = parse("test.yaml", &text, Environment::default()).unwrap().trouble;
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { trouble, database, ..settings(receivers, delivery, folder.path()) };
        Self::on(sim, settings, folder, Clock::system())
    }

    /// A worker with one receiver, and these templates.
    pub(crate) fn worded(sim: FeishuSim, receiver: ReceiverConfig, templates: Vec<TemplateConfig>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { templates, ..settings(vec![receiver], EAGER, folder.path()) };
        Self::on(sim, settings, folder, Clock::system())
    }

    /// A worker with the receiver `default` whose database is away.
    pub(crate) async fn without_database(delivery: DeliveryConfig) -> Self {
        let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).no_limits()])).await.unwrap();
        let receivers = vec![receiver(&sim, "default", TOKEN, None)];
        let nowhere = Secret::new(format!("mysql://root@{}/none", free_address()));
        let database = DatabaseConfig {
            url: Some(nowhere),
            tls: ClientTls::default(),
            connections: 1,
            timeout: Duration::from_millis(100),
        };
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { database, ..settings(receivers, delivery, folder.path()) };
        Self::on(sim, settings, folder, Clock::system())
    }

    fn on(sim: FeishuSim, settings: Settings, folder: TempDir, clock: Clock) -> Self {
        let Worker { queue, people, lifecycle, registry, dead, pages: _ } = Worker::start(settings, clock);
        Self { sim, queue, lifecycle, registry, folder, _kept: [dead, people] }
    }

    /// Delivers one envelope as a message of its own.
    pub(crate) fn deliver(&mut self, envelope: &Envelope<'_>) -> u64 {
        self.queue.deliver(line(envelope), Headers::default())
    }

    /// The ledger as another worker on the same database has it.
    pub(crate) fn elsewhere(&self) -> Ledger {
        let registry = Registry::new();
        let store = Store::open(&DATABASE, self.folder.path(), &registry).unwrap();
        Ledger::new(store, DedupConfig::default(), Clock::system(), &registry).unwrap()
    }

    /// What is written down of what became of alerts, once the worker has stopped.
    pub(crate) async fn history(&self) -> Vec<HistoryEntry> {
        let drained = self.lifecycle.drain(WITHIN).await;
        let store = Store::open(&DATABASE, self.folder.path(), &Registry::new()).unwrap();
        let page = history::find(&store, &HistoryFilter::default(), 10_000).await.unwrap();
        assert!(!page.entries.is_empty(), "nothing is written down; {drained:?}");
        page.entries
    }

    /// The budgets as another worker on the same database has them.
    pub(crate) fn budget_elsewhere(&self) -> Budget {
        let registry = Registry::new();
        let store = Store::open(&DATABASE, self.folder.path(), &registry).unwrap();
        Budget::new(store, Clock::system(), &registry).unwrap()
    }

    /// Waits until the message is settled or given back.
    pub(crate) async fn fate(&mut self, tag: u64) -> Settlement {
        wait_until(WITHIN, "a settlement", async || self.queue.fate(tag).ok_or("still in hand")).await
    }

    /// Whether a line of `/metrics` begins like this.
    pub(crate) fn shows(&self, metric: &str) -> bool {
        shows(&self.registry, metric)
    }
}

pub(crate) fn shows(registry: &Registry, metric: &str) -> bool {
    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    text.lines().any(|line| line == metric)
}

/// A worker and its queues.
pub(crate) struct Worker {
    pub(crate) queue: FakeQueue,
    /// What people do.
    pub(crate) people: FakeQueue,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) registry: Registry,
    /// What is published to the dead letters is looked at where it is published.
    pub(crate) dead: FakeQueue,
    /// What it adds to the admin port.
    pub(crate) pages: Pages,
}

impl Worker {
    pub(crate) fn start(settings: Settings, clock: Clock) -> Self {
        logs::capture();
        let lifecycle = Lifecycle::default();
        let registry = Registry::new();
        let (queue, alerts, publisher) = FakeQueue::new(lifecycle.stop.clone());
        let (dead_queue, dead, _) = FakeQueue::new(lifecycle.stop.clone());
        let (people, interactions, _) = FakeQueue::new(lifecycle.stop.clone());
        let [alerts, dead, interactions] =
            [alerts, dead, interactions].map(|queue| Box::new(queue) as Box<dyn Consumer>);
        let ends = Queue { alerts, dead, interactions, publisher: Arc::new(publisher) };
        let pages = worker::start(settings, ends, &registry, clock, &lifecycle).unwrap();
        Self { queue, people, lifecycle, registry, dead: dead_queue, pages }
    }
}

/// A worker's settings, with a database in that folder.
pub(crate) fn settings(receivers: Vec<ReceiverConfig>, delivery: DeliveryConfig, folder: &Path) -> Settings {
    Settings {
        receivers,
        routes: Vec::new(),
        reloads: Reloads::none(),
        app: None,
        interactions: InteractionsConfig::default(),
        alertmanagers: Vec::new(),
        heartbeats: Vec::new(),
        trouble: None,
        images: config::ImagesConfig::default(),
        delivery,
        database: DATABASE,
        installation: None,
        data_dir: folder.to_owned(),
        https_ca_file: None,
        dedup: DedupConfig::default(),
        history: HistoryConfig::default(),
        window: WINDOW,
        style: Style {
            timezone: TimeZone::UTC,
            locale: Locale::En,
            links: LinksConfig::default(),
            severities: SeverityWords::default(),
        },
        cards: config::CardsConfig::default(),
        templates: Vec::new(),
        template: None,
        owners: OwnersConfig::default(),
        rotations: Vec::new(),
        escalations: Vec::new(),
        console: None,
    }
}

/// A receiver that may send as often as it likes.
pub(crate) fn receiver(sim: &FeishuSim, name: &str, token: &str, secret: Option<&str>) -> ReceiverConfig {
    ReceiverConfig {
        name: name.to_owned(),
        destination: ReceiverDestination::CustomBot {
            webhook_url: Secret::new(sim.webhook_url(token)),
            secret: secret.map(Secret::new),
        },
        cards_per_minute: 1_000_000,
        cards_per_second: 10_000,
        fallback: None,
        owners: ReceiverOwners::default(),
        template: None,
        card_format: config::CardFormat::V1,
        escalation: None,
    }
}

/// An envelope with one alert for a receiver; `index` tells it from others.
pub(crate) fn envelope(receiver: &str, index: u8) -> Envelope<'static> {
    let name = format!("Alert{index}");
    let labels = [("alertname", name.as_str()), ("severity", "critical"), ("pod", "<at id=all></at>")];
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    Envelope {
        id: EnvelopeId::new(now, [index; 10]),
        received_at: now,
        source: Source::Alertmanager,
        receiver: receiver.to_owned().into(),
        group_key: name.clone().into(),
        group_labels: Labels::default(),
        external_url: "".into(),
        truncated: 0,
        notice: Notice::default(),
        is_repeat: false,
        is_unheard: false,
        instead_of: "".into(),
        alerts: vec![Alert {
            fingerprint: Fingerprint::of_pairs(labels).into_owned(),
            former: None,
            status: Status::Firing,
            starts_at: Some(now),
            ends_at: None,
            labels: labels
                .into_iter()
                .map(|(name, value)| (name.to_owned().into(), value.to_owned().into()))
                .collect(),
            annotations: Labels::default(),
            generator_url: "".into(),
            links: Links::default(),
            mention: Mention::default(),
        }],
    }
}

/// The envelope as a line of the wire format.
pub(crate) fn line(envelope: &Envelope<'_>) -> Vec<u8> {
    encode(envelope).unwrap().remove(0).bytes.to_vec()
}

/// What is sent to Feishu, by its title or its text.
pub(crate) fn title(record: &feishu_sim::Record) -> String {
    let message = record.message().expect("it was accepted");
    let title = message.pointer("/card/header/title/content").or_else(|| message.pointer("/content/text"));
    title.and_then(|title| title.as_str()).unwrap_or_default().to_owned()
}
