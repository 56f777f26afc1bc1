//! What happened, for the checks: what was accepted, what stands on which card, what went to the dead letters. Pure.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use model::alert::Status;
use model::envelope::EnvelopeId;

/// One state of one alert, sent once. Its number is what its card shows of it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Which alert.
    pub(crate) alert: usize,
    pub(crate) status: Status,
    /// When this firing of it began, since the beginning.
    pub(crate) instance: Duration,
    /// Whether it is what the other one of an HA pair says of the same.
    pub(crate) is_twin: bool,
    /// When it was accepted, and in which envelope.
    pub(crate) accepted: Option<(Duration, EnvelopeId)>,
    /// Envelopes it was sent in, accepted or not.
    pub(crate) envelopes: Vec<EnvelopeId>,
}

/// A card in the chat.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) at: Duration,
    pub(crate) bot: usize,
    /// What stands on it.
    pub(crate) events: Vec<usize>,
    /// Whether whoever sent it was told so.
    pub(crate) is_answered: bool,
}

/// Everything that is written down.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) events: Vec<Event>,
    pub(crate) cards: Vec<Card>,
    /// Requests beyond what a bot takes.
    pub(crate) floods: Vec<(Duration, usize)>,
    /// Events in dead letters, and when they were published there.
    pub(crate) dead: Vec<(Duration, usize)>,
    /// Envelopes that ingest has brought to the queue, copies of them once, and how many alerts are in each.
    pub(crate) came: BTreeMap<EnvelopeId, u64>,
    /// Requests to Feishu, whatever came of them.
    pub(crate) requests: u64,
}

impl Records {
    /// A number for what happened, to see whether a seed can be repeated.
    pub(crate) fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for card in &self.cards {
            (card.at, card.bot, &card.events, card.is_answered).hash(&mut hasher);
        }
        for event in &self.events {
            (event.accepted.map(|(at, _)| at), event.alert).hash(&mut hasher);
        }
        (&self.dead, self.requests).hash(&mut hasher);
        hasher.finish()
    }
}
