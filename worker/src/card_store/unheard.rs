//! Ends, on cards in chats of the app's, what nobody will ever end.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use model::alert::{Alert, Status};
use model::envelope::EnvelopeId;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::state::CardChange;
use super::stored::CardId;
use super::{Cards, millis};
use crate::alertmanager::Absent;
use crate::feishu::limits::UPDATABLE;
use crate::ledger::{Decision, Event, Ledger};
use crate::store::StoreError;
use crate::store::sql::rows;

/// How often it is looked.
pub const LOOK_EVERY: Duration = Duration::from_mins(5);
/// How long nothing was heard of an alert before it is looked at: Prometheus stands by what it pushes for four minutes.
pub const LOOKED_AT_AFTER: Duration = Duration::from_mins(5);
/// Alerts looked at in one look; the next one goes on from there.
pub const LOOKED_AT_MAX: usize = 200;

/// Looks after what nobody is heard of.
pub struct Unheard {
    cards: Cards,
    ledger: Arc<Ledger>,
    absent: Absent,
    /// Where the next look goes on: when its card was begun, and what it is called.
    from: (i64, Vec<u8>),
}

/// Card, when it was begun, receiver, fingerprint, and when the alert was seen last.
type UnheardRow = (Vec<u8>, i64, Vec<u8>, Vec<u8>, Option<i64>);

impl Unheard {
    /// `absent` says of which alerts their Alertmanager knows nothing any more.
    pub const fn new(cards: Cards, ledger: Arc<Ledger>, absent: Absent) -> Self {
        Self { cards, ledger, absent, from: (0, Vec::new()) }
    }

    /// Looks until the stop.
    pub async fn watch(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_some() {
            // A failure is the store's to tell; the next look is soon.
            let _ended = stop.run_until_cancelled(Box::pin(self.look())).await;
        }
    }

    /// Looks once; says how many alerts it has ended.
    pub async fn look(&mut self) -> Result<usize, StoreError> {
        let quiet = self.quiet().await?;
        let now = self.cards.clock.now();
        self.absent.begin(now);
        self.from = match quiet.last() {
            Some((card, begun, ..)) if quiet.len() == LOOKED_AT_MAX => (*begun, card.clone()),
            Some(_) | None => (0, Vec::new()),
        };
        let mut ended = 0;
        for (card, begun, receiver, fingerprint, seen) in quiet {
            let [receiver, fingerprint] =
                [receiver, fingerprint].map(|name| String::from_utf8_lossy(&name).into_owned());
            let card = CardId::from_bytes(&card);
            let Some(kept) = self.cards.load(&card).await? else { continue };
            let is_it = |alert: &&Alert<'_>| {
                alert.fingerprint.as_str() == fingerprint && alert.status == Status::Firing
            };
            let delivered = kept
                .envelopes
                .iter()
                .find_map(|envelope| Some((envelope, envelope.alerts.iter().find(is_it)?)));
            let Some((envelope, alert)) = delivered else { continue };
            let since = Timestamp::from_millisecond(seen.unwrap_or(begun)).unwrap_or(envelope.received_at);
            if self.absent.is_over(&receiver, envelope, alert, since, self.cards.clock.now()).await {
                ended += usize::from(self.end(&receiver, &card, alert, since).await?);
            }
        }
        Ok(ended)
    }

    /// Ends it for the ledger, so that it is news when it fires again, and on its cards.
    async fn end(
        &self,
        receiver: &str,
        card: &CardId,
        alert: &Alert<'_>,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let now = self.cards.clock.now();
        let fingerprint = alert.fingerprint.as_str();
        let over = [Event {
            receiver,
            fingerprint,
            status: Status::Resolved,
            starts_at: alert.starts_at,
            ends_at: None,
            received_at: now,
            is_repeat: false,
            envelope: EnvelopeId::new(now, runtime::entropy::random()),
            forced: false,
        }];
        // Somebody else may be at it, or it may have been heard of in the meantime.
        if !matches!(self.ledger.observe(&over).await[..], [Decision::Deliver(_)]) {
            return Ok(false);
        }
        let change = CardChange::Unheard { since, by: over[0].envelope };
        let changed = async {
            let on = self.cards.cards_of(&[(receiver, fingerprint)]).await?;
            for card in on.keys().chain([card]) {
                self.cards.change(card, &[(fingerprint, change)]).await?;
            }
            Ok(())
        };
        if let Err(error) = changed.await {
            self.ledger.release(&over).await;
            return Err(error);
        }
        self.ledger.delivered(&over).await;
        info!(
            alert.fingerprint = fingerprint,
            receiver, %since, "an alert has not been heard of for long: it is over"
        );
        Ok(true)
    }

    /// What fires on a card and was not heard of lately, from where the last look has ended.
    async fn quiet(&self) -> Result<Vec<UnheardRow>, StoreError> {
        let select = format!(
            "SELECT c.card, c.begun_ms, a.receiver, a.fingerprint, l.told_seen \
             FROM larkfire_cards c JOIN larkfire_card_alerts a ON a.card = c.card \
             LEFT JOIN larkfire_ledger l ON l.fingerprint = a.fingerprint AND l.receiver = a.receiver \
             WHERE c.firing > 0 AND c.message IS NOT NULL AND c.begun_ms > ? AND c.begun_ms < ? \
             AND (c.begun_ms > ? OR (c.begun_ms = ? AND c.card > ?)) \
             AND (l.told_seen IS NULL OR (l.told_status = 0 AND l.told_seen < ?)) \
             ORDER BY c.begun_ms, c.card LIMIT {LOOKED_AT_MAX}"
        );
        let now = self.cards.now_ms();
        let (begun, card) = &self.from;
        let quiet = now - millis(LOOKED_AT_AFTER);
        let values = [
            (now - millis(UPDATABLE)).into(),
            quiet.into(),
            (*begun).into(),
            (*begun).into(),
            card.as_slice().into(),
            quiet.into(),
        ];
        self.cards.store.within(|| rows(self.cards.store.pool(), &select, &values)).await
    }
}
