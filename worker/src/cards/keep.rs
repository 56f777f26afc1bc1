//! Writing cards down: before they are sent, and what came of that.

use shared::envelope::Envelope;
use tracing::debug;

use super::Cards;
use super::kept::{CardId, content};
use super::state::States;
use crate::card::Item;
use crate::feishu::MessageId;
use crate::store::sql::{Transaction, Value, execute};
use crate::store::{Pool, StoreError};

impl Cards {
    /// A card with these alerts, which are all that is in these envelopes, is about to be sent. Says whether it is kept:
    /// a very large one is not, nor is any without the database.
    pub(crate) async fn begin(
        &self,
        card: &CardId,
        receiver: &str,
        (told, items): (&[&Envelope<'_>], &[Item<'_>]),
    ) -> bool {
        let Some(content) = content(told) else {
            self.metrics.too_large.inc();
            return false;
        };
        let begun = self.store.within(Box::pin(self.write(card, receiver, items, &content))).await;
        if let Err(error) = &begun {
            self.metrics.unwritten.inc();
            debug!(%error, receiver, "a card to {receiver} is not kept: {error}");
        }
        begun.is_ok()
    }

    /// Feishu has it.
    pub(crate) async fn sent(&self, card: &CardId, message: &MessageId) -> Result<(), StoreError> {
        let update = "UPDATE larkfire_cards SET message = ? WHERE card = ?";
        let values = [message.as_str().as_bytes().into(), card.as_bytes().into()];
        self.store.within(execute(self.store.pool(), update, &values)).await?;
        // Somebody may have changed it meanwhile.
        self.changed.notify_one();
        Ok(())
    }

    /// It is not in the chat, or nothing can be changed about it any more.
    pub(crate) async fn forget(&self, card: &CardId) -> Result<(), StoreError> {
        self.store.within(self.delete(std::slice::from_ref(card))).await
    }

    pub(super) async fn delete(&self, cards: &[CardId]) -> Result<(), sqlx::Error> {
        let places = crate::store::sql::places(cards.len());
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
    ) -> Result<(), sqlx::Error> {
        let insert = match self.store.pool() {
            Pool::MySql(_) => "INSERT IGNORE",
            Pool::Sqlite(_) => "INSERT OR IGNORE",
        };
        // Strings and flags only: there is nothing the serialiser could refuse.
        let states = serde_json::to_vec(&States::at_first(items)).unwrap_or_else(|_| b"{}".to_vec());
        let firing = items.iter().filter(|item| item.is_firing()).count();
        let mut transaction = Transaction::begin(self.store.pool()).await?;
        let values = [
            card.as_bytes().into(),
            receiver.as_bytes().into(),
            self.now_ms().into(),
            content.into(),
            states[..].into(),
            i64::try_from(firing).unwrap_or(i64::MAX).into(),
        ];
        let row = "INTO larkfire_cards (card, receiver, message, begun_ms, content, states, firing, version, shown, \
             is_over_told, due_ms, lease_until_ms, holder) VALUES (?, ?, NULL, ?, ?, ?, ?, 0, 0, 0, NULL, 0, 0)";
        transaction.execute(&format!("{insert} {row}"), &values).await?;
        let places = vec!["(?, ?, ?, ?)"; items.len()].join(", ");
        let row =
            format!("INTO larkfire_card_alerts (fingerprint, receiver, card, envelope) VALUES {places}");
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
        transaction.execute(&format!("{insert} {row}"), &values).await?;
        transaction.commit().await
    }
}
