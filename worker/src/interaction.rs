//! What people do in Feishu: they press buttons, give the bot commands, react to cards. It is taken off the queue, done
//! once, written into the audit trail, and answered in a thread.
//!
//! What cannot be written down is not done: a silence made twice is worse than one that is made late. So while the
//! database is away interactions wait, in their order.

mod answer;
mod buttons;
mod clerk;
mod command;
mod memory;
mod metrics;
mod office;
mod report;
mod rules;
pub(crate) mod schema;
mod silences;
mod target;
pub mod value;
mod voice;

use std::sync::Arc;

use prometheus::Registry;
use shared::clock::Clock;
use shared::config::{AppConfig, InteractionsConfig, ReceiverConfig};
use shared::lifecycle::Lifecycle;
use shared::queue::Consumer;

pub(crate) use buttons::Buttons;
pub use metrics::{InteractionMetrics, Outcome};

use crate::alertmanager::Alertmanagers;
use crate::audit::Audit;
use crate::cards::Cards;
use crate::dead_letters::DeadLetters;
use crate::feishu::{AppBot, http_client};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::owner::Owners;
use crate::receiver::ReceiverError;
use crate::store::Store;
use crate::{Settings, StartError};
use clerk::Clerk;
use memory::Memory;
use office::Office;
use rules::Rules;
use silences::Silences;
use value::Keys;
use voice::Voice;

/// Alerts silenced at once: each is a silence of its own, and a long list of them helps nobody in Alertmanager.
const SILENCED_TOGETHER_MAX: usize = 10;

/// The rooms it works with.
pub(crate) struct Rooms {
    pub(crate) cards: Cards,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) letters: DeadLetters,
    pub(crate) store: Store,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    pub(crate) owners: Arc<Owners>,
    /// The bot that answers; without one nobody is answered.
    pub(crate) bot: Option<Arc<AppBot>>,
}

/// Whoever takes care of what people do.
pub(crate) struct Interactions(Clerk);

/// The keys buttons are signed with: those of the configuration, or else one made from the app's secret.
pub(crate) fn keys(config: &InteractionsConfig, app: Option<&AppConfig>) -> Keys {
    let of_app = app.map(|app| &app.secret).filter(|_| config.signing_keys.is_empty());
    Keys::of(config.signing_keys.iter().chain(of_app))
}

/// The buttons cards get; `None` where nobody would hear that they are pressed.
pub(crate) fn buttons(settings: &Settings) -> Option<Buttons> {
    let keys = keys(&settings.interactions, settings.app.as_ref());
    let can_silence = !settings.alertmanagers.is_empty();
    settings.interactions.buttons.then(|| Buttons::new(keys, can_silence, settings.style.locale))
}

impl Interactions {
    pub(crate) fn new(
        settings: &Settings,
        rooms: Rooms,
        registry: &Registry,
        lifecycle: &Lifecycle,
    ) -> Result<Self, StartError> {
        let metrics = InteractionMetrics::register(registry)?;
        let client = http_client(settings.delivery.request_timeout).map_err(ReceiverError::from)?;
        let Rooms { cards, ledger, letters, store, metrics: of_worker, clock, owners, bot } = rooms;
        let silences = Silences::new(store.clone(), clock.clone());
        let office = Office {
            rules: Rules::new(&settings.interactions, &settings.receivers),
            keys: keys(&settings.interactions, settings.app.as_ref()),
            reactions: settings.interactions.reactions.clone(),
            cards,
            ledger,
            silences: silences.clone(),
            alertmanagers: Alertmanagers::new(client, settings.alertmanagers.clone()),
            owners,
            letters,
            metrics: of_worker,
            store: store.clone(),
            clock: clock.clone(),
            receivers: settings.receivers.iter().flat_map(ReceiverConfig::addresses).collect(),
            style: settings.style.clone(),
        };
        Ok(Self(Clerk {
            office,
            silences,
            memory: Memory::new(store.clone(), clock.clone()),
            trail: Audit::new(store, clock.clone()),
            voice: Voice {
                bot,
                locale: settings.style.locale,
                clock,
                metrics: metrics.clone(),
                stop: lifecycle.stop.clone(),
            },
            metrics,
            lifecycle: lifecycle.clone(),
        }))
    }

    /// Takes interactions off the queue until the consumer is told to stop.
    pub(crate) async fn run(self, consumer: impl Consumer) {
        self.0.run(consumer).await;
    }
}
