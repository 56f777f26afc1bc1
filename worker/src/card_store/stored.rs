//! A card as it is kept.

use config::CardFormat;
use model::envelope::{Envelope, decode, encode, lines};

use super::state::{CardChange, States};
use super::{ALERTS_MAX, CONTENT_BYTES_MAX};
use crate::feishu::{Form, MessageId, OnceKey};
use crate::render::Item;
use crate::store::Insert;

/// Names a card: the same for the same alerts at the same receiver, however often they are tried.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CardId(String);

impl CardId {
    /// The name of a card that tells these at a receiver; of what an operator wants delivered once more, the name of the
    /// card for that `occasion`.
    pub fn of(receiver: &str, items: &[Item<'_>], occasion: &str) -> Self {
        let name = |item: &Item<'_>| format!("{}/{}", item.envelope.id, item.alert.fingerprint);
        let mut names: Vec<_> = items.iter().map(name).collect();
        names.sort_unstable();
        Self(
            OnceKey::of([receiver, occasion].into_iter().chain(names.iter().map(String::as_str)))
                .as_str()
                .to_owned(),
        )
    }

    /// The name of a card that nobody will send again by it: of as many alerts, from this one to that one.
    pub fn of_first(receiver: &str, items: &[Item<'_>]) -> Self {
        let name = |item: &Item<'_>| format!("{}/{}", item.envelope.id, item.alert.fingerprint);
        let ends: Vec<_> = items.first().into_iter().chain(items.last()).map(name).collect();
        let count = items.len().to_string();
        let parts = [receiver, count.as_str()].into_iter().chain(ends.iter().map(String::as_str));
        Self(OnceKey::of(parts).as_str().to_owned())
    }

    /// What makes one message of all tries at it. In another form it is another message.
    pub fn once(&self, form: Form) -> OnceKey {
        OnceKey::of([self.0.as_str(), form.as_str()])
    }

    /// The same for the word that all of it is over.
    pub fn once_over(&self) -> OnceKey {
        OnceKey::of([self.0.as_str(), "over"])
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// As it is in the database.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// A card, with everything that is needed to show it anew.
#[derive(Clone, Debug)]
pub struct StoredCard {
    /// Its name.
    pub card: CardId,
    /// In whose chat it is.
    pub receiver: String,
    /// What it is written in all its life: Feishu turns no card of 2.0 into one of 1.0 (reference "Feishu", 3.1).
    pub format: CardFormat,
    /// `None` while nobody knows whether Feishu has it.
    pub message: Option<MessageId>,
    /// The alerts as they were delivered, then as they are now.
    pub envelopes: Vec<Envelope<'static>>,
    /// What has changed since.
    pub states: States,
    /// Counts the changes.
    pub version: i64,
    /// The version that is in the chat.
    pub shown: i64,
    /// Whether it was said that all of it is over.
    pub is_end_delivered: bool,
}

/// A card, as it is begun.
pub(super) const CARD: Insert<'_> = Insert {
    table: "larkfire_cards",
    columns: &[
        "card",
        "receiver",
        "format",
        "message",
        "begun_ms",
        "content",
        "states",
        "firing",
        "version",
        "shown",
        "is_over_told",
        "due_ms",
        "lease_until_ms",
        "holder",
    ],
    key: 1,
};
/// An alert on one.
pub(super) const ON_CARD: Insert<'_> = Insert {
    table: "larkfire_card_alerts",
    columns: &["fingerprint", "receiver", "card", "envelope"],
    key: 3,
};

/// The row of a card, as [`COLUMNS`] name it.
pub(super) type CardRow = (Vec<u8>, Vec<u8>, Vec<u8>, Option<Vec<u8>>, Vec<u8>, Vec<u8>, i64, i64, i64);

/// The columns of a [`Row`].
pub(super) const COLUMNS: &str =
    "card, receiver, format, message, content, states, version, shown, is_over_told";

impl StoredCard {
    /// What the card shows now.
    pub fn items(&self) -> Vec<Item<'_>> {
        self.states.items(&self.envelopes)
    }

    /// Makes changes, which are a new version together; says whether they are any.
    pub(super) fn apply(&mut self, changes: &[(&str, CardChange<'_>)]) -> bool {
        let mut is_changed = false;
        for (fingerprint, change) in changes {
            is_changed |= self.states.apply(fingerprint, *change);
        }
        self.version += i64::from(is_changed);
        is_changed
    }

    /// Whether nothing on it fires.
    pub fn is_over(&self) -> bool {
        self.states.firing(&self.envelopes) == 0
    }
}

/// The card of a row; `None` if a build that nobody knows has written it.
pub(super) fn read(row: CardRow) -> Option<StoredCard> {
    let (card, receiver, format, message, content, states, version, shown, is_end_delivered) = row;
    let states: States = serde_json::from_slice(&states).ok()?;
    let envelopes = lines(&content).map(|line| decode(line).map(Envelope::into_owned));
    let envelopes = envelopes.collect::<Result<Vec<_>, _>>().ok()?;
    Some(StoredCard {
        card: CardId::from_bytes(&card),
        receiver: String::from_utf8_lossy(&receiver).into_owned(),
        format: CardFormat::called(&String::from_utf8_lossy(&format))?,
        message: message.map(|id| MessageId::new(String::from_utf8_lossy(&id))),
        envelopes: states.as_of_now(envelopes),
        states,
        version,
        shown,
        is_end_delivered: is_end_delivered != 0,
    })
}

/// The alerts as they are kept: lines of the wire format. `None` if they are too many or too long.
pub(super) fn content(envelopes: &[&Envelope<'_>]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let mut alerts = 0;
    for envelope in envelopes {
        alerts += envelope.alerts.len();
        if alerts > ALERTS_MAX {
            return None;
        }
        for line in encode(envelope).ok()? {
            content.extend_from_slice(&line.bytes);
        }
        if content.len() > CONTENT_BYTES_MAX {
            return None;
        }
    }
    Some(content)
}
