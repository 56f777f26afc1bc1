//! Ends of alerts that are on a card: many at once are one update of it. Runs beside the outbox of the same chat, so
//! that what is new is not held up by what is over. An end counts as told once Feishu has said so; what cannot be told
//! on its card goes back, to be told on a new one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use shared::alert::Alert;
use shared::envelope::EnvelopeId;
use shared::queue::Publisher;
use shared::retry::{Pauses, RetryPolicy};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use super::fold::Fold;
use super::told::By;
use crate::cards::{CardId, Change, Kept, Refreshed, Refresher};
use crate::feishu::verdict::Trouble;
use crate::pipeline::{House, Parcel};

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
    pub(super) parcel: Parcel,
}

/// Updates cards in one chat.
pub(crate) struct Updates<P> {
    house: Arc<House<P>>,
    receiver: String,
    refresher: Arc<Refresher>,
    incoming: mpsc::UnboundedReceiver<Ending>,
    /// The way back to the outbox, as long as there is one.
    afresh: mpsc::WeakUnboundedSender<Parcel>,
    waiting: Vec<Ending>,
    pauses: Pauses,
    /// When what waits is tried again.
    next: Instant,
}

impl<P: Publisher> Updates<P> {
    pub(crate) fn new(
        house: Arc<House<P>>,
        receiver: String,
        refresher: Arc<Refresher>,
        incoming: mpsc::UnboundedReceiver<Ending>,
        afresh: mpsc::WeakUnboundedSender<Parcel>,
    ) -> Self {
        let (waiting, pauses, next) = (Vec::new(), PAUSES.pauses(), Instant::now());
        Self { house, receiver, refresher, incoming, afresh, waiting, pauses, next }
    }

    /// Starts on the house's lifecycle.
    pub(crate) fn start(self) -> JoinHandle<()> {
        let tasks = self.house.lifecycle.tasks.clone();
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
                // Boxed: with what is awaited in it, it would be one type too deep to compile.
                Box::pin(self.turn()).await;
            }
            if is_last {
                return self.house.give_back(self.waiting.drain(..).map(|ending| ending.parcel));
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
        } else {
            self.next =
                Instant::now() + self.pauses.after_failure(rand::random(), None).unwrap_or(PAUSES.cap);
        }
    }

    /// Updates one card; returns what is to be tried again.
    async fn on_card(&self, card: CardId, endings: Vec<Ending>) -> Vec<Ending> {
        let (mut endings, others) = self.still_standing(endings).await;
        if endings.is_empty() {
            return Vec::new();
        }
        let changes: Vec<_> = endings.iter().flat_map(|ending| resolved(&ending.parcel)).collect();
        let Ok(Some(kept)) = self.refresher.cards().change(&card, &changes).await else {
            self.tell_afresh(endings.into_iter().map(|ending| ending.parcel));
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
                let parcels = endings.into_iter().map(|ending| ending.parcel).collect();
                self.house.told(&self.receiver, Fold::of(parcels), By::Update).await;
                Vec::new()
            }
            Refreshed::Lost => {
                self.tell_afresh(endings.into_iter().map(|ending| ending.parcel));
                Vec::new()
            }
            Refreshed::NotNow { trouble, is_attempt } => self.failed(endings, &trouble, is_attempt),
        }
    }

    /// Drops what was superseded meanwhile. Also returns on which other cards what is left is.
    async fn still_standing(&self, endings: Vec<Ending>) -> (Vec<Ending>, BTreeMap<CardId, Vec<String>>) {
        let name = |alert: &Alert<'_>| alert.fingerprint.to_string();
        let known = |Ending { cards, parcel }: Ending| {
            let names: Vec<_> = parcel.envelope.alerts.iter().map(name).collect();
            ((parcel.envelope.id, names, cards), parcel)
        };
        let (known, parcels): (Vec<_>, Vec<_>) = endings.into_iter().map(known).unzip();
        let mut fold = Fold::of(parcels);
        let standings = self.house.ledger.confirm(&fold.claims(&self.receiver)).await;
        fold.keep_standing(&standings);
        let mut others: BTreeMap<CardId, Vec<String>> = BTreeMap::new();
        let mut known = known.into_iter();
        let mut standing = Vec::new();
        for parcel in fold.into_parcels() {
            // In the same order as before, less those of which nothing is left.
            let left: Vec<_> = parcel.envelope.alerts.iter().map(name).collect();
            let is_it = |(envelope, names, _): &(EnvelopeId, Vec<String>, Vec<CardId>)| {
                *envelope == parcel.envelope.id && left.iter().all(|left| names.contains(left))
            };
            let Some((.., cards)) = known.find(is_it) else {
                self.house.give_back([parcel]);
                continue;
            };
            for other in cards.iter().skip(1) {
                others.entry(other.clone()).or_default().extend(left.iter().cloned());
            }
            standing.push(Ending { cards, parcel });
        }
        (standing, others)
    }

    /// What is over on the card by what is in hand. What was over before has fired since, on a card that is not kept:
    /// its end is told on a new one.
    fn of_this_end(&self, kept: &Kept, endings: Vec<Ending>) -> Vec<Ending> {
        let mut ours = Vec::new();
        for Ending { cards, parcel } in endings {
            let envelope = parcel.envelope.id;
            let alerts = parcel.envelope.alerts.iter();
            let is_ours =
                alerts.map(|alert| kept.states.is_over_by(alert.fingerprint.as_str(), envelope)).collect();
            for (is_ours, parcel) in parcel.take_apart(is_ours) {
                if is_ours {
                    ours.push(Ending { cards: cards.clone(), parcel });
                } else {
                    self.tell_afresh([parcel]);
                }
            }
        }
        ours
    }

    fn failed(&self, mut endings: Vec<Ending>, trouble: &Trouble, is_attempt: bool) -> Vec<Ending> {
        let now = self.house.clock.now();
        for ending in &mut endings {
            if is_attempt {
                ending.parcel.tries.attempted();
            }
            ending.parcel.tries.failed(trouble.clone(), now);
        }
        let (receiver, alerts) = (
            self.receiver.as_str(),
            endings.iter().map(|ending| ending.parcel.envelope.alerts.len()).sum::<usize>(),
        );
        warn!(
            receiver,
            code = trouble.code,
            alerts,
            "a card of {receiver} could not be updated ({}); the end of {alerts} alerts waits",
            trouble.message
        );
        endings
    }

    /// What has waited in hand for long enough waits parked.
    async fn put_off(&mut self) {
        let (now, hold) = (Instant::now(), self.house.delivery.hold);
        let is_overdue = |ending: &mut Ending| now >= ending.parcel.taken_at + hold;
        let overdue: Vec<_> = self.waiting.extract_if(.., is_overdue).map(|ending| ending.parcel).collect();
        if self.house.lifecycle.stop.is_cancelled() {
            return self.house.give_back(overdue);
        }
        self.house.put_aside(&self.receiver, overdue, (Duration::ZERO, false)).await;
    }

    fn tell_afresh(&self, parcels: impl IntoIterator<Item = Parcel>) {
        let outbox = self.afresh.upgrade();
        for parcel in parcels {
            match &outbox {
                // An outbox that has just ended gives nothing back: what is dropped here comes again.
                Some(outbox) => drop(outbox.send(parcel)),
                None => self.house.give_back([parcel]),
            }
        }
    }
}

/// What ends with a parcel.
pub(super) fn resolved(parcel: &Parcel) -> Vec<(&str, Change<'static>)> {
    let (by, received) = (parcel.envelope.id, parcel.envelope.received_at);
    let end = |at: Option<jiff::Timestamp>| Change::Resolved { at: at.unwrap_or(received), by };
    parcel.envelope.alerts.iter().map(|alert| (alert.fingerprint.as_str(), end(alert.ends_at))).collect()
}
