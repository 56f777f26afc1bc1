//! What runs beside deliveries: what is looked after that does not come by the queue, and what is done now and then.

use std::sync::Arc;
use std::time::Duration;

use queue::{DeadLetterId, Publisher};
use runtime::clock::Clock;
use runtime::lifecycle::{Condition, Lifecycle};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use crate::card_store::{Cards, Refresher, Unheard};
use crate::cleaning::KeptForTime;
use crate::dead_letters::{DeadLetters, ReplayOutcome};
use crate::delivery::context::DeliveryContext;
use crate::escalation::Escalations;
use crate::fallbacks::Fallbacks;
use crate::firing::Over;
use crate::heartbeats::{HeartbeatMetrics, HeartbeatWatch, HeartbeatWords, Heartbeats};
use crate::installation::Gate;
use crate::interactions::PastInteractions;
use crate::ledger::Ledger;
use crate::oncall::OnCall;
use crate::own_alerts::OwnAlerts;
use crate::receiver::Receiver;
use crate::receiver_status::ReceiverStatuses;
use crate::store::Store;
use crate::trouble::{TroubleSources, TroubleWatch, TroubleWords};
use crate::{Process, Settings};

/// How often it is looked whether something delivered without the database is still to be written down.
const CATCH_UP_EVERY: Duration = Duration::from_secs(5);

/// What became of letters that were sent again.
pub(crate) type ReplayOutcomes = UnboundedReceiver<(DeadLetterId, ReplayOutcome)>;

/// What is looked after that does not come by the queue.
pub(crate) struct Watched<'w> {
    pub(crate) settings: &'w Settings,
    pub(crate) receivers: &'w [Receiver],
    pub(crate) store: &'w Store,
    pub(crate) letters: &'w DeadLetters,
}

impl Watched<'_> {
    /// Begins to look after it; returns what is expected.
    pub(crate) fn start(
        &self,
        publisher: &Arc<dyn Publisher>,
        statuses: &ReceiverStatuses,
        connected: Condition,
        gate: &Gate,
        process: &Process<'_>,
    ) -> prometheus::Result<Heartbeats> {
        let own_alerts = OwnAlerts::new(Arc::clone(publisher), process.registry)?;
        let heartbeats = self.heartbeats(&own_alerts, connected, gate, process)?;
        self.trouble(own_alerts, statuses.clone(), gate, process);
        Ok(heartbeats)
    }

    /// What is expected, which changes with the configuration, and who looks after it. `connected` says whether there is a
    /// connection to the queue.
    fn heartbeats(
        &self,
        own_alerts: &OwnAlerts,
        connected: Condition,
        gate: &Gate,
        Process { registry, clock, lifecycle }: &Process<'_>,
    ) -> prometheus::Result<Heartbeats> {
        let Settings { heartbeats, reloads, style, .. } = self.settings;
        let store = self.store.clone();
        let heartbeats = Heartbeats::follow(heartbeats, reloads.clone(), store, clock.clone(), lifecycle);
        let words = HeartbeatWords { locale: style.locale, timezone: style.timezone.clone() };
        let metrics = HeartbeatMetrics::register(registry)?;
        let watch = HeartbeatWatch::new(heartbeats.clone(), own_alerts.clone(), words, metrics, connected);
        lifecycle.tasks.spawn(gate.clone().before(watch.run((*lifecycle).clone())));
        Ok(heartbeats)
    }

    /// What others are told of instead of receivers that have a fallback.
    pub(crate) fn fallbacks(&self, clock: &Clock) -> Fallbacks {
        let names = self.receivers.iter().filter(|receiver| receiver.fallback.is_some());
        let names = names.map(|receiver| receiver.name.clone()).collect();
        Fallbacks::new(self.store.clone(), clock.clone(), names, self.settings.dedup.remember)
    }

    /// Who tells of own trouble, if anybody is to be told.
    fn trouble(
        &self,
        own_alerts: OwnAlerts,
        statuses: ReceiverStatuses,
        gate: &Gate,
        Process { clock, lifecycle, .. }: &Process<'_>,
    ) {
        let Some(config) = self.settings.trouble.clone() else { return };
        let names = |receiver: &Receiver| -> Vec<String> {
            let bots = receiver.group().iter().map(|bot| bot.name.clone());
            if receiver.group().is_empty() { vec![receiver.name.clone()] } else { bots.collect() }
        };
        let sources = TroubleSources {
            statuses,
            bots: self.receivers.iter().flat_map(names).collect(),
            letters: self.letters.clone(),
        };
        let words = TroubleWords { locale: self.settings.style.locale, receiver: config.receiver.clone() };
        let store = self.store.clone();
        let watch = TroubleWatch::new(config, sources, store, own_alerts, words, clock.clone());
        lifecycle.tasks.spawn(gate.clone().before(watch.run((*lifecycle).clone())));
    }
}

/// What is looked after besides what deliveries share.
pub(crate) struct Tended {
    pub(crate) store: Store,
    pub(crate) cards: Cards,
    pub(crate) letters: DeadLetters,
    pub(crate) replayed: ReplayOutcomes,
    pub(crate) over: Over,
    pub(crate) oncall: OnCall,
}

/// What is done now and then, whatever comes in.
pub(crate) fn tend(
    context: &Arc<DeliveryContext>,
    gate: &Gate,
    Tended { store, cards, letters, oncall, replayed, over }: Tended,
    chats: Option<(&Arc<Refresher>, Unheard)>,
    lifecycle: &Lifecycle,
) {
    lifecycle.tasks.spawn(letters.clone().follow_replays(replayed));
    lifecycle.tasks.spawn(gate.clone().before(Arc::clone(context).end_unheard(over)));
    let DeliveryContext {
        ledger,
        history,
        sent_cards,
        firing,
        summarised,
        fallbacks,
        escalations,
        clock,
        ..
    } = &**context;
    let kept = KeptForTime {
        ledger: Arc::clone(ledger),
        cards,
        firing: firing.clone(),
        summarised: summarised.clone(),
        fallbacks: fallbacks.clone(),
        escalations: escalations.clone(),
        oncall: oncall.clone(),
        letters,
        history: history.clone(),
        sent_cards: sent_cards.clone(),
        interactions: PastInteractions::new(store.clone(), clock.clone()),
        store,
    };
    lifecycle.tasks.spawn(gate.clone().before(history.clone().run(lifecycle.stop.clone())));
    lifecycle.tasks.spawn(gate.clone().before(sent_cards.clone().run(lifecycle.stop.clone())));
    let escalations = escalations.clone();
    lifecycle.tasks.spawn(catch_up(Arc::clone(ledger), escalations, lifecycle.stop.clone()));
    lifecycle.tasks.spawn(gate.clone().before(oncall.keep_known(lifecycle.stop.clone())));
    lifecycle.tasks.spawn(gate.clone().before(kept.keep_clean(lifecycle.clone())));
    if let Some((refresher, unheard)) = chats {
        lifecycle.tasks.spawn(Arc::clone(refresher).keep_up(lifecycle.stop.clone()));
        lifecycle.tasks.spawn(unheard.watch(lifecycle.stop.clone()));
    }
}

/// Writes down what was delivered while the database was away, also if nothing more comes.
async fn catch_up(ledger: Arc<Ledger>, escalations: Escalations, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(CATCH_UP_EVERY)).await.is_some() {
        // Before the ledger has them: then nobody forgets them who dies in between.
        escalations.catch_up().await;
        ledger.catch_up().await;
    }
}
