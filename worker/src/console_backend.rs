//! What the console's pages show and do, out of the database and of what this process counts. The console defines what it
//! asks for; the queries are those of the operator commands.

mod actions;
mod alerts;
mod calendar;
mod feishu_login;
mod firing;
mod letters;
mod overview;
mod readings;
mod receiver_tests;
mod receivers;
mod samples;
mod sessions;
mod silences;
mod way_in;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::{Config, ConsoleConfig, LinksConfig, Locale, ReceiverConfig};
use console::backend::{Answered, AuditQuery, BackendError, ConsoleActs, ConsoleReads, ExplainsPayload};
use console::data::{
    ActionDetail, ActionRow, AlertLife, AlertPage, CardDetail, DeadLetterDetail, DeadLetterOrder,
    DeadLetterPage, FiringAlerts, Overview, ReceiverSummary, ReceiverTests, SilenceEnd, SilenceOrder,
    SilencePlan, SilenceQuestion, Silences, TestOrder,
};
use console::{Console, ConsoleParts};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::matcher::Query;
use prometheus::Registry;
use queue::Publisher;
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use runtime::telemetry::admin::Page;
use tokio::time::{Instant, interval};
use tracing::info;

use crate::Settings;
use crate::alertmanager::Alertmanagers;
use crate::audit::Audit;
use crate::card_store::Cards;
use crate::dead_letters::DeadLetters;
use crate::feishu::AppBot;
use crate::history::History;
use crate::metrics::Metrics;
use crate::oncall::OnCall;
use crate::receiver::Receiver;
use crate::receiver_status::ReceiverStatuses;
use crate::store::{Store, StoreError};
use actions::RunningActions;
use calendar::CalendarPage;
use readings::MetricReadings;
use receivers::ReceiverFacts;
use samples::{SAMPLED_EVERY, Samples};

pub use sessions::Sessions;

/// How long the first page is shown as it was made: it is looked at by many, every few seconds.
const OVERVIEW_KEPT: Duration = Duration::from_secs(2);

/// The console's part of the settings.
#[derive(Clone, Debug)]
pub struct ConsoleSettings {
    /// Where the admin port listens, which decides who gets in.
    pub admin_listen: SocketAddr,
    /// Whether it speaks TLS itself.
    pub is_tls: bool,
    /// Everything else about it.
    pub config: ConsoleConfig,
    /// What explains payloads, in a process that takes alerts in as well.
    pub explains: Option<Arc<dyn ExplainsPayload>>,
}

impl ConsoleSettings {
    /// As they are configured.
    pub fn of(config: &Config) -> Self {
        Self {
            admin_listen: config.admin_listen,
            is_tls: config.admin_tls.is_some(),
            config: config.console.clone(),
            explains: None,
        }
    }
}

/// What the console works with.
pub(crate) struct ConsoleDeps {
    store: Store,
    letters: DeadLetters,
    /// What stands in the app's chats.
    cards: Cards,
    metrics: Metrics,
    /// How each bot has answered last.
    pub(crate) statuses: ReceiverStatuses,
    publisher: Arc<dyn Publisher>,
    receivers: Vec<ReceiverFacts>,
    /// As they are configured.
    receiver_configs: Vec<ReceiverConfig>,
    /// Who did what.
    trail: Audit,
    /// The language of cards.
    locale: Locale,
    /// Where logs are.
    links: LinksConfig,
    /// Where alerts are silenced.
    alertmanagers: Option<Alertmanagers>,
    /// What became of alerts, and who did what about them.
    history: History,
    is_previewing: bool,
    timezone: TimeZone,
    clock: Clock,
    /// The app's bot, which knows who logs in with Feishu.
    bot: Option<Arc<AppBot>>,
    /// Who is on call.
    oncall: Option<OnCall>,
}

/// What the console looks into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConsoleSources<'s> {
    pub(crate) store: &'s Store,
    pub(crate) letters: &'s DeadLetters,
    pub(crate) cards: &'s Cards,
    pub(crate) history: &'s History,
}

impl ConsoleDeps {
    /// For a worker of these settings.
    pub(crate) fn of(
        settings: &Settings,
        receivers: &[Receiver],
        sources: ConsoleSources<'_>,
        metrics: &Metrics,
        publisher: &Arc<dyn Publisher>,
    ) -> Self {
        let ConsoleSources { store, letters, cards, history } = sources;
        Self {
            store: store.clone(),
            letters: letters.clone(),
            cards: cards.clone(),
            metrics: metrics.clone(),
            statuses: ReceiverStatuses::default(),
            publisher: Arc::clone(publisher),
            receivers: ReceiverFacts::all_of(receivers, &settings.receivers),
            receiver_configs: settings.receivers.clone(),
            trail: Audit::new(store.clone(), cards.clock()),
            locale: settings.style.locale,
            links: settings.style.links.clone(),
            alertmanagers: None,
            history: history.clone(),
            is_previewing: settings.receivers.is_empty(),
            timezone: settings.style.timezone.clone(),
            clock: cards.clock(),
            bot: None,
            oncall: None,
        }
    }

    /// With the app's bot, if there is an app.
    pub(crate) fn with_bot(self, bot: Option<Arc<AppBot>>) -> Self {
        Self { bot, ..self }
    }

    /// With the calendars of who is on call.
    pub(crate) fn with_oncall(self, oncall: OnCall) -> Self {
        Self { oncall: Some(oncall), ..self }
    }

    /// With the Alertmanagers in which alerts are silenced.
    pub(crate) fn with_alertmanagers(self, alertmanagers: Alertmanagers) -> Self {
        Self { alertmanagers: Some(alertmanagers), ..self }
    }
}

/// What the console asks.
struct ConsoleBackend {
    deps: ConsoleDeps,
    registry: Registry,
    lifecycle: Lifecycle,
    started_at: Timestamp,
    samples: Mutex<Samples>,
    actions: RunningActions,
    /// Held by whoever makes a silence: the same press twice is one.
    silencing: tokio::sync::Mutex<()>,
    /// The first page as it was made last; whoever comes meanwhile waits for it and does not make another.
    overview: tokio::sync::Mutex<Option<(Instant, Overview)>>,
}

/// The pages of the console, if it is wanted and somebody may look at them.
pub(crate) fn pages(
    settings: Option<&ConsoleSettings>,
    deps: ConsoleDeps,
    registry: &Registry,
    lifecycle: &Lifecycle,
) -> prometheus::Result<Vec<Box<dyn Page>>> {
    let Some(settings) = settings else { return Ok(Vec::new()) };
    let access = way_in::access(settings, &deps, registry)?;
    let mut pages: Vec<Box<dyn Page>> = Vec::new();
    if let Some(oncall) = &deps.oncall {
        let path_prefix = settings.config.path_prefix.clone();
        pages.push(Box::new(CalendarPage { oncall: oncall.clone(), access: access.clone(), path_prefix }));
    }
    let Some(access) = access else { return Ok(pages) };
    let path = format!("{}/", settings.config.path_prefix);
    info!(path, "the admin port has the pages of the console");
    let timezone = deps.timezone.clone();
    let is_previewing = deps.is_previewing;
    let backend = Arc::new(ConsoleBackend {
        started_at: deps.clock.now(),
        deps,
        registry: registry.clone(),
        lifecycle: lifecycle.clone(),
        samples: Mutex::default(),
        actions: RunningActions::default(),
        silencing: tokio::sync::Mutex::default(),
        overview: tokio::sync::Mutex::default(),
    });
    lifecycle.spawn_detached(Arc::clone(&backend).sample());
    pages.push(Box::new(Console::new(ConsoleParts {
        reads: Arc::new(BackendHandle(Arc::clone(&backend))),
        acts: Arc::new(BackendHandle(backend)),
        explains: settings.explains.clone(),
        access,
        path_prefix: settings.config.path_prefix.clone(),
        timezone,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        is_previewing,
    })));
    Ok(pages)
}

impl ConsoleBackend {
    /// Looks at the counters now and then, until the process ends.
    async fn sample(self: Arc<Self>) {
        let mut ticks = interval(SAMPLED_EVERY);
        loop {
            ticks.tick().await;
            self.look();
        }
    }

    fn look(&self) {
        let sample = MetricReadings::of(&self.registry).sample(self.deps.clock.now());
        self.samples().push(sample);
    }

    fn samples(&self) -> MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the pages ask.
struct BackendHandle(Arc<ConsoleBackend>);

impl ConsoleReads for BackendHandle {
    fn overview(&self) -> Answered<'_, Overview> {
        Box::pin(async {
            let mut kept = self.0.overview.lock().await;
            if let Some((at, overview)) = kept.as_ref()
                && at.elapsed() < OVERVIEW_KEPT
            {
                return Ok(overview.clone());
            }
            let overview = self.0.make_overview().await;
            *kept = Some((Instant::now(), overview.clone()));
            Ok(overview)
        })
    }

    fn receivers(&self) -> Answered<'_, Vec<ReceiverSummary>> {
        Box::pin(async { Ok(self.overview().await?.receivers) })
    }

    fn firing<'b>(&'b self, query: &'b Query) -> Answered<'b, FiringAlerts> {
        Box::pin(self.0.firing_alerts(query))
    }

    fn alerts<'b>(&'b self, query: &'b Query, before: Option<&'b str>) -> Answered<'b, AlertPage> {
        Box::pin(self.0.alerts_page(query, before))
    }

    fn alert<'b>(&'b self, identity: &'b str) -> Answered<'b, AlertLife> {
        Box::pin(self.0.life(identity))
    }

    fn card<'b>(&'b self, card: &'b str) -> Answered<'b, Option<CardDetail>> {
        Box::pin(self.0.card_detail(card))
    }

    fn audit<'b>(&'b self, filter: AuditQuery<'b>) -> Answered<'b, Vec<ActionRow>> {
        Box::pin(self.0.audit_lines(filter))
    }

    fn dead_letters<'b>(&'b self, query: &'b Query, before: Option<i64>) -> Answered<'b, DeadLetterPage> {
        Box::pin(self.0.letters_page(query, before))
    }

    fn dead_letter(&self, id: i64) -> Answered<'_, Option<DeadLetterDetail>> {
        Box::pin(self.0.letter_detail(id))
    }

    fn receiver_tests<'b>(
        &'b self,
        receiver: &'b str,
        envelopes: &'b [String],
    ) -> Answered<'b, Option<ReceiverTests>> {
        Box::pin(self.0.tests_by_envelope(receiver, envelopes))
    }

    fn silences(&self) -> Answered<'_, Silences> {
        Box::pin(async { Ok(self.0.all_silences().await) })
    }

    fn silence_plan(&self, question: SilenceQuestion) -> Answered<'_, SilencePlan> {
        Box::pin(self.0.plan_silence(question))
    }

    fn action(&self, id: i64) -> Answered<'_, Option<ActionDetail>> {
        Box::pin(self.0.action_detail(id))
    }
}

impl ConsoleActs for BackendHandle {
    fn act_on_dead_letters(&self, order: DeadLetterOrder) -> Answered<'_, i64> {
        Box::pin(Arc::clone(&self.0).begin(order))
    }

    fn test_receiver(&self, order: TestOrder) -> Answered<'_, Vec<String>> {
        Box::pin(Arc::clone(&self.0).send_tests(order))
    }

    fn silence(&self, order: SilenceOrder) -> Answered<'_, String> {
        Box::pin(self.0.make_silence(order))
    }

    fn end_silence(&self, end: SilenceEnd) -> Answered<'_, ()> {
        Box::pin(self.0.end_silence(end))
    }
}

impl From<StoreError> for BackendError {
    /// The database says so itself; what it says has been logged and counted.
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
