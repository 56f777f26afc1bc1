//! Cards as people point at them: by a button on one, by the message it is in, or by what fires in their chat.

use super::kept::{COLUMNS, CardId, Kept, Row, read};
use super::{Cards, UPDATABLE, millis};
use crate::store::StoreError;
use crate::store::sql::{Value, rows};

impl Cards {
    /// The card of this name, as a button on it carries it.
    pub(crate) async fn named(&self, name: &str) -> Result<Option<Kept>, StoreError> {
        self.load(&CardId::from_bytes(name.as_bytes())).await
    }

    /// The card in a message.
    pub(crate) async fn in_message(&self, message: &str) -> Result<Option<Kept>, StoreError> {
        let select = format!("SELECT {COLUMNS} FROM larkfire_cards WHERE message = ? AND begun_ms > ?");
        let since = self.now_ms() - millis(UPDATABLE);
        Ok(self.cards(&select, &[message.as_bytes().into(), since.into()]).await?.pop())
    }

    /// The cards of a receiver on which something fires, the newest first, at most so many.
    pub(crate) async fn firing_at(&self, receiver: &str, most: i64) -> Result<Vec<Kept>, StoreError> {
        let select = format!(
            "SELECT {COLUMNS} FROM larkfire_cards WHERE receiver = ? AND firing > 0 AND begun_ms > ? \
             ORDER BY begun_ms DESC LIMIT ?"
        );
        let since = self.now_ms() - millis(UPDATABLE);
        self.cards(&select, &[receiver.as_bytes().into(), since.into(), most.into()]).await
    }

    async fn cards(&self, select: &str, values: &[Value<'_>]) -> Result<Vec<Kept>, StoreError> {
        let rows: Vec<Row> = self.store.within(rows(self.store.pool(), select, values)).await?;
        Ok(rows.into_iter().filter_map(read).collect())
    }
}
