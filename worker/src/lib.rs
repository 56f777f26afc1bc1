//! Queue in, Feishu out: the worker's role as a library, for its own binary and for `standalone`.

pub mod alertmanager;
pub mod audit;
pub mod budget;
pub mod card;
pub mod cards;
pub mod command;
pub mod dead_letters;
pub mod feishu;
pub mod interaction;
pub mod ledger;
pub mod link;
pub mod metrics;
mod outbox;
pub mod owner;
mod pipeline;
pub mod preview;
pub mod probe;
pub mod receiver;
pub mod routing;
pub mod store;
pub mod test_alert;
pub mod wordings;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use shared::clock::Clock;
use shared::config::{
    AlertmanagerConfig, AppConfig, Config, ConfigErrors, DatabaseConfig, DedupConfig, DeliveryConfig,
    InteractionsConfig, OwnersConfig, ReceiverConfig, Reloads, RouteConfig, TemplateConfig,
};
use shared::lifecycle::Lifecycle;
use shared::queue::{Consumer, Publisher};
use shared::telemetry::admin::Page;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use budget::Budget;
use card::Style;
use cards::{CardMetrics, Cards, Refresher, Tools};
use dead_letters::{DeadLetterMetrics, DeadLetters, Mover};
use ledger::Ledger;
use metrics::Metrics;
use owner::{Owners, OwnersError, Sources};
use pipeline::{Book, House, Intake, LiveRoutes, Onward, Pipeline};
use preview::{Preview, PreviewPage};
use receiver::{Receiver, ReceiverError};
use routing::{Chats, Router, UnknownReceiver};
use store::{OpenError, Store};
use wordings::{ByReceiver, Wordings};

/// Pages for the admin port.
pub type Pages = Vec<Box<dyn Page>>;

/// Messages the embedded queue hands out at once; the same as RabbitMQ does by default.
const EMBEDDED_WINDOW: usize = 2_000;
/// How often it is looked whether something told without the database is still to be written down.
const CATCH_UP_EVERY: Duration = Duration::from_secs(5);
/// How often old rows are looked for.
const CLEAN_EVERY: Duration = Duration::from_hours(1);

/// The worker's part of the settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where cards go; none means they are previewed.
    pub receivers: Vec<ReceiverConfig>,
    /// Which alerts go where.
    pub routes: Vec<RouteConfig>,
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
    /// Where it remembers what it has told.
    pub database: DatabaseConfig,
    /// Where the database is, if it is a file and nothing else is configured.
    pub data_dir: PathBuf,
    /// When an alert is told again.
    pub dedup: DedupConfig,
    /// Messages the queue hands out at once.
    pub window: usize,
    /// How cards look.
    pub style: Style,
    /// Words of one's own for them.
    pub templates: Vec<TemplateConfig>,
    /// Which of them the preview goes by; those of receivers are in their settings.
    pub template: Option<String>,
    /// Who is told by name.
    pub owners: OwnersConfig,
}

impl Settings {
    /// The part of the configuration that concerns the worker.
    pub fn from_config(config: &Config, reloads: Reloads) -> Self {
        let style =
            Style { timezone: config.timezone.clone(), locale: config.locale, links: config.links.clone() };
        Self {
            receivers: config.receivers.clone(),
            routes: config.routes.clone(),
            reloads,
            app: config.app.clone(),
            interactions: config.interactions.clone(),
            alertmanagers: config.alertmanagers.clone(),
            delivery: config.delivery,
            database: config.database.clone(),
            data_dir: config.data_dir.clone(),
            dedup: config.dedup,
            window: config.queue.as_ref().map_or(EMBEDDED_WINDOW, |queue| queue.prefetch.into()),
            style,
            templates: config.templates.clone(),
            template: config.template.clone(),
            owners: config.owners.clone(),
        }
    }
}

/// The worker's ends of the queue.
pub struct Queue<A, D, I, P> {
    /// Takes the alerts.
    pub alerts: A,
    /// Takes the dead letters, to move them into the database.
    pub dead: D,
    /// Takes what people do in Feishu.
    pub interactions: I,
    /// Publishes what is tried again later, and what is dead.
    pub publisher: P,
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
    /// Two parts of the process want the same metric.
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// Starts the worker on `lifecycle`; it runs until the stop and then finishes what it has in hand. Returns the pages
/// it adds to the admin port.
pub fn start(
    settings: Settings,
    Queue { alerts, dead, interactions, publisher }: Queue<
        impl Consumer,
        impl Consumer,
        impl Consumer,
        impl Publisher,
    >,
    registry: &Registry,
    clock: Clock,
    lifecycle: &Lifecycle,
) -> Result<Pages, StartError> {
    let metrics = Metrics::register(registry)?;
    let (receivers, pages) = receivers(&settings)?;
    let names = receivers.iter().map(|receiver| receiver.name.clone()).collect();
    let routes =
        LiveRoutes::follow(Router::new(&settings.routes, names)?, settings.reloads.clone(), lifecycle);
    let first = ByReceiver::new(&settings.templates, &settings.receivers, settings.template.as_deref())?;
    let wordings = Wordings::follow(first, settings.reloads.clone(), registry, lifecycle)?;
    let store = Store::open(&settings.database, &settings.data_dir, registry)?;
    let ledger = Arc::new(Ledger::new(store.clone(), settings.dedup, clock.clone(), registry)?);
    let letters = DeadLetters::new(store.clone(), clock.clone(), DeadLetterMetrics::register(registry)?);
    let (replays, replayed) = tokio::sync::mpsc::unbounded_channel();
    let book = Arc::new(Book::new(metrics.clone(), replays));
    let budget = Arc::new(Budget::new(store.clone(), clock.clone(), registry)?);
    let bot = Receiver::bot_of(&receivers, settings.app.as_ref(), settings.delivery.request_timeout)?;
    let sources = Sources { database: &settings.database, store: &store, bot };
    let (zone, ours) = (settings.style.timezone.clone(), (clock.clone(), lifecycle));
    let owners = Arc::new(Owners::new(&settings.owners, zone, sources, registry, ours)?);
    let cards = Cards::new(store.clone(), clock.clone(), CardMetrics::register(registry)?)
        .with_buttons(interaction::buttons(&settings));
    let rooms = interaction::Rooms {
        cards: cards.clone(),
        ledger: Arc::clone(&ledger),
        letters: letters.clone(),
        store,
        metrics: metrics.clone(),
        clock: clock.clone(),
        owners: Arc::clone(&owners),
        bot: receivers.iter().find_map(Receiver::bot),
    };
    let of_people = interaction::Interactions::new(&settings, rooms, registry, lifecycle)?;
    let tools = Tools {
        budget: Arc::clone(&budget),
        owners: Arc::clone(&owners),
        style: settings.style.clone(),
        wordings: wordings.clone(),
        clock: clock.clone(),
        metrics: metrics.clone(),
        request_timeout: settings.delivery.request_timeout,
    };
    let app = settings.app.as_ref().map(|app| (app.id.as_str(), app.resolved));
    let allowed = settings.app.as_ref().map_or(&[][..], |app| &app.chats_allowed);
    let chats = Chats::new(allowed, &settings.receivers);
    let refresher = app.and_then(|app| Refresher::new(cards.clone(), &receivers, app, tools)).map(Arc::new);
    let house = House {
        onward: Onward(publisher),
        ledger: Arc::clone(&ledger),
        budget,
        owners,
        style: settings.style,
        wordings,
        metrics,
        clock,
        lifecycle: lifecycle.clone(),
        places: Semaphore::new(settings.delivery.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
        delivery: settings.delivery,
    };
    tend(ledger, cards, refresher.as_ref(), lifecycle);
    lifecycle.tasks.spawn(letters.clone().follow_replays(replayed));
    let mover = Mover::new(letters, house.metrics.clone(), lifecycle.clone());
    lifecycle.spawn_essential("dead letters", mover.run(dead));
    lifecycle.spawn_essential("interactions", of_people.run(interactions));
    let intake = Intake::new(routes, chats, book);
    let pipeline = Pipeline::new(house, receivers, intake, refresher.as_ref(), settings.window);
    lifecycle.spawn_essential("worker", pipeline.run(alerts));
    Ok(pages)
}

/// What is done now and then, whatever comes in.
fn tend(ledger: Arc<Ledger>, cards: Cards, refresher: Option<&Arc<Refresher>>, lifecycle: &Lifecycle) {
    lifecycle.tasks.spawn(catch_up(Arc::clone(&ledger), lifecycle.stop.clone()));
    lifecycle.tasks.spawn(keep_clean(ledger, cards, lifecycle.stop.clone()));
    if let Some(refresher) = refresher {
        lifecycle.tasks.spawn(Arc::clone(refresher).keep_up(lifecycle.stop.clone()));
    }
}

/// Writes down what was told while the database was away, also if nothing more comes.
async fn catch_up(ledger: Arc<Ledger>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(CATCH_UP_EVERY)).await.is_some() {
        ledger.catch_up().await;
    }
}

/// Forgets, every hour, what nobody has sent for long.
async fn keep_clean(ledger: Arc<Ledger>, cards: Cards, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(CLEAN_EVERY)).await.is_some() {
        // A failure is the store's to tell, and in an hour there is another chance.
        let _cleaned = ledger.clean().await;
        let _cleaned = cards.clean().await;
    }
}

/// The receivers that are configured, or else the preview and its page.
fn receivers(settings: &Settings) -> Result<(Vec<Receiver>, Pages), ReceiverError> {
    if settings.receivers.is_empty() {
        warn!("no receiver is configured: cards are previewed here and on the admin port, not sent");
        let preview = Preview::default();
        return Ok((vec![Receiver::preview(preview.clone())], vec![Box::new(PreviewPage(preview))]));
    }
    let timeout = settings.delivery.request_timeout;
    Ok((Receiver::all_of(&settings.receivers, settings.app.as_ref(), timeout)?, Pages::new()))
}
