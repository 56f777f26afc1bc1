//! Changing what is known of the alerts on cards. A change reads the card, decides, and writes if nobody has written
//! since; whoever was slower decides again. The message in the chat follows.

use super::Cards;
use super::kept::{CardId, Kept};
use super::state::{Change, Mark};
use crate::store::StoreError;
use crate::store::sql::execute;

/// How often a change is decided about again because somebody else was faster. Each time somebody got further.
const ROUNDS_MAX: usize = 16;

impl Cards {
    /// Marks alerts, each by its receiver and fingerprint, on every card they are on. Returns on how many cards that
    /// changed something; the messages are updated soon after.
    pub async fn mark(&self, alerts: &[(&str, &str)], mark: &Mark) -> Result<usize, StoreError> {
        let mut changed = 0;
        for (card, fingerprints) in self.cards_of(alerts).await? {
            changed += usize::from(self.mark_on(&card, &fingerprints, mark).await?);
        }
        Ok(changed)
    }

    /// Marks every alert on the card that is in this message. Returns the alerts, by receiver and fingerprint; none if
    /// the message is no card of ours, or one that cannot be changed any more.
    pub async fn mark_message(
        &self,
        message: &str,
        mark: &Mark,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let alerts = self.alerts_of(message).await?;
        let pairs: Vec<_> =
            alerts.iter().map(|(receiver, fingerprint)| (receiver.as_str(), fingerprint.as_str())).collect();
        self.mark(&pairs, mark).await?;
        Ok(alerts)
    }

    /// Changes what is known of alerts on a card. Returns the card as it is then; `None` if there is none, or it changes
    /// too fast.
    pub(crate) async fn change(
        &self,
        card: &CardId,
        changes: &[(&str, Change<'_>)],
    ) -> Result<Option<Kept>, StoreError> {
        for _ in 0..ROUNDS_MAX {
            let Some(mut kept) = self.load(card).await? else { return Ok(None) };
            let before = kept.version;
            if !kept.apply(changes) {
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
            fingerprints.iter().map(|fingerprint| (fingerprint.as_str(), Change::Marked(mark))).collect();
        let after = self.change(card, &changes).await?;
        Ok(after.is_some_and(|after| after.version > before.version))
    }

    /// Writes the states, unless they are no longer those of `version`.
    async fn replace(&self, next: &Kept, version: i64) -> Result<bool, StoreError> {
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
        Ok(self.store.within(execute(self.store.pool(), update, &values)).await? > 0)
    }
}
