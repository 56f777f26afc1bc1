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
    OwnersConfig, ReceiverConfig, Reloads, RouteConfig, TemplateConfig, TroubleConfig,
};
use prometheus::Registry;
use queue::{Consumer, Publisher};
use reqwest::Client;
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use runtime::metrics::delivery::PREVIEWING;
use runtime::telemetry::admin::Page;
use thiserror::Error;
use tokio::sync::mpsc::unbounded_channel;
use tracing::warn;

use crate::delivery::context::DeliveryContext;
use crate::delivery::intake::Intake;
use crate::delivery::oldest::OldestWaiting;
use crate::delivery::pipeline::Pipeline;
use crate::delivery::routes::LiveRoutes;
use crate::delivery::settlement::SettlementRecorder;
use alertmanager::{Absent, Alertmanagers};
use budget::Budget;
pub use console_backend::{ConsoleSettings, Sessions as ConsoleSessions};

use audit::Audit;
use background::{ReplayOutcomes, Tended, Watched, tend};
use card_store::{CardMetrics, Cards, RefreshDeps, Refresher, Unheard};
use console_backend::{ConsoleDeps, ConsoleSources};
use dead_letters::{DeadLetterMetrics, DeadLetters, Mover};
use directory::{OwnerResolver, OwnersError, Sources};
use escalation::plan::EscalationPlans;
use escalation::{CallDeps, EscalationEngine, Escalations, UrgentQuota};
use feishu::metrics::FeishuMetrics;
use feishu::sender::Sender;
use feishu::{AppBot, HttpClientError, Webhooks, http_client};
use firing::{Firing, FiringMetrics, Over};
use history::History;
use installation::{Gate, InstallationOrigin};
use ledger::Ledger;
use metrics::Metrics;
use oncall::OnCall;
use pictures::{Pictures, PicturesError};
use preview::{Preview, PreviewPage};
use receiver::{BotAccess, Receiver, ReceiverError};
use render::Style;
use routing::{Chats, Router, UnknownReceiver};
use sent_cards::SentCards;
use store::{OpenError, Store};
use storms::Storms;
use summarised::SummarisedAlerts;
use templates::{ByReceiver, LiveTemplates};

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
#[expect(
    clippy::too_many_lines,
    reason = "the one place where all parts are put together, each in a line or two"
)]
pub fn start_with(
    settings: Settings,
    Queue { alerts, dead, interactions, publisher }: Queue,
    Outside { store, webhooks, client }: Outside,
    Process { registry, clock, lifecycle }: Process<'_>,
) -> Result<Pages, StartError> {
    let metrics = Metrics::register(registry)?;
    let (receivers, mut pages) = receivers(&settings, &client, &webhooks, registry)?;
    let routes = routes(&settings, &receivers, lifecycle)?;
    let templates = templates(&settings, registry, lifecycle)?;
    let gate = database_gate(&settings, &store, lifecycle);
    let ledger = Arc::new(Ledger::new(store.clone(), settings.dedup, clock.clone(), registry)?);
    let letters = DeadLetters::new(store.clone(), clock.clone(), DeadLetterMetrics::register(registry)?);
    let (recorder, replayed) = recorder(&metrics);
    let process = Process { registry, clock: clock.clone(), lifecycle };
    let sender = sender(settings.delivery, &store, &process)?;
    let bot = Receiver::bot_of(&receivers, settings.app.as_ref(), &client)?;
    let pictures = pictures(&settings, &receivers, &sender, &process)?;
    let oncall = oncall(&settings, &store, &process);
    let owners = owners(&settings, &store, bot.clone(), &oncall, &process)?;
    let escalations = escalations(&settings, &store, &process)?;
    let cards = cards(&settings, &store, &process)?;
    let history = History::new(store.clone(), clock.clone(), settings.history, registry)?;
    let sources = ConsoleSources { store: &store, letters: &letters, cards: &cards, history: &history };
    let shown = ConsoleDeps::of(&settings, &receivers, sources, &metrics, &publisher);
    let shown =
        shown.with_bot(bot).with_oncall(oncall.clone()).with_alertmanagers(alertmanagers(&settings, &client));
    let statuses = shown.statuses.clone();
    // Before the preview, which is at the root as well where there is no console.
    pages.splice(..0, console_backend::pages(settings.console.as_ref(), shown, registry, lifecycle)?);
    let firing = firing(&settings, &receivers, store.clone(), clock.clone(), registry)?;
    let (unheard, over) = unheard(&settings, &client, cards.clone(), Arc::clone(&ledger), firing.clone());
    let rooms = interactions::InteractionDeps {
        client,
        cards: cards.clone(),
        oncall: oncall.clone(),
        ledger: Arc::clone(&ledger),
        letters: letters.clone(),
        store: store.clone(),
        history: history.clone(),
        metrics: metrics.clone(),
        clock: clock.clone(),
        owners: Arc::clone(&owners),
        bot: Receiver::bot_in(&receivers),
        sender: Arc::clone(&sender),
        chats: receivers.iter().filter_map(Receiver::chat).collect(),
    };
    let calls = call_deps(&settings, &receivers, &rooms, &templates);
    let of_people = interactions::Interactions::new(&settings, rooms, registry, lifecycle)?;
    let sent_cards = SentCards::new(store.clone(), clock.clone(), settings.history, registry)?;
    let tools = refresh_deps(&settings, &sender, &owners, &templates, &sent_cards, &clock);
    let refresher = refresher(&settings, &cards, &receivers, tools);
    call_when_due(&settings, escalations.clone(), calls, &gate, lifecycle);
    let watched = Watched { settings: &settings, receivers: &receivers, store: &store, letters: &letters };
    let fallbacks = watched.fallbacks(&clock);
    let heartbeats = watched.start(&publisher, &statuses, alerts.connected(), &gate, &process)?;
    let intake = Intake::new(routes.clone(), chats(&settings), recorder, history.clone(), heartbeats);
    let context = Arc::new(DeliveryContext {
        publisher,
        ledger: Arc::clone(&ledger),
        firing: firing.clone(),
        escalations: escalations.clone(),
        routes,
        summarised: SummarisedAlerts::new(store.clone(), clock.clone(), registry)?,
        history,
        sent_cards,
        fallbacks,
        storms: Storms::new(store.clone(), clock.clone()),
        sender,
        owners,
        pictures,
        style: settings.style,
        templates,
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

/// What cards are updated with.
fn refresh_deps(
    settings: &Settings,
    sender: &Arc<Sender>,
    owners: &Arc<OwnerResolver>,
    templates: &LiveTemplates,
    sent_cards: &SentCards,
    clock: &Clock,
) -> RefreshDeps {
    RefreshDeps {
        sender: Arc::clone(sender),
        owners: Arc::clone(owners),
        style: settings.style.clone(),
        templates: templates.clone(),
        sent_cards: sent_cards.clone(),
        clock: clock.clone(),
        request_timeout: settings.delivery.request_timeout,
    }
}

/// Whoever updates the cards of an app's bot, if there is one.
fn refresher(
    settings: &Settings,
    cards: &Cards,
    receivers: &[Receiver],
    tools: RefreshDeps,
) -> Option<Arc<Refresher>> {
    let resolved = settings.app.as_ref()?.resolved;
    Refresher::new(cards.clone(), receivers, resolved, tools).map(Arc::new)
}

/// Which alerts go where, which changes with the configuration.
fn routes(
    settings: &Settings,
    receivers: &[Receiver],
    lifecycle: &Lifecycle,
) -> Result<LiveRoutes, UnknownReceiver> {
    let names = receivers.iter().map(|receiver| receiver.name.clone()).collect();
    let router = Router::new(&settings.routes, names)?;
    Ok(LiveRoutes::follow(router, settings.reloads.clone(), lifecycle))
}

/// The words of cards, which change with the configuration.
fn templates(
    settings: &Settings,
    registry: &Registry,
    lifecycle: &Lifecycle,
) -> Result<LiveTemplates, StartError> {
    let first = ByReceiver::new(&settings.templates, &settings.receivers, settings.template.as_deref())?;
    Ok(LiveTemplates::follow(first, settings.reloads.clone(), registry, lifecycle)?)
}

/// Who finds out whose alerts they are.
fn owners(
    settings: &Settings,
    store: &Store,
    bot: Option<Arc<AppBot>>,
    oncall: &OnCall,
    Process { registry, clock, lifecycle }: &Process<'_>,
) -> Result<Arc<OwnerResolver>, OwnersError> {
    let sources = Sources { database: &settings.database, store, bot, oncall: oncall.clone() };
    let zone = settings.style.timezone.clone();
    let severities = settings.style.severities.clone();
    OwnerResolver::new(&settings.owners, severities, zone, sources, registry, clock.clone(), lifecycle)
        .map(Arc::new)
}

/// Who is on call.
fn oncall(settings: &Settings, store: &Store, Process { clock, .. }: &Process<'_>) -> OnCall {
    let timezone = settings.style.timezone.clone();
    OnCall::new(store.clone(), clock.clone(), settings.owners.rotations.clone(), timezone)
}

/// What escalates.
fn escalations(
    settings: &Settings,
    store: &Store,
    Process { registry, clock, .. }: &Process<'_>,
) -> prometheus::Result<Escalations> {
    let severities = settings.style.severities.clone();
    let plans = EscalationPlans::new(&settings.escalations, &settings.receivers, &severities);
    Escalations::new(plans, severities, store.clone(), clock.clone(), registry)
}

/// What people are called with: much of what answers them.
fn call_deps(
    settings: &Settings,
    receivers: &[Receiver],
    rooms: &interactions::InteractionDeps,
    templates: &LiveTemplates,
) -> CallDeps {
    let limits = settings.app.as_ref().map(|app| app.urgent).unwrap_or_default();
    let store = rooms.store.clone();
    CallDeps {
        receivers: receivers.iter().map(|receiver| (receiver.name.clone(), receiver.clone())).collect(),
        sender: Arc::clone(&rooms.sender),
        owners: Arc::clone(&rooms.owners),
        oncall: rooms.oncall.clone(),
        cards: rooms.cards.clone(),
        history: rooms.history.clone(),
        trail: Audit::new(store.clone(), rooms.clock.clone()),
        style: settings.style.clone(),
        templates: templates.clone(),
        client: rooms.client.clone(),
        quota: UrgentQuota::new(store, limits, settings.style.timezone.clone()),
        clock: rooms.clock.clone(),
    }
}

/// Calls about what is due, if anything escalates.
fn call_when_due(
    settings: &Settings,
    escalations: Escalations,
    calls: CallDeps,
    gate: &Gate,
    lifecycle: &Lifecycle,
) {
    if settings.escalations.is_empty() {
        return;
    }
    let timezone = settings.style.timezone.clone();
    let engine = EscalationEngine::new(escalations, calls, timezone, settings.delivery.request_timeout);
    lifecycle.tasks.spawn(gate.clone().before(engine.run(lifecycle.stop.clone())));
}

/// The cards that are kept, with what people can press on them.
fn cards(
    settings: &Settings,
    store: &Store,
    Process { registry, clock, .. }: &Process<'_>,
) -> prometheus::Result<Cards> {
    let cards = Cards::new(store.clone(), clock.clone(), CardMetrics::register(registry)?);
    Ok(cards.with_buttons(interactions::buttons(settings)))
}

/// Who fetches pictures for the cards of the app's bot.
fn pictures(
    settings: &Settings,
    receivers: &[Receiver],
    sender: &Arc<Sender>,
    Process { registry, clock, lifecycle }: &Process<'_>,
) -> Result<Pictures, PicturesError> {
    let bot = Receiver::bot_in(receivers);
    let images = settings.images.clone();
    let stop = lifecycle.stop.clone();
    let ca_file = settings.https_ca_file.as_deref();
    Pictures::new(images, ca_file, bot, Arc::clone(sender), registry, clock.clone(), stop)
}

/// Who sends to Feishu, within budgets that the whole fleet keeps.
fn sender(
    delivery: DeliveryConfig,
    store: &Store,
    Process { registry, clock, lifecycle }: &Process<'_>,
) -> prometheus::Result<Arc<Sender>> {
    let budget = Arc::new(Budget::new(store.clone(), clock.clone(), registry)?);
    lifecycle.tasks.spawn(Arc::clone(&budget).keep_known(lifecycle.stop.clone()));
    Ok(Arc::new(Sender::new(budget, delivery.concurrency, FeishuMetrics::register(registry)?)))
}

/// The chats that alerts may name.
fn chats(settings: &Settings) -> Chats {
    let allowed = settings.app.as_ref().map_or(&[][..], |app| &app.chats_allowed);
    Chats::new(allowed, &settings.receivers)
}

/// What the queues wait behind: the database has to be ours. It has to be of use as well, but nothing waits for that.
fn database_gate(settings: &Settings, store: &Store, lifecycle: &Lifecycle) -> Gate {
    lifecycle
        .readiness
        .watch("a database that can be used (the log says why; so does check --online)", store.usable());
    Gate::watched(settings.installation.clone(), store, lifecycle)
}

/// What was delivered through custom bots.
fn firing(
    settings: &Settings,
    receivers: &[Receiver],
    store: Store,
    clock: Clock,
    registry: &Registry,
) -> prometheus::Result<Firing> {
    let by_bots = receivers
        .iter()
        .filter(|receiver| matches!(receiver.way, BotAccess::CustomBot(_) | BotAccess::Group(_)));
    let names = by_bots.map(|receiver| receiver.name.clone()).collect();
    let metrics = FiringMetrics::register(registry)?;
    Ok(Firing::new(store, clock, metrics, names, settings.dedup.remember))
}

/// The Alertmanagers that are configured.
fn alertmanagers(settings: &Settings, client: &Client) -> Alertmanagers {
    let ignored = settings.style.links.ignore_labels.clone();
    Alertmanagers::new(client.clone(), settings.alertmanagers.clone(), ignored)
}

/// Who looks for what is not heard of any more: in chats of the app's, and at custom bots.
fn unheard(
    settings: &Settings,
    client: &Client,
    cards: Cards,
    ledger: Arc<Ledger>,
    firing: Firing,
) -> (Unheard, Over) {
    let absent = || Absent::new(alertmanagers(settings, client), settings.dedup.remember);
    (Unheard::new(cards, ledger, absent()), Over::new(firing, absent()))
}

/// The receivers that are configured, or else the preview and its page.
fn receivers(
    settings: &Settings,
    client: &Client,
    webhooks: &Webhooks,
    registry: &Registry,
) -> Result<(Vec<Receiver>, Pages), StartError> {
    let previewing = PREVIEWING.gauge()?;
    previewing.set(settings.receivers.is_empty().into());
    registry.register(Box::new(previewing))?;
    if settings.receivers.is_empty() {
        warn!("no receiver is configured: cards are previewed here and on the admin port, not sent");
        let preview = Preview::default();
        return Ok((
            vec![Receiver::preview(preview.clone(), settings.cards.format)],
            vec![Box::new(PreviewPage(preview))],
        ));
    }
    let receivers = Receiver::all_of(&settings.receivers, settings.app.as_ref(), client, webhooks)?;
    Ok((receivers, Pages::new()))
}
