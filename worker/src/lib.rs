//! Queue in, Feishu out: the worker's role as a library, for its own binary and for `standalone`.

pub mod alertmanager;
pub mod audit;
mod background;
pub mod budget;
pub mod card_buttons;
pub mod card_store;
mod cleaning;
pub mod command;
mod console_backend;
pub mod dead_letters;
mod delivery;
mod directory;
pub mod escalation;
mod fallbacks;
pub mod feishu;
pub mod firing;
pub mod heartbeats;
pub mod history;
pub mod installation;
pub mod interactions;
pub mod ledger;
pub mod link;
pub mod metrics;
pub mod oncall;
pub mod own_alerts;
mod parts;
pub mod people;
mod pictures;
pub mod preview;
pub mod probe;
pub mod program;
pub mod receiver;
mod receiver_status;
pub mod render;
pub mod routing;
pub mod sent_cards;
pub mod store;
pub mod storms;
pub mod summarised;
pub mod templates;
pub mod test_alert;
mod trouble;

use std::path::PathBuf;
use std::sync::Arc;

use config::{
    AlertmanagerConfig, AppConfig, CardsConfig, Config, ConfigErrors, DatabaseConfig, DedupConfig,
    DeliveryConfig, EscalationConfig, HeartbeatConfig, HistoryConfig, ImagesConfig, InteractionsConfig,
    OwnersConfig, ReceiverConfig, Reloads, Rotation, RouteConfig, TemplateConfig, TroubleConfig,
};
use prometheus::Registry;
use queue::{Consumer, Publisher};
use reqwest::Client;
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use runtime::telemetry::admin::Page;
use thiserror::Error;
use tokio::sync::mpsc::unbounded_channel;

use crate::delivery::context::DeliveryContext;
use crate::delivery::intake::Intake;
use crate::delivery::oldest::OldestWaiting;
use crate::delivery::pipeline::Pipeline;
use crate::delivery::settlement::SettlementRecorder;
pub use console_backend::{ConsoleSettings, Sessions as ConsoleSessions};

use background::{ReplayOutcomes, Tended, Watched, tend};
use dead_letters::Mover;
use directory::OwnersError;
use escalation::{CallDeps, EscalationEngine, Escalations};
use feishu::{HttpClientError, Webhooks, http_client};
use installation::{Gate, InstallationOrigin};
use metrics::Metrics;
use parts::Parts;
use pictures::PicturesError;
use receiver::ReceiverError;
use render::Style;
use routing::UnknownReceiver;
use store::{OpenError, Store};
use storms::Storms;
use summarised::SummarisedAlerts;

/// Pages for the admin port.
pub type Pages = Vec<Box<dyn Page>>;

/// Messages the embedded queue hands out at once; the same as RabbitMQ does by default.
const EMBEDDED_WINDOW: usize = 2_000;

/// The worker's part of the settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where cards go; none means they are previewed.
    pub receivers: Vec<ReceiverConfig>,
    /// Which alerts go where.
    pub routes: Vec<RouteConfig>,
    /// What is expected and not delivered.
    pub heartbeats: Vec<HeartbeatConfig>,
    /// Who is told of own trouble.
    pub trouble: Option<TroubleConfig>,
    /// Where the routes of later come from.
    pub reloads: Reloads,
    /// The app, for receivers that are chats of its.
    pub app: Option<AppConfig>,
    /// What people may do from Feishu.
    pub interactions: InteractionsConfig,
    /// Where alerts are silenced for them.
    pub alertmanagers: Vec<AlertmanagerConfig>,
    /// How hard the worker tries.
    pub delivery: DeliveryConfig,
    /// Where it remembers what it has delivered.
    pub database: DatabaseConfig,
    /// What tells this installation from others that may use the same database; `None` if none can.
    pub installation: Option<InstallationOrigin>,
    /// Where the database is, if it is a file and nothing else is configured.
    pub data_dir: PathBuf,
    /// CAs to believe besides the system's, of what is asked over HTTPS.
    pub https_ca_file: Option<PathBuf>,
    /// When an alert is delivered again.
    pub dedup: DedupConfig,
    /// What is kept of what became of alerts.
    pub history: HistoryConfig,
    /// Messages the queue hands out at once.
    pub window: usize,
    /// Where pictures of alerts may be fetched from.
    pub images: ImagesConfig,
    /// How cards look.
    pub style: Style,
    /// How those of the preview are written; those of receivers are in their settings.
    pub cards: CardsConfig,
    /// Words of one's own for them.
    pub templates: Vec<TemplateConfig>,
    /// Which of them the preview goes by; those of receivers are in their settings.
    pub template: Option<String>,
    /// Who is told by name.
    pub owners: OwnersConfig,
    /// People who take turns.
    pub rotations: Vec<Rotation>,
    /// Who is called when nobody takes an alert on.
    pub escalations: Vec<EscalationConfig>,
    /// The operators' console; `None`: there is none.
    pub console: Option<ConsoleSettings>,
}

impl Settings {
    /// The part of the configuration that concerns the worker.
    pub fn from_config(config: &Config, reloads: Reloads) -> Self {
        let style = Style {
            timezone: config.timezone.clone(),
            locale: config.locale,
            links: config.links.clone(),
            severities: config.severities.clone(),
        };
        Self {
            receivers: config.receivers.clone(),
            routes: config.routes.clone(),
            heartbeats: config.heartbeats.clone(),
            trouble: config.trouble.clone(),
            reloads,
            app: config.app.clone(),
            interactions: config.interactions.clone(),
            alertmanagers: config.alertmanagers.clone(),
            delivery: config.delivery,
            database: config.database.clone(),
            installation: InstallationOrigin::of(config),
            data_dir: config.data_dir.clone(),
            https_ca_file: config.https_ca_file.clone(),
            dedup: config.dedup,
            history: config.history,
            window: config.queue.as_ref().map_or(EMBEDDED_WINDOW, |queue| queue.prefetch.into()),
            images: config.images.clone(),
            style,
            cards: config.cards,
            templates: config.templates.clone(),
            template: config.template.clone(),
            owners: config.owners.clone(),
            rotations: config.rotations.clone(),
            escalations: config.escalations.clone(),
            console: Some(ConsoleSettings::of(config)),
        }
    }
}

/// The worker's ends of the queue.
pub struct Queue {
    /// Takes the alerts.
    pub alerts: Box<dyn Consumer>,
    /// Takes the dead letters, to move them into the database.
    pub dead: Box<dyn Consumer>,
    /// Takes what people do in Feishu.
    pub interactions: Box<dyn Consumer>,
    /// Publishes what is tried again later, and what is dead.
    pub publisher: Arc<dyn Publisher>,
}

/// Why the worker cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A receiver cannot be used as it is configured.
    #[error(transparent)]
    Receiver(#[from] ReceiverError),
    /// A route leads to a receiver that is not there.
    #[error(transparent)]
    Route(#[from] UnknownReceiver),
    /// A template cannot be used. Binaries have refused the configuration before.
    #[error(transparent)]
    Templates(#[from] ConfigErrors),
    /// The database cannot be used as it is configured.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// People cannot be looked up as it is configured.
    #[error(transparent)]
    Owners(#[from] OwnersError),
    /// Pictures cannot be fetched.
    #[error(transparent)]
    Pictures(#[from] PicturesError),
    /// Nothing can be sent over HTTP.
    #[error(transparent)]
    HttpClient(#[from] HttpClientError),
    /// Two parts of the process want the same metric.
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// What the worker talks to besides the queue.
#[derive(Clone, Debug)]
pub struct Outside {
    /// The database.
    pub store: Store,
    /// The way to custom bots.
    pub webhooks: Webhooks,
    /// For everything else that is reached over HTTP.
    pub client: Client,
}

impl Outside {
    /// What the settings name: a database and, over one HTTP client, everything else.
    fn of(settings: &Settings, registry: &Registry) -> Result<Self, StartError> {
        let store = Store::open(&settings.database, &settings.data_dir, registry)?;
        let client = http_client(settings.delivery.request_timeout, settings.https_ca_file.as_deref())?;
        Ok(Self { store, webhooks: Webhooks::Http(client.clone()), client })
    }
}

/// The process the worker is a part of.
#[derive(Debug)]
pub struct Process<'p> {
    /// Shows its metrics.
    pub registry: &'p Registry,
    /// Tells it the time.
    pub clock: Clock,
    /// Owns its tasks, and tells it to stop.
    pub lifecycle: &'p Lifecycle,
}

/// Starts the worker on `lifecycle`; it runs until the stop and then finishes what it has in hand. Returns the pages
/// it adds to the admin port.
pub fn start(
    settings: Settings,
    queue: Queue,
    registry: &Registry,
    clock: Clock,
    lifecycle: &Lifecycle,
) -> Result<Pages, StartError> {
    let outside = Outside::of(&settings, registry)?;
    start_with(settings, queue, outside, Process { registry, clock, lifecycle })
}

/// The same with a database and a Feishu of the caller's: a simulation brings its own.
pub fn start_with(
    settings: Settings,
    Queue { alerts, dead, interactions, publisher }: Queue,
    outside: Outside,
    Process { registry, clock, lifecycle }: Process<'_>,
) -> Result<Pages, StartError> {
    let process = Process { registry, clock: clock.clone(), lifecycle };
    let (parts, mut pages) = Parts::of(&settings, &outside, &process)?;
    let gate = parts::database_gate(&settings, &outside.store, lifecycle);
    let shown = parts.console(&settings, &outside, &publisher);
    let statuses = shown.statuses.clone();
    // Before the preview, which is at the root as well where there is no console.
    pages.splice(..0, console_backend::pages(settings.console.as_ref(), shown, registry, lifecycle)?);
    let people = parts.interactions(&outside, &clock);
    let calls = parts.calls(&settings, &outside, &clock);
    let of_people = interactions::Interactions::new(&settings, people, registry, lifecycle)?;
    let refresher = parts.refresher(&settings, &clock);
    let (unheard, over) = parts.unheard(&settings, &outside.client);
    let Outside { store, .. } = outside;
    let Parts { metrics, receivers, letters, oncall, cards, .. } = parts;
    call_when_due(&settings, parts.escalations.clone(), calls, &gate, lifecycle);
    let watched = Watched { settings: &settings, receivers: &receivers, store: &store, letters: &letters };
    let fallbacks = watched.fallbacks(&clock);
    let heartbeats = watched.start(&publisher, &statuses, alerts.connected(), &gate, &process)?;
    let (recorder, replayed) = recorder(&metrics);
    let chats = parts::chats(&settings);
    let intake = Intake::new(parts.routes.clone(), chats, recorder, parts.history.clone(), heartbeats);
    let context = Arc::new(DeliveryContext {
        publisher,
        ledger: parts.ledger,
        firing: parts.firing,
        escalations: parts.escalations,
        routes: parts.routes,
        summarised: SummarisedAlerts::new(store.clone(), clock.clone(), registry)?,
        history: parts.history,
        sent_cards: parts.sent_cards,
        fallbacks,
        storms: Storms::new(store.clone(), clock.clone()),
        sender: parts.sender,
        owners: parts.owners,
        pictures: parts.pictures,
        style: settings.style,
        templates: parts.templates,
        metrics,
        statuses,
        oldest: OldestWaiting::register(registry, clock.clone())?,
        clock,
        lifecycle: lifecycle.clone(),
        delivery: settings.delivery,
    });
    let stored = Tended { store, cards, letters: letters.clone(), oncall, replayed, over };
    tend(&context, &gate, stored, refresher.as_ref().map(|all| (all, unheard)), lifecycle);
    let mover = Mover::new(letters, context.metrics.clone(), lifecycle.clone());
    lifecycle.spawn_essential("dead letters", gate.clone().before(mover.run(dead)));
    lifecycle.spawn_essential("interactions", gate.clone().before(of_people.run(interactions)));
    let pipeline = Pipeline::new(context, receivers, intake, refresher.as_ref(), settings.window);
    lifecycle.spawn_essential("worker", gate.before(pipeline.run(alerts)));
    Ok(pages)
}

/// Who writes down how messages ended, and what it says of letters that were sent again.
fn recorder(metrics: &Metrics) -> (Arc<SettlementRecorder>, ReplayOutcomes) {
    let (replays, replayed) = unbounded_channel();
    (Arc::new(SettlementRecorder::new(metrics.clone(), replays)), replayed)
}

/// Calls about what is due, as long as anything escalates.
fn call_when_due(
    settings: &Settings,
    escalations: Escalations,
    calls: CallDeps,
    gate: &Gate,
    lifecycle: &Lifecycle,
) {
    let timezone = settings.style.timezone.clone();
    let engine = EscalationEngine::new(escalations, calls, timezone, settings.delivery.request_timeout);
    lifecycle.tasks.spawn(gate.clone().before(engine.run(lifecycle.stop.clone())));
}
