//! The cards in the database, from before they are sent until they are forgotten.
//!
//! A change reads the card, decides, and writes if nobody has written since; whoever was slower decides again. The message
//! in the chat follows, and one process at a time may update it, or an older state could arrive after a newer one: that is
//! what the lease is for. What cannot change any more is forgotten, in small batches.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use config::CardFormat;
use model::envelope::{Envelope, EnvelopeId};
use runtime::clock::Clock;
use tokio::sync::Notify;
use tracing::debug;

use super::state::{CardChange, Mark, States};
use super::stored::{CARD, COLUMNS, CardId, CardRow, ON_CARD, StoredCard, content, read};
use super::{CARDS_PER_ALERT_MAX, CardMetrics, millis};
use crate::card_buttons::{Buttons, CardButtons};
use crate::feishu::MessageId;
use crate::feishu::limits::{ONCE_WITHIN, UPDATABLE, UPDATE_SPACING};
use crate::render::Item;
use crate::store::sql::{Transaction, Value, execute, places, rows};
use crate::store::{SmallSteps, StepResult, Store, StoreError};

/// Alerts asked about in one statement.
const ASKED_TOGETHER_MAX: usize = 256;
/// How often a change is decided about again because somebody else was faster. Each time somebody got further.
const ROUNDS_MAX: usize = 16;
/// How long a card is kept on which nothing fires: for whoever presses a button on it, or asks what it was.
const OVER_KEPT: Duration = Duration::from_hours(24);
/// Cards deleted in one transaction.
const DELETED_TOGETHER: usize = 50;
/// Cards looked at together when some are forgotten.
const WALKED_TOGETHER: usize = 200;

/// The cards in the database. Clones share it.
#[derive(Clone, Debug)]
pub struct Cards {
    pub(super) store: Store,
    pub(super) clock: Clock,
    /// Somebody has changed a card that is to be shown anew.
    pub(super) changed: Arc<Notify>,
    pub(super) metrics: CardMetrics,
    /// What people can press on them.
    buttons: Option<Arc<Buttons>>,
}

/// A card an alert is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// Its name.
    pub card: CardId,
    /// The envelope it was delivered from.
    pub envelope: EnvelopeId,
    /// Whether Feishu is known to have the card.
    pub is_sent: bool,
}

/// Fingerprint, card, envelope, and whether it is sent.
type WhereaboutsRow = (Vec<u8>, Vec<u8>, Vec<u8>, i64);

/// The right to update one card, for a while.
#[derive(Clone, Copy, Debug)]
pub struct UpdateLease {
    holder: i64,
}

impl Cards {
    /// Those in this database.
    pub fn new(store: Store, clock: Clock, metrics: CardMetrics) -> Self {
        Self { store, clock, changed: Arc::default(), metrics, buttons: None }
    }

    /// The same, with these buttons on them.
    pub(crate) fn with_buttons(self, buttons: Option<Buttons>) -> Self {
        Self { buttons: buttons.map(Arc::new), ..self }
    }

    /// The buttons of a card that shows these alerts.
    pub(crate) fn buttons(&self, receiver: &str, card: &CardId, items: &[Item<'_>]) -> CardButtons {
        let buttons = self.buttons.as_ref();
        buttons
            .map(|buttons| buttons.of(receiver, card.as_str(), items, self.clock.now()))
            .unwrap_or_default()
    }

    /// Returns once a card was changed by this process.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What it tells the time by.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// A card with these alerts, which are all that is in these envelopes, is about to be sent. Says whether it is kept:
    /// a very large one is not, nor is any without the database.
    pub async fn begin(
        &self,
        card: &CardId,
        receiver: &str,
        delivered: &[&Envelope<'_>],
        items: &[Item<'_>],
        format: CardFormat,
    ) -> bool {
        let Some(content) = content(delivered) else {
            self.metrics.too_large.inc();
            return false;
        };
        let begun = self.store.within(|| Box::pin(self.write(card, receiver, items, &content, format))).await;
        if let Err(error) = &begun {
            self.metrics.unwritten.inc();
            debug!(%error, receiver, "a card is not kept");
        }
        begun.is_ok()
    }

    /// Feishu has it, in this format.
    pub async fn sent(
        &self,
        card: &CardId,
        message: &MessageId,
        format: CardFormat,
    ) -> Result<(), StoreError> {
        let update = "UPDATE larkfire_cards SET message = ?, format = ? WHERE card = ?";
        let values =
            [message.as_str().as_bytes().into(), format.as_str().as_bytes().into(), card.as_bytes().into()];
        self.store.within(|| execute(self.store.pool(), update, &values)).await?;
        // Somebody may have changed it meanwhile.
        self.changed.notify_one();
        Ok(())
    }

    /// It is not in the chat, or nothing can be changed about it any more.
    pub async fn forget(&self, card: &CardId) -> Result<(), StoreError> {
        self.store.within(|| self.delete(std::slice::from_ref(card))).await
    }

    pub(super) async fn delete(&self, cards: &[CardId]) -> Result<(), sqlx::Error> {
        let places = places(cards.len());
        let values: Vec<Value<'_>> = cards.iter().map(|card| card.as_bytes().into()).collect();
        let mut transaction = Transaction::begin(self.store.pool()).await?;
        for table in ["larkfire_card_alerts", "larkfire_cards"] {
            let delete = format!("DELETE FROM {table} WHERE card IN ({places})");
            transaction.execute(&delete, &values).await?;
        }
        transaction.commit().await
    }

    async fn write(
        &self,
        card: &CardId,
        receiver: &str,
        items: &[Item<'_>],
        content: &[u8],
        format: CardFormat,
    ) -> Result<(), sqlx::Error> {
        // Strings and flags only: there is nothing the serialiser could refuse.
        let states = serde_json::to_vec(&States::at_first(items)).unwrap_or_else(|_| b"{}".to_vec());
        let firing = items.iter().filter(|item| item.is_firing()).count();
        let mut transaction = Transaction::begin(self.store.pool()).await?;
        let values = [
            card.as_bytes().into(),
            receiver.as_bytes().into(),
            format.as_str().as_bytes().into(),
            self.now_ms().into(),
            content.into(),
            states[..].into(),
            i64::try_from(firing).unwrap_or(i64::MAX).into(),
        ];
        let dialect = self.store.pool().dialect();
        let insert = CARD.or_keep(dialect, "VALUES (?, ?, ?, NULL, ?, ?, ?, ?, 0, 0, 0, NULL, 0, 0)");
        transaction.execute(&insert, &values).await?;
        let places = vec!["(?, ?, ?, ?)"; items.len()].join(", ");
        let insert = ON_CARD.or_keep(dialect, &format!("VALUES {places}"));
        let values: Vec<Value<'_>> = items
            .iter()
            .flat_map(|Item { alert, envelope, .. }| {
                [
                    alert.fingerprint.as_str().as_bytes().into(),
                    receiver.as_bytes().into(),
                    card.as_bytes().into(),
                    envelope.id.as_bytes()[..].into(),
                ]
            })
            .collect();
        transaction.execute(&insert, &values).await?;
        transaction.commit().await
    }

    /// Where alerts of a receiver are, by fingerprint, the newest card first. Alerts on no card are left out, and so
    /// are cards of which nothing can be expected any more.
    pub async fn whereabouts(
        &self,
        receiver: &str,
        fingerprints: &[&str],
    ) -> Result<HashMap<String, Vec<Whereabouts>>, StoreError> {
        let mut found: HashMap<String, Vec<Whereabouts>> = HashMap::new();
        for asked in fingerprints.chunks(ASKED_TOGETHER_MAX) {
            let select = format!(
                "SELECT a.fingerprint, a.card, a.envelope, \
                 CAST(CASE WHEN c.message IS NULL THEN 0 ELSE 1 END AS SIGNED) FROM larkfire_card_alerts a JOIN larkfire_cards c ON c.card = a.card \
                 WHERE a.fingerprint IN ({}) AND a.receiver = ? \
                 AND (c.begun_ms > ? OR (c.begun_ms > ? AND c.message IS NOT NULL)) ORDER BY c.begun_ms DESC",
                places(asked.len())
            );
            let now = self.now_ms();
            let mut values: Vec<Value<'_>> = asked.iter().map(|asked| asked.as_bytes().into()).collect();
            values.extend::<[Value<'_>; 3]>([
                receiver.as_bytes().into(),
                (now - millis(ONCE_WITHIN)).into(),
                (now - millis(UPDATABLE)).into(),
            ]);
            let rows: Vec<WhereaboutsRow> =
                self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
            for (fingerprint, card, envelope, is_sent) in rows {
                let Ok(envelope) = <[u8; 16]>::try_from(envelope) else { continue };
                let cards = found.entry(text(&fingerprint)).or_default();
                if cards.len() < CARDS_PER_ALERT_MAX {
                    let card = CardId::from_bytes(&card);
                    let envelope = EnvelopeId::from_bytes(envelope);
                    cards.push(Whereabouts { card, envelope, is_sent: is_sent != 0 });
                }
            }
        }
        Ok(found)
    }

    /// A card by its name.
    pub async fn load(&self, card: &CardId) -> Result<Option<StoredCard>, StoreError> {
        let select = format!("SELECT {COLUMNS} FROM larkfire_cards WHERE card = ?");
        let values = [card.as_bytes().into()];
        let rows: Vec<CardRow> = self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
        Ok(rows.into_iter().next().and_then(read))
    }

    /// The cards alerts are on, and which of the alerts are on each.
    pub(super) async fn cards_of(
        &self,
        alerts: &[(&str, &str)],
    ) -> Result<BTreeMap<CardId, Vec<String>>, StoreError> {
        let mut by_receiver: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (receiver, fingerprint) in alerts {
            by_receiver.entry(receiver).or_default().push(fingerprint);
        }
        let mut cards: BTreeMap<CardId, Vec<String>> = BTreeMap::new();
        for (receiver, fingerprints) in by_receiver {
            for (fingerprint, on) in self.whereabouts(receiver, &fingerprints).await? {
                for Whereabouts { card, .. } in on {
                    cards.entry(card).or_default().push(fingerprint.clone());
                }
            }
        }
        Ok(cards)
    }

    /// Cards whose message is behind, the longest first.
    pub async fn due(&self, most: i64) -> Result<Vec<CardId>, StoreError> {
        let select = "SELECT card FROM larkfire_cards WHERE due_ms <= ? AND lease_until_ms <= ? \
             AND message IS NOT NULL ORDER BY due_ms LIMIT ?";
        let now = self.now_ms();
        let values = [now.into(), now.into(), most.into()];
        let rows: Vec<(Vec<u8>,)> = self.store.within(|| rows(self.store.pool(), select, &values)).await?;
        Ok(rows.iter().map(|(card,)| CardId::from_bytes(card)).collect())
    }

    /// The card of this name, as a button on it carries it.
    pub async fn named(&self, name: &str) -> Result<Option<StoredCard>, StoreError> {
        self.load(&CardId::from_bytes(name.as_bytes())).await
    }

    /// The card in a message.
    pub async fn in_message(&self, message: &str) -> Result<Option<StoredCard>, StoreError> {
        let select = format!("SELECT {COLUMNS} FROM larkfire_cards WHERE message = ? AND begun_ms > ?");
        let since = self.now_ms() - millis(UPDATABLE);
        Ok(self.cards(&select, &[message.as_bytes().into(), since.into()]).await?.pop())
    }

    /// The cards of a receiver on which something fires, the newest first, at most so many.
    pub async fn firing_at(&self, receiver: &str, most: i64) -> Result<Vec<StoredCard>, StoreError> {
        let select = format!(
            "SELECT {COLUMNS} FROM larkfire_cards WHERE receiver = ? AND firing > 0 AND begun_ms > ? \
             ORDER BY begun_ms DESC LIMIT ?"
        );
        let since = self.now_ms() - millis(UPDATABLE);
        self.cards(&select, &[receiver.as_bytes().into(), since.into(), most.into()]).await
    }

    async fn cards(&self, select: &str, values: &[Value<'_>]) -> Result<Vec<StoredCard>, StoreError> {
        let rows: Vec<CardRow> = self.store.within(|| rows(self.store.pool(), select, values)).await?;
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Marks alerts, each by its receiver and fingerprint, on every card they are on. Returns on how many cards that
    /// changed something; the messages are updated soon after.
    pub async fn mark(&self, alerts: &[(&str, &str)], mark: &Mark) -> Result<usize, StoreError> {
        let mut changed = 0;
        for (card, fingerprints) in self.cards_of(alerts).await? {
            changed += usize::from(self.mark_on(&card, &fingerprints, mark).await?);
        }
        Ok(changed)
    }

    /// Changes what is known of alerts on a card. Returns the card as it is then; `None` if there is none, or it changes
    /// too fast.
    pub async fn change(
        &self,
        card: &CardId,
        changes: &[(&str, CardChange<'_>)],
    ) -> Result<Option<StoredCard>, StoreError> {
        for round in 0..ROUNDS_MAX {
            let Some(mut kept) = self.load(card).await? else { return Ok(None) };
            let before = kept.version;
            if !kept.apply(changes) {
                if round > 0 {
                    // Perhaps by ourselves: of a connection that is lost nobody knows what it has done.
                    self.changed.notify_one();
                }
                return Ok(Some(kept));
            }
            if self.replace(&kept, before).await? {
                self.changed.notify_one();
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }

    async fn mark_on(&self, card: &CardId, fingerprints: &[String], mark: &Mark) -> Result<bool, StoreError> {
        let Some(before) = self.load(card).await? else { return Ok(false) };
        let changes: Vec<_> =
            fingerprints.iter().map(|fingerprint| (fingerprint.as_str(), CardChange::Marked(mark))).collect();
        let after = self.change(card, &changes).await?;
        Ok(after.is_some_and(|after| after.version > before.version))
    }

    /// Writes the states, unless they are no longer those of `version`.
    async fn replace(&self, next: &StoredCard, version: i64) -> Result<bool, StoreError> {
        // Strings and times only: there is nothing the serialiser could refuse, and nothing to write if it did.
        let Ok(states) = serde_json::to_vec(&next.states) else { return Ok(false) };
        let firing = i64::try_from(next.states.firing(&next.envelopes)).unwrap_or(i64::MAX);
        let update = "UPDATE larkfire_cards SET states = ?, firing = ?, version = ?, due_ms = ? \
             WHERE card = ? AND version = ?";
        let values = [
            states[..].into(),
            firing.into(),
            next.version.into(),
            self.now_ms().into(),
            next.card.as_bytes().into(),
            version.into(),
        ];
        Ok(self.store.within(|| execute(self.store.pool(), update, &values)).await? > 0)
    }

    /// Takes the lease; `None` while somebody else has it, or has had it a moment ago.
    pub async fn take(&self, card: &CardId, length: Duration) -> Result<Option<UpdateLease>, StoreError> {
        let holder: i64 = runtime::entropy::random();
        // Whose it is already has taken it, and was not told.
        let update = "UPDATE larkfire_cards SET holder = ?, lease_until_ms = ? \
             WHERE card = ? AND (lease_until_ms <= ? OR holder = ?)";
        let now = self.now_ms();
        let values =
            [holder.into(), (now + millis(length)).into(), card.as_bytes().into(), now.into(), holder.into()];
        let taken = self.store.within(|| execute(self.store.pool(), update, &values)).await? > 0;
        Ok(taken.then_some(UpdateLease { holder }))
    }

    /// The message shows this version now. Ends the lease.
    pub async fn shown(
        &self,
        card: &CardId,
        lease: UpdateLease,
        version: i64,
        is_end_delivered: bool,
    ) -> Result<(), StoreError> {
        let update = "UPDATE larkfire_cards SET shown = ?, is_over_told = ?, lease_until_ms = ?, \
             due_ms = CASE WHEN version = ? THEN NULL ELSE due_ms END WHERE card = ? AND holder = ?";
        let values = [
            version.into(),
            i64::from(is_end_delivered).into(),
            (self.now_ms() + millis(UPDATE_SPACING)).into(),
            version.into(),
            card.as_bytes().into(),
            lease.holder.into(),
        ];
        self.store.within(|| execute(self.store.pool(), update, &values)).await?;
        Ok(())
    }

    /// The message could not be updated; it is tried again after a pause. Ends the lease.
    pub async fn put_off(
        &self,
        card: &CardId,
        lease: UpdateLease,
        pause: Duration,
    ) -> Result<(), StoreError> {
        let update = "UPDATE larkfire_cards SET lease_until_ms = ?, due_ms = ? WHERE card = ? AND holder = ?";
        let now = self.now_ms();
        let values = [
            (now + millis(UPDATE_SPACING)).into(),
            (now + millis(pause)).into(),
            card.as_bytes().into(),
            lease.holder.into(),
        ];
        self.store.within(|| execute(self.store.pool(), update, &values)).await?;
        Ok(())
    }

    /// Deletes what was kept long enough. Says how many cards those were.
    pub async fn clean(&self) -> Result<u64, StoreError> {
        let mut after = CardPlace { begun_ms: i64::MIN, card: Vec::new() };
        let mut steps = SmallSteps::default();
        loop {
            let walked = self.walk(&after).await?;
            let Some(last) = walked.last() else { return Ok(steps.done) };
            after = last.place.clone();
            let over = walked.iter().filter(|card| card.is_over);
            let over: Vec<_> = over.map(|card| CardId::from_bytes(&card.place.card)).collect();
            for together in over.chunks(DELETED_TOGETHER) {
                self.store.within(|| self.delete(together)).await?;
            }
            let count = over.len() as u64;
            let is_last = walked.len() < WALKED_TOGETHER;
            let step = if is_last { StepResult::Done(count) } else { StepResult::GoesOn(count) };
            if !steps.go_on(step).await {
                return Ok(steps.done);
            }
        }
    }

    /// The oldest cards after that one. What is not over is passed once in a cleaning, however much there is of it.
    async fn walk(&self, after: &CardPlace) -> Result<Vec<WalkedCard>, StoreError> {
        let select = format!(
            "SELECT begun_ms, card, CAST(CASE WHEN begun_ms < ? OR message IS NULL \
             OR (begun_ms < ? AND firing = 0 AND due_ms IS NULL) THEN 1 ELSE 0 END AS SIGNED) FROM larkfire_cards \
             WHERE begun_ms < ? AND begun_ms >= ? AND (begun_ms > ? OR card > ?) \
             ORDER BY begun_ms, card LIMIT {WALKED_TOGETHER}"
        );
        let now = self.now_ms();
        let values = [
            (now - millis(UPDATABLE)).into(),
            (now - millis(OVER_KEPT)).into(),
            (now - millis(ONCE_WITHIN)).into(),
            after.begun_ms.into(),
            after.begun_ms.into(),
            after.card.as_slice().into(),
        ];
        let rows: Vec<(i64, Vec<u8>, i64)> =
            self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
        let walked =
            |(begun_ms, card, over)| WalkedCard { place: CardPlace { begun_ms, card }, is_over: over != 0 };
        Ok(rows.into_iter().map(walked).collect())
    }
}

/// Where a card stands among all, by its age.
#[derive(Clone)]
struct CardPlace {
    begun_ms: i64,
    card: Vec<u8>,
}

/// A card that is old enough to be looked at.
struct WalkedCard {
    place: CardPlace,
    is_over: bool,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
