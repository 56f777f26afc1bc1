//! What people do in Feishu: they press buttons, give the bot commands, react to cards. It is taken off the queue, done
//! once, written into the audit trail, and answered in a thread.
//!
//! What cannot be written down is not done: a silence made twice is worse than one that is made late. So while the
//! database is away interactions wait, in their order.

mod chat_queues;
mod command;
mod consumer;
mod dedup;
mod handler;
mod metrics;
mod mute;
mod replier;
mod reply;
mod report;
mod rules;
mod target;

use std::collections::HashMap;
use std::sync::Arc;

use config::{AppConfig, InteractionsConfig, ReceiverConfig};
use prometheus::Registry;
use queue::Consumer;
use reqwest::Client;
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;

pub use dedup::{BEGUN_FOR_MAX, Begun, InteractionDedup};
pub use metrics::{InteractionMetrics, InteractionOutcome};

use crate::alertmanager::{Alertmanagers, MadeSilences};
use crate::audit::Audit;
use crate::card_buttons::value::Keys;
use crate::card_buttons::{Buttons, SilenceButtons};
use crate::card_store::Cards;
use crate::dead_letters::DeadLetters;
use crate::directory::OwnerResolver;
use crate::feishu::AppBot;
use crate::feishu::limits::CallBudget;
use crate::feishu::sender::Sender;
use crate::history::History;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::oncall::OnCall;
use crate::store::{Store, StoreError};
use crate::{Settings, StartError};
use consumer::InteractionConsumer;

use handler::InteractionHandler;
use mute::MuteAlertmanagers;
use replier::{Replier, ReplyTurns};
use rules::InteractionRules;

/// The rooms it works with.
pub(crate) struct InteractionDeps {
    /// For Alertmanagers.
    pub(crate) client: Client,
    pub(crate) cards: Cards,
    pub(crate) oncall: OnCall,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) letters: DeadLetters,
    pub(crate) store: Store,
    pub(crate) history: History,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    pub(crate) owners: Arc<OwnerResolver>,
    /// The bot that answers; without one nobody is answered.
    pub(crate) bot: Option<Arc<AppBot>>,
    pub(crate) sender: Arc<Sender>,
    /// What the chats that are receivers take, by the receivers' names.
    pub(crate) chats: HashMap<String, CallBudget>,
}

/// Whoever takes care of what people do.
pub(crate) struct Interactions(InteractionConsumer);

/// What was acted on, and made, long enough ago to be forgotten.
pub(crate) struct PastInteractions {
    seen: InteractionDedup,
    silences: MadeSilences,
}

impl PastInteractions {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self {
            seen: InteractionDedup::new(store.clone(), clock.clone()),
            silences: MadeSilences::new(store, clock),
        }
    }

    /// Forgets what is old enough.
    pub(crate) async fn clean(&self) -> Result<(), StoreError> {
        self.seen.clean().await?;
        self.silences.clean().await
    }
}

/// The keys buttons are signed with: those of the configuration, or else one made from the app's secret.
pub(crate) fn keys(config: &InteractionsConfig, app: Option<&AppConfig>) -> Keys {
    let of_app = app.map(|app| &app.secret).filter(|_| config.signing_keys.is_empty());
    Keys::of(config.signing_keys.iter().chain(of_app))
}

/// The buttons cards get; `None` where nobody would hear that they are pressed.
pub(crate) fn buttons(settings: &Settings) -> Option<Buttons> {
    let keys = keys(&settings.interactions, settings.app.as_ref());
    let can_silence = !settings.alertmanagers.is_empty();
    let silence_buttons = if can_silence { SilenceButtons::Offered } else { SilenceButtons::Absent };
    settings.interactions.buttons.then(|| Buttons::new(keys, silence_buttons, settings.style.locale))
}

impl Interactions {
    pub(crate) fn new(
        settings: &Settings,
        rooms: InteractionDeps,
        registry: &Registry,
        lifecycle: &Lifecycle,
    ) -> Result<Self, StartError> {
        let metrics = InteractionMetrics::register(registry)?;
        let InteractionDeps {
            client,
            cards,
            oncall,
            ledger,
            letters,
            store,
            history,
            metrics: of_worker,
            clock,
            owners,
            ..
        } = rooms;
        let replier = Replier {
            bot: rooms.bot,
            sender: rooms.sender,
            chats: Arc::new(rooms.chats),
            cards: cards.clone(),
            turns: ReplyTurns::default(),
            locale: settings.style.locale,
            clock: clock.clone(),
            metrics: metrics.clone(),
            stop: lifecycle.stop.clone(),
        };
        let silences = MadeSilences::new(store.clone(), clock.clone());
        let handler = InteractionHandler {
            rules: InteractionRules::new(&settings.interactions, &settings.receivers),
            keys: keys(&settings.interactions, settings.app.as_ref()),
            reactions: settings.interactions.reactions.clone(),
            cards,
            oncall,
            ledger,
            silences,
            mute: MuteAlertmanagers::default(),
            history,
            alertmanagers: Alertmanagers::new(
                client,
                settings.alertmanagers.clone(),
                settings.style.links.ignore_labels.clone(),
            ),
            owners,
            letters,
            metrics: of_worker,
            store: store.clone(),
            clock: clock.clone(),
            receivers: settings.receivers.iter().flat_map(ReceiverConfig::addresses).collect(),
            style: settings.style.clone(),
        };
        Ok(Self(InteractionConsumer {
            handler,
            memory: InteractionDedup::new(store.clone(), clock.clone()),
            trail: Audit::new(store, clock),
            replier,
            metrics,
            lifecycle: lifecycle.clone(),
        }))
    }

    /// Takes interactions off the queue until the consumer is told to stop.
    pub(crate) async fn run(self, consumer: Box<dyn Consumer>) {
        self.0.run(consumer).await;
    }
}
