//! The parts of a worker, each made as the settings have it. `start_with` lets them run.

use std::sync::Arc;

use config::DeliveryConfig;
use prometheus::Registry;
use queue::Publisher;
use reqwest::Client;
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use runtime::metrics::delivery::PREVIEWING;
use tracing::warn;

use crate::alertmanager::{Absent, Alertmanagers};
use crate::audit::Audit;
use crate::budget::Budget;
use crate::card_store::{CardMetrics, Cards, RefreshDeps, Refresher, Unheard};
use crate::console_backend::{ConsoleDeps, ConsoleSources};
use crate::dead_letters::{DeadLetterMetrics, DeadLetters};
use crate::delivery::routes::LiveRoutes;
use crate::directory::{OwnerResolver, OwnersError, Sources};
use crate::escalation::plan::EscalationPlans;
use crate::escalation::{CallDeps, Escalations, LivePlans, UrgentQuota};
use crate::feishu::metrics::FeishuMetrics;
use crate::feishu::sender::Sender;
use crate::feishu::{AppBot, Webhooks};
use crate::firing::{Firing, FiringMetrics, Over};
use crate::history::History;
use crate::installation::Gate;
use crate::interactions::{self, InteractionDeps};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::oncall::OnCall;
use crate::pictures::{Pictures, PicturesError};
use crate::preview::{Preview, PreviewPage};
use crate::receiver::{BotAccess, Receiver};
use crate::routing::{Chats, Router, UnknownReceiver};
use crate::sent_cards::SentCards;
use crate::store::Store;
use crate::templates::{ByReceiver, LiveTemplates};
use crate::{Outside, Pages, Process, Settings, StartError};

/// What deliveries, pages, commands and calls share.
pub(crate) struct Parts {
    pub(crate) metrics: Metrics,
    pub(crate) receivers: Vec<Receiver>,
    pub(crate) routes: LiveRoutes,
    pub(crate) templates: LiveTemplates,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) letters: DeadLetters,
    pub(crate) sender: Arc<Sender>,
    /// The app's bot, if there is an app.
    bot: Option<Arc<AppBot>>,
    pub(crate) pictures: Pictures,
    pub(crate) oncall: OnCall,
    pub(crate) owners: Arc<OwnerResolver>,
    pub(crate) escalations: Escalations,
    pub(crate) cards: Cards,
    pub(crate) history: History,
    pub(crate) sent_cards: SentCards,
    pub(crate) firing: Firing,
}

impl Parts {
    /// All of them; and the page of the preview, if there is one.
    pub(crate) fn of(
        settings: &Settings,
        Outside { store, webhooks, client }: &Outside,
        process: &Process<'_>,
    ) -> Result<(Self, Pages), StartError> {
        let Process { registry, clock, lifecycle } = process;
        let (receivers, pages) = receivers(settings, client, webhooks, registry)?;
        let sender = sender(settings.delivery, store, process)?;
        let bot = Receiver::bot_of(&receivers, settings.app.as_ref(), client)?;
        let oncall = oncall(settings, store, process);
        let parts = Self {
            metrics: Metrics::register(registry)?,
            routes: routes(settings, &receivers, lifecycle)?,
            templates: templates(settings, registry, lifecycle)?,
            ledger: Arc::new(Ledger::new(store.clone(), settings.dedup, clock.clone(), registry)?),
            letters: DeadLetters::new(store.clone(), clock.clone(), DeadLetterMetrics::register(registry)?),
            pictures: pictures(settings, &receivers, &sender, process)?,
            owners: owners(settings, store, bot.clone(), &oncall, process)?,
            escalations: escalations(settings, store, process)?,
            cards: cards(settings, store, process)?,
            history: History::new(store.clone(), clock.clone(), settings.history, registry)?,
            sent_cards: SentCards::new(store.clone(), clock.clone(), settings.history, registry)?,
            firing: firing(settings, &receivers, store.clone(), clock.clone(), registry)?,
            receivers,
            sender,
            bot,
            oncall,
        };
        Ok((parts, pages))
    }

    /// What the console shows and does.
    pub(crate) fn console(
        &self,
        settings: &Settings,
        outside: &Outside,
        publisher: &Arc<dyn Publisher>,
    ) -> ConsoleDeps {
        let sources = ConsoleSources {
            store: &outside.store,
            letters: &self.letters,
            cards: &self.cards,
            history: &self.history,
        };
        ConsoleDeps::of(settings, &self.receivers, sources, &self.metrics, publisher)
            .with_bot(self.bot.clone())
            .with_oncall(self.oncall.clone())
            .with_alertmanagers(alertmanagers(settings, &outside.client))
    }

    /// What people are answered with.
    pub(crate) fn interactions(&self, outside: &Outside, clock: &Clock) -> InteractionDeps {
        InteractionDeps {
            client: outside.client.clone(),
            cards: self.cards.clone(),
            oncall: self.oncall.clone(),
            ledger: Arc::clone(&self.ledger),
            letters: self.letters.clone(),
            store: outside.store.clone(),
            history: self.history.clone(),
            metrics: self.metrics.clone(),
            clock: clock.clone(),
            owners: Arc::clone(&self.owners),
            bot: Receiver::bot_in(&self.receivers),
            sender: Arc::clone(&self.sender),
            chats: self.receivers.iter().filter_map(Receiver::chat).collect(),
        }
    }

    /// What people are called with.
    pub(crate) fn calls(&self, settings: &Settings, outside: &Outside, clock: &Clock) -> CallDeps {
        let limits = settings.app.as_ref().map(|app| app.urgent).unwrap_or_default();
        let store = outside.store.clone();
        let receivers = self.receivers.iter();
        CallDeps {
            receivers: receivers.map(|receiver| (receiver.name.clone(), receiver.clone())).collect(),
            sender: Arc::clone(&self.sender),
            owners: Arc::clone(&self.owners),
            oncall: self.oncall.clone(),
            cards: self.cards.clone(),
            history: self.history.clone(),
            trail: Audit::new(store.clone(), clock.clone()),
            style: settings.style.clone(),
            templates: self.templates.clone(),
            alertmanagers: alertmanagers(settings, &outside.client),
            client: outside.client.clone(),
            quota: UrgentQuota::new(store, limits, settings.style.timezone.clone()),
            clock: clock.clone(),
        }
    }

    /// Whoever updates the cards of an app's bot, if there is one.
    pub(crate) fn refresher(&self, settings: &Settings, clock: &Clock) -> Option<Arc<Refresher>> {
        let resolved = settings.app.as_ref()?.resolved;
        let tools = RefreshDeps {
            sender: Arc::clone(&self.sender),
            owners: Arc::clone(&self.owners),
            style: settings.style.clone(),
            templates: self.templates.clone(),
            sent_cards: self.sent_cards.clone(),
            clock: clock.clone(),
            request_timeout: settings.delivery.request_timeout,
        };
        Refresher::new(self.cards.clone(), &self.receivers, resolved, tools).map(Arc::new)
    }

    /// Who looks for what is not heard of any more: in chats of the app's, and at custom bots.
    pub(crate) fn unheard(&self, settings: &Settings, client: &Client) -> (Unheard, Over) {
        let absent = || Absent::new(alertmanagers(settings, client), settings.dedup.remember);
        let unheard = Unheard::new(self.cards.clone(), Arc::clone(&self.ledger), absent());
        (unheard, Over::new(self.firing.clone(), absent()))
    }
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

/// Who is on call, which changes with the configuration.
fn oncall(settings: &Settings, store: &Store, Process { clock, lifecycle, .. }: &Process<'_>) -> OnCall {
    let timezone = settings.style.timezone.clone();
    let oncall = OnCall::new(store.clone(), clock.clone(), settings.rotations.clone(), timezone);
    oncall.follow(settings.reloads.clone(), lifecycle);
    oncall
}

/// What escalates, which changes with the configuration.
fn escalations(
    settings: &Settings,
    store: &Store,
    Process { registry, clock, lifecycle }: &Process<'_>,
) -> prometheus::Result<Escalations> {
    let severities = settings.style.severities.clone();
    let plans = EscalationPlans::new(&settings.escalations, &settings.receivers, &severities);
    let plans = LivePlans::follow(plans, severities.clone(), settings.reloads.clone(), lifecycle);
    Escalations::new(plans, severities, store.clone(), clock.clone(), registry)
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
pub(crate) fn chats(settings: &Settings) -> Chats {
    let allowed = settings.app.as_ref().map_or(&[][..], |app| &app.chats_allowed);
    Chats::new(allowed, &settings.receivers)
}

/// What the queues wait behind: the database has to be ours. It has to be of use as well, but nothing waits for that.
pub(crate) fn database_gate(settings: &Settings, store: &Store, lifecycle: &Lifecycle) -> Gate {
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
