//! One worker as a process: started, killed where it stands, told to stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::{
    BrokenReceiver, ClientTls, DatabaseConfig, DedupConfig, DeliveryConfig, HistoryConfig,
    InteractionsConfig, LinksConfig, Locale, OwnersConfig, ReceiverConfig, ReceiverDestination,
    ReceiverOwners, Reloads, Secret, SeverityWords,
};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use prometheus::Registry;
use prometheus::proto::MetricFamily;
use queue::{Consumer, Subscription};
use reqwest::Client;
use runtime::clock::Clock;
use runtime::lifecycle::{Lifecycle, Tasks};
use worker::feishu::Webhooks;
use worker::render::Style;
use worker::store::{SimulatedDatabase, Store};
use worker::{Outside, Process, Queue, Settings};

use crate::broker::Broker;
use crate::database::Link;
use crate::feishu::{Feishu, webhook};
use crate::plan::Plan;
use crate::ports::{Links, SimConsumer, SimPublisher};
use crate::world::World;

/// What a stop may take before it is cut off, as `shutdown_grace` is by default.
const GRACE: Duration = Duration::from_secs(20);
/// How long a worker waits for the database, as `database.timeout` is by default.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// What all workers of a fleet share.
#[derive(Clone)]
pub(crate) struct Fleet {
    pub(crate) world: World,
    pub(crate) broker: Broker,
    pub(crate) database: SimulatedDatabase,
    pub(crate) feishu: Feishu,
    pub(crate) client: Client,
    pub(crate) plan: Arc<Plan>,
}

pub(crate) struct Worker {
    fleet: Fleet,
    pub(crate) links: Links,
    offset_ms: Arc<AtomicI64>,
    /// `None` while it is down.
    running: Option<RunningWorker>,
    /// Alerts that have ended in processes that were stopped; what those that died had counted is gone.
    pub(crate) ended: u64,
}

struct RunningWorker {
    lifecycle: Lifecycle,
    registry: Registry,
}

impl Worker {
    pub(crate) fn start(fleet: &Fleet, number: usize) -> Self {
        let name = format!("worker {number}");
        let links = Links::new(&fleet.world, &fleet.broker, name, fleet.plan.is_embedded);
        let mut worker =
            Self { fleet: fleet.clone(), links, offset_ms: Arc::default(), running: None, ended: 0 };
        worker.start_again();
        worker
    }

    /// A new process in place of one that is down.
    pub(crate) fn start_again(&mut self) {
        if self.running.is_some() {
            return;
        }
        self.fleet.world.say(|| format!("{} starts", self.links.name));
        let lifecycle = Lifecycle { tasks: Tasks::killable(), ..Lifecycle::default() };
        let registry = Registry::new();
        let world = self.fleet.world.clone();
        let offset_ms = Arc::clone(&self.offset_ms);
        let clock = Clock::from_fn(move || {
            world.now() + SignedDuration::from_millis(offset_ms.load(Ordering::Relaxed))
        });
        let prefetch = self.fleet.plan.prefetch;
        let consumer = |which| {
            Box::new(SimConsumer::start(&self.links, &lifecycle, which, prefetch)) as Box<dyn Consumer>
        };
        let queue = Queue {
            alerts: consumer(Subscription::Alerts),
            dead: consumer(Subscription::Dead),
            interactions: consumer(Subscription::Interactions),
            publisher: Arc::new(SimPublisher(self.links.clone())),
        };
        let link = Arc::new(Link(self.fleet.world.clone()));
        let store = Store::simulated(self.fleet.database.over(link), DATABASE_TIMEOUT, &registry);
        let outside = store.map(|store| Outside {
            store,
            webhooks: Webhooks::Simulated(Arc::new(self.fleet.feishu.clone())),
            client: self.fleet.client.clone(),
        });
        let process = Process { registry: &registry, clock, lifecycle: &lifecycle };
        let started = outside
            .map_err(worker::StartError::from)
            .and_then(|outside| worker::start_with(settings(&self.fleet.plan), queue, outside, process));
        if let Err(error) = started {
            fail(&error);
        }
        self.running = Some(RunningWorker { lifecycle, registry });
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let Some(running) = self.running.take() else { return };
        self.fleet.world.say(|| format!("{} dies", self.links.name));
        running.lifecycle.tasks.kill();
        self.links.drop_all();
    }

    /// SIGTERM: what is in hand is finished, within the grace. Says whether it was.
    pub(crate) async fn stop(&mut self) -> bool {
        let Some(running) = self.running.take() else { return true };
        self.fleet.world.say(|| format!("{} is told to stop", self.links.name));
        running.lifecycle.stop.cancel();
        running.lifecycle.tasks.close();
        let is_clean = tokio::time::timeout(GRACE, running.lifecycle.tasks.wait()).await.is_ok();
        self.fleet.world.say(|| format!("{} has stopped (clean: {is_clean})", self.links.name));
        self.ended += running.ended();
        running.lifecycle.tasks.kill();
        self.links.drop_all();
        is_clean
    }

    /// Its clock is set right.
    pub(crate) fn set_clock(&self) {
        self.offset_ms.store(0, Ordering::Relaxed);
    }

    pub(crate) fn jump(&self, by_ms: i64) {
        self.fleet.world.say(|| format!("the clock of {} jumps by {by_ms} ms", self.links.name));
        self.offset_ms.fetch_add(by_ms, Ordering::Relaxed);
    }
}

impl RunningWorker {
    /// Alerts that have ended here, whatever their outcome.
    fn ended(&self) -> u64 {
        let of = |name: &str| -> f64 {
            let families = self.registry.gather();
            let family = families.iter().find(|family| family.name() == name);
            let values = family.into_iter().flat_map(MetricFamily::get_metric);
            values.map(|metric| metric.get_counter().get_value()).sum()
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a counter of whole alerts"
        )]
        let alerts = of("larkfire_alerts_total") as u64;
        alerts
    }
}

fn settings(plan: &Plan) -> Settings {
    let receiver = |bot: usize| ReceiverConfig {
        name: format!("bot{bot}"),
        destination: ReceiverDestination::CustomBot { webhook_url: Secret::new(webhook(bot)), secret: None },
        cards_per_minute: 100,
        cards_per_second: 5,
        fallback: None,
        owners: ReceiverOwners::default(),
        template: None,
        card_format: config::CardFormat::V1,
        escalation: None,
    };
    Settings {
        receivers: (0..plan.bots).map(receiver).collect(),
        routes: Vec::new(),
        reloads: Reloads::none(),
        app: None,
        interactions: InteractionsConfig::default(),
        alertmanagers: Vec::new(),
        heartbeats: Vec::new(),
        trouble: None,
        images: config::ImagesConfig::default(),
        delivery: DeliveryConfig {
            attempts_in_place: 3,
            request_timeout: plan.request_timeout,
            give_up_after: Duration::from_hours(24),
            concurrency: 8,
            hold: plan.hold,
            broken_receiver: BrokenReceiver::Wait,
            continuation_cards: 0,
        },
        database: DatabaseConfig {
            url: None,
            tls: ClientTls::default(),
            connections: 1,
            timeout: DATABASE_TIMEOUT,
        },
        installation: None,
        data_dir: PathBuf::new(),
        https_ca_file: None,
        dedup: DedupConfig::default(),
        history: HistoryConfig::default(),
        window: plan.prefetch,
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

#[expect(clippy::panic, reason = "a simulation that cannot be set up ends")]
fn fail(error: &dyn std::error::Error) -> ! {
    panic!("the simulation cannot be set up: {error}")
}
