//! Ends of alerts that are on a card: many at once are one update of it. Runs beside the outbox of the same chat, so
//! that what is new is not held up by what is over. An end counts as delivered once Feishu has said so; what cannot be delivered
//! on its card goes back, to be delivered on a new one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use model::alert::Alert;
use model::envelope::EnvelopeId;
use runtime::retry::{Pauses, RetryPolicy};
use tokio::sync::mpsc;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use super::batch::{Batch, SentCard};
use super::context::DeliveryContext;
use super::delivered::By;
use super::ids::ids;
use super::in_flight::InFlightEnvelope;
use crate::card_store::{CardChange, CardId, Cards, Refreshed, Refresher, StoredCard};
use crate::feishu::verdict::Trouble;

/// Cards of one chat that are updated at the same time.
const AT_ONCE: usize = 8;
/// Pauses between attempts.
const PAUSES: RetryPolicy =
    RetryPolicy { first: Duration::from_millis(500), cap: Duration::from_secs(10), attempts_max: None };

/// The end of alerts that are on the same cards.
#[derive(Debug)]
pub(crate) struct Ending {
    /// The newest first: that is where people look. The others follow it.
    pub(super) cards: Vec<CardId>,
    pub(super) in_flight: InFlightEnvelope,
}

/// Updates cards in one chat.
pub(crate) struct Updates {
    context: Arc<DeliveryContext>,
    receiver: String,
    refresher: Arc<Refresher>,
    incoming: mpsc::UnboundedReceiver<Ending>,
    /// The way back to the outbox, as long as there is one.
    afresh: mpsc::WeakUnboundedSender<InFlightEnvelope>,
    waiting: Vec<Ending>,
    pauses: Pauses,
    /// When what waits is tried again.
    next: Instant,
    /// Whether it was said that updates fail: once for as long as they do.
    is_failing: AtomicBool,
}

/// What an outbox for a chat of the app's knows of cards.
pub(crate) struct AppChatCards {
    pub(crate) cards: Cards,
    /// To whoever updates them.
    pub(crate) endings: UnboundedSender<Ending>,
}

impl Updates {
    pub(crate) fn new(
        context: Arc<DeliveryContext>,
        receiver: String,
        refresher: Arc<Refresher>,
        incoming: mpsc::UnboundedReceiver<Ending>,
        afresh: mpsc::WeakUnboundedSender<InFlightEnvelope>,
    ) -> Self {
        let waiting = Vec::new();
        let pauses = PAUSES.pauses();
        let next = Instant::now();
        let is_failing = AtomicBool::new(false);
        Self { context, receiver, refresher, incoming, afresh, waiting, pauses, next, is_failing }
    }

    /// Starts, and ends with the process.
    pub(crate) fn start(self) -> JoinHandle<()> {
        let tasks = self.context.lifecycle.tasks.clone();
        tasks.spawn(self.run())
    }

    /// Updates until there is nothing more to come.
    async fn run(mut self) {
        loop {
            let is_behind = !self.waiting.is_empty();
            let next = tokio::select! {
                ending = self.incoming.recv() => ending,
                () = sleep_until(self.next), if is_behind => self.incoming.try_recv().ok(),
            };
            let is_last = next.is_none() && self.incoming.is_closed() && self.incoming.is_empty();
            self.waiting.extend(next);
            while let Ok(ending) = self.incoming.try_recv() {
                self.waiting.push(ending);
            }
            if is_last || Instant::now() >= self.next {
                self.turn().await;
            }
            if is_last {
                return self.context.requeue(self.waiting.drain(..).map(|ending| ending.in_flight));
            }
        }
    }

    /// Everything that waits is tried once, card by card.
    async fn turn(&mut self) {
        let mut by_card: BTreeMap<CardId, Vec<Ending>> = BTreeMap::new();
        for ending in self.waiting.drain(..) {
            if let Some(newest) = ending.cards.first() {
                by_card.entry(newest.clone()).or_default().push(ending);
            }
        }
        let outcomes = stream::iter(by_card).map(|(card, endings)| self.on_card(card, endings));
        let left: Vec<Vec<Ending>> = outcomes.buffer_unordered(AT_ONCE).collect().await;
        self.waiting = left.into_iter().flatten().collect();
        self.put_off().await;
        if self.waiting.is_empty() {
            self.pauses = PAUSES.pauses();
            self.next = Instant::now();
            self.is_failing.store(false, Ordering::Relaxed);
        } else {
            self.next = Instant::now()
                + self.pauses.after_failure(runtime::entropy::random(), None).unwrap_or(PAUSES.cap);
        }
    }

    /// Updates one card; returns what is to be tried again.
    async fn on_card(&self, card: CardId, endings: Vec<Ending>) -> Vec<Ending> {
        let (mut endings, others) = self.still_standing(endings).await;
        if endings.is_empty() {
            return Vec::new();
        }
        let changes: Vec<_> = endings.iter().flat_map(|ending| resolved(&ending.in_flight)).collect();
        let Ok(Some(kept)) = self.refresher.cards().change(&card, &changes).await else {
            self.tell_afresh(endings.into_iter().map(|ending| ending.in_flight));
            return Vec::new();
        };
        for (other, fingerprints) in others {
            let changes: Vec<_> = changes
                .iter()
                .filter(|(fingerprint, _)| fingerprints.iter().any(|on| on == fingerprint))
                .copied()
                .collect();
            // If that fails the older card stays as it is: people look at the newest.
            let _unchanged = self.refresher.cards().change(&other, &changes).await;
        }
        drop(changes);
        endings = self.of_this_end(&kept, endings);
        match self.refresher.refresh(&card, Some(kept.version)).await {
            Refreshed::Shown => {
                let envelopes = endings.into_iter().map(|ending| ending.in_flight).collect();
                let message = kept.message.clone();
                let sent = SentCard { card, message, bot: self.receiver.clone(), summarised: Vec::new() };
                let mut batch = Batch::of(envelopes);
                batch.sent = Some(sent);
                self.context.delivered(&self.receiver, batch, By::Update).await;
                Vec::new()
            }
            Refreshed::Lost => {
                self.tell_afresh(endings.into_iter().map(|ending| ending.in_flight));
                Vec::new()
            }
            Refreshed::NotNow { trouble, is_attempt } => self.failed(endings, &trouble, is_attempt),
        }
    }

    /// Drops what was superseded meanwhile. Also returns on which other cards what is left is.
    async fn still_standing(&self, endings: Vec<Ending>) -> (Vec<Ending>, BTreeMap<CardId, Vec<String>>) {
        let name = |alert: &Alert<'_>| alert.fingerprint.to_string();
        let known = |Ending { cards, in_flight }: Ending| {
            let names: Vec<_> = in_flight.envelope.alerts.iter().map(name).collect();
            ((in_flight.envelope.id, names, cards), in_flight)
        };
        let (known, envelopes): (Vec<_>, Vec<_>) = endings.into_iter().map(known).unzip();
        let mut batch = Batch::of(envelopes);
        let standings = self.context.ledger.confirm(&batch.claims(&self.receiver)).await;
        let elsewhere = self.context.keep_standing(&self.receiver, &mut batch, &standings);
        self.context.leave_to_others(&self.receiver, elsewhere).await;
        let mut others: BTreeMap<CardId, Vec<String>> = BTreeMap::new();
        let mut known = known.into_iter();
        let mut standing = Vec::new();
        for in_flight in batch.into_envelopes() {
            // In the same order as before, less those of which nothing is left.
            let left: Vec<_> = in_flight.envelope.alerts.iter().map(name).collect();
            let is_it = |(envelope, names, _): &(EnvelopeId, Vec<String>, Vec<CardId>)| {
                *envelope == in_flight.envelope.id && left.iter().all(|left| names.contains(left))
            };
            let Some((.., cards)) = known.find(is_it) else {
                self.context.requeue([in_flight]);
                continue;
            };
            for other in cards.iter().skip(1) {
                others.entry(other.clone()).or_default().extend(left.iter().cloned());
            }
            standing.push(Ending { cards, in_flight });
        }
        (standing, others)
    }

    /// What is over on the card by what is in hand. What was over before has fired since, on a card that is not kept:
    /// its end is delivered on a new one.
    fn of_this_end(&self, kept: &StoredCard, endings: Vec<Ending>) -> Vec<Ending> {
        let mut ours = Vec::new();
        for Ending { cards, in_flight } in endings {
            let envelope = in_flight.envelope.id;
            let alerts = in_flight.envelope.alerts.iter();
            let is_ours =
                alerts.map(|alert| kept.states.is_over_by(alert.fingerprint.as_str(), envelope)).collect();
            for (is_ours, in_flight) in in_flight.take_apart(is_ours) {
                if is_ours {
                    ours.push(Ending { cards: cards.clone(), in_flight });
                } else {
                    self.tell_afresh([in_flight]);
                }
            }
        }
        ours
    }

    fn failed(&self, mut endings: Vec<Ending>, trouble: &Trouble, is_attempt: bool) -> Vec<Ending> {
        let now = self.context.clock.now();
        for ending in &mut endings {
            if is_attempt {
                ending.in_flight.tries.attempted();
            }
            ending.in_flight.tries.failed(trouble.clone(), now);
        }
        let receiver = self.receiver.as_str();
        let alerts = endings.iter().map(|ending| ending.in_flight.envelope.alerts.len()).sum::<usize>();
        let envelopes = ids(endings.iter().map(|ending| &ending.in_flight));
        let code = trouble.code;
        let error = &trouble.message;
        if self.is_failing.swap(true, Ordering::Relaxed) {
            debug!(receiver, code, alerts, envelopes, error, "a card still cannot be updated");
        } else {
            warn!(
                receiver,
                code, alerts, envelopes, error, "a card could not be updated; the end of its alerts waits"
            );
        }
        endings
    }

    /// What has waited in hand for long enough is deferred.
    async fn put_off(&mut self) {
        let now = Instant::now();
        let hold = self.context.delivery.hold;
        let is_overdue = |ending: &mut Ending| now >= ending.in_flight.taken_at + hold;
        let overdue: Vec<_> =
            self.waiting.extract_if(.., is_overdue).map(|ending| ending.in_flight).collect();
        if self.context.lifecycle.stop.is_cancelled() {
            return self.context.requeue(overdue);
        }
        self.context.defer(&self.receiver, overdue, Duration::ZERO, false).await;
    }

    fn tell_afresh(&self, envelopes: impl IntoIterator<Item = InFlightEnvelope>) {
        let outbox = self.afresh.upgrade();
        for in_flight in envelopes {
            match &outbox {
                // An outbox that has just ended gives nothing back: what is dropped here comes again.
                Some(outbox) => drop(outbox.send(in_flight)),
                None => self.context.requeue([in_flight]),
            }
        }
    }
}

/// What ends with an envelope.
pub(super) fn resolved(in_flight: &InFlightEnvelope) -> Vec<(&str, CardChange<'static>)> {
    let by = in_flight.envelope.id;
    let received = in_flight.envelope.received_at;
    let end = |at: Option<jiff::Timestamp>| CardChange::Resolved { at: at.unwrap_or(received), by };
    in_flight.envelope.alerts.iter().map(|alert| (alert.fingerprint.as_str(), end(alert.ends_at))).collect()
}
