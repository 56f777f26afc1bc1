//! What stands on a card.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// Every alert on a card.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CardDetail {
    /// The card's name, as its last line says it.
    pub card: String,
    /// Whom it was for.
    pub receiver: String,
    /// When it was delivered.
    pub sent_at: Timestamp,
    /// The bot that sent it, where that is known.
    pub bot: Option<String>,
    /// Its alerts: those it shows by name first, then those it only counts.
    pub alerts: Vec<CardAlert>,
    /// Whether there are more than that.
    pub has_more: bool,
    /// What a silence of all that fires on it would match: the labels they share; `None` where none can be made here, or they
    /// do not even share a name.
    pub silence_matchers: Option<String>,
    /// The card itself as JSON, as it was sent or updated last; `None` where it is not kept, and for a plain text.
    pub content: Option<String>,
}

/// An alert on a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CardAlert {
    /// Who it is.
    pub identity: String,
    /// What it is called.
    pub name: String,
    /// `firing` or `resolved`.
    pub status: String,
    /// Whether the card only counts it.
    pub is_only_counted: bool,
    /// Its labels, as far as there was room for them.
    pub labels: BTreeMap<String, String>,
}
