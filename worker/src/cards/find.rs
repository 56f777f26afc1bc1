//! Finding cards: by what is on them, by their message, and those that are to be shown anew.

use std::collections::{BTreeMap, HashMap};

use shared::envelope::EnvelopeId;

use super::kept::{COLUMNS, CardId, Kept, Row, read};
use super::{CARDS_PER_ALERT_MAX, Cards, ONCE_WITHIN, UPDATABLE, millis};
use crate::store::StoreError;
use crate::store::sql::{Value, places, rows};

/// Alerts asked about in one statement.
const ASKED_TOGETHER_MAX: usize = 256;

/// A card an alert is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    pub(crate) card: CardId,
    /// The envelope it was told from.
    pub(crate) envelope: EnvelopeId,
    /// Whether Feishu is known to have the card.
    pub(crate) is_sent: bool,
}

/// Fingerprint, card, envelope, and whether it is sent.
type Found = (Vec<u8>, Vec<u8>, Vec<u8>, i64);

impl Cards {
    /// Where alerts of a receiver are, by fingerprint, the newest card first. Alerts on no card are left out, and so
    /// are cards of which nothing can be expected any more.
    pub(crate) async fn whereabouts(
        &self,
        receiver: &str,
        fingerprints: &[&str],
    ) -> Result<HashMap<String, Vec<Whereabouts>>, StoreError> {
        let mut found: HashMap<String, Vec<Whereabouts>> = HashMap::new();
        for asked in fingerprints.chunks(ASKED_TOGETHER_MAX) {
            let select = format!(
                "SELECT a.fingerprint, a.card, a.envelope, CASE WHEN c.message IS NULL THEN 0 ELSE 1 END \
                 FROM larkfire_card_alerts a JOIN larkfire_cards c ON c.card = a.card \
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
            let rows: Vec<Found> = self.store.within(rows(self.store.pool(), &select, &values)).await?;
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
    pub(crate) async fn load(&self, card: &CardId) -> Result<Option<Kept>, StoreError> {
        let select = format!("SELECT {COLUMNS} FROM larkfire_cards WHERE card = ?");
        let values = [card.as_bytes().into()];
        let rows: Vec<Row> = self.store.within(rows(self.store.pool(), &select, &values)).await?;
        Ok(rows.into_iter().next().and_then(read))
    }

    /// The alerts on the card in a message, by receiver and fingerprint.
    pub async fn alerts_of(&self, message: &str) -> Result<Vec<(String, String)>, StoreError> {
        let select = "SELECT a.receiver, a.fingerprint FROM larkfire_cards c \
             JOIN larkfire_card_alerts a ON a.card = c.card WHERE c.message = ? AND c.begun_ms > ? \
             ORDER BY a.fingerprint";
        let values = [message.as_bytes().into(), (self.now_ms() - millis(UPDATABLE)).into()];
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            self.store.within(rows(self.store.pool(), select, &values)).await?;
        Ok(rows.iter().map(|(receiver, fingerprint)| (text(receiver), text(fingerprint))).collect())
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
    pub(crate) async fn due(&self, most: i64) -> Result<Vec<CardId>, StoreError> {
        let select = "SELECT card FROM larkfire_cards WHERE due_ms <= ? AND lease_until_ms <= ? \
             AND message IS NOT NULL ORDER BY due_ms LIMIT ?";
        let now = self.now_ms();
        let values = [now.into(), now.into(), most.into()];
        let rows: Vec<(Vec<u8>,)> = self.store.within(rows(self.store.pool(), select, &values)).await?;
        Ok(rows.iter().map(|(card,)| CardId::from_bytes(card)).collect())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
