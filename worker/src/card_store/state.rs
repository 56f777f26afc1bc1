//! What has become of the alerts on a card since it was sent. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::alert::{Alert, Status};
use model::envelope::{Envelope, EnvelopeId};
use serde::{Deserialize, Serialize};

use crate::render::{Acknowledged, Attention, Escalated, Item, Silenced};

/// How much of a name is kept, in characters.
const NAME_CHARACTERS_MAX: usize = 64;

/// How many of those who were called a card shows of one alert, the last.
const ESCALATED_MAX: usize = 5;

/// Something people do about alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Somebody has taken them on.
    Acknowledged(Acknowledged),
    /// Nobody has, after all.
    Unacknowledged,
    /// Somebody has silenced them.
    Silenced(Silenced),
    /// They may be heard again.
    Unsilenced,
    /// Somebody was called because nobody had taken them on.
    Escalated(Escalated),
}

/// Something that happens to an alert on a card.
#[derive(Clone, Copy, Debug)]
pub enum CardChange<'c> {
    /// It is over.
    Resolved {
        /// Since when, as far as the source knows; else since its resolution came.
        at: Timestamp,
        /// The envelope that says so.
        by: EnvelopeId,
    },
    /// Nobody sends it any more, and nobody has said that it is over.
    Unheard {
        /// When it was heard of last.
        since: Timestamp,
        /// What its end is known by.
        by: EnvelopeId,
    },
    /// Somebody does something about it.
    Marked(&'c Mark),
}

/// The states that differ from how the alerts were delivered, by fingerprint: on one card each alert is once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct States(BTreeMap<String, CardAlertState>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct CardAlertState {
    /// Whether it had been delivered before this card.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reminder: bool,
    /// By which key Feishu shows its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved: Option<Resolved>,
    #[serde(flatten)]
    attention: Attention,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Resolved {
    at: Timestamp,
    by: EnvelopeId,
}

impl States {
    /// Those of a card that is about to be sent.
    pub fn at_first(items: &[Item<'_>]) -> Self {
        let state = |item: &Item<'_>| CardAlertState {
            reminder: item.reminder,
            picture: item.picture.map(str::to_owned),
            ..CardAlertState::default()
        };
        let special = items.iter().filter(|item| item.reminder || item.picture.is_some());
        Self(special.map(|item| (item.alert.fingerprint.to_string(), state(item))).collect())
    }

    /// Makes a change; says whether it is one.
    pub fn apply(&mut self, fingerprint: &str, change: CardChange<'_>) -> bool {
        let before = self.0.get(fingerprint).cloned().unwrap_or_default();
        let mut state = before.clone();
        match change {
            CardChange::Resolved { at, by } => {
                state.resolved.get_or_insert(Resolved { at, by });
            }
            // What is over is nobody's business any more.
            CardChange::Marked(_) | CardChange::Unheard { .. } if state.resolved.is_some() => {}
            CardChange::Unheard { since, by } => {
                state.resolved = Some(Resolved { at: since, by });
                state.attention = Attention { unheard_since: Some(since), ..Attention::default() };
            }
            CardChange::Marked(Mark::Acknowledged(Acknowledged { by, at })) => {
                state.attention.acknowledged = Some(Acknowledged { by: shortened(by), at: *at });
            }
            CardChange::Marked(Mark::Unacknowledged) => state.attention.acknowledged = None,
            CardChange::Marked(Mark::Silenced(Silenced { by, until })) => {
                state.attention.silenced = Some(Silenced { by: shortened(by), until: *until });
            }
            CardChange::Marked(Mark::Unsilenced) => state.attention.silenced = None,
            CardChange::Marked(Mark::Escalated(escalated)) => {
                let known = &mut state.attention.escalated;
                // Written again after a lost answer it is the same.
                if !known.contains(escalated) {
                    known.push(escalated.clone());
                    known.drain(..known.len().saturating_sub(ESCALATED_MAX));
                }
            }
        }
        let is_change = state != before;
        if is_change {
            self.0.insert(fingerprint.to_owned(), state);
        }
        is_change
    }

    /// Whether it was this envelope that said on this card that the alert is over. If it was an earlier one, its end
    /// is that of an earlier firing.
    pub fn is_over_by(&self, fingerprint: &str, envelope: EnvelopeId) -> bool {
        self.0
            .get(fingerprint)
            .and_then(|state| state.resolved)
            .is_some_and(|resolved| resolved.by == envelope)
    }

    fn is_over(&self, fingerprint: &str) -> bool {
        self.0.get(fingerprint).is_some_and(|state| state.resolved.is_some())
    }

    /// How many of the alerts still fire.
    pub fn firing(&self, envelopes: &[Envelope<'_>]) -> usize {
        let alerts = envelopes.iter().flat_map(|envelope| &envelope.alerts);
        let fires =
            |alert: &&Alert<'_>| alert.status == Status::Firing && !self.is_over(alert.fingerprint.as_str());
        alerts.filter(fires).count()
    }

    /// The alerts as they are now.
    pub fn as_of_now(&self, mut envelopes: Vec<Envelope<'static>>) -> Vec<Envelope<'static>> {
        for alert in envelopes.iter_mut().flat_map(|envelope| &mut envelope.alerts) {
            if let Some(over) = self.0.get(alert.fingerprint.as_str()).and_then(|state| state.resolved) {
                alert.status = Status::Resolved;
                alert.ends_at = Some(over.at);
            }
        }
        envelopes
    }

    /// What a card shows of `envelopes`, which are as [`as_of_now`](Self::as_of_now) returns them.
    pub fn items<'s>(&'s self, envelopes: &'s [Envelope<'s>]) -> Vec<Item<'s>> {
        let as_it_is = |item: Item<'s>| match self.0.get(item.alert.fingerprint.as_str()) {
            Some(state) => {
                let is_said = item.is_firing() || state.attention.unheard_since.is_some();
                let attention = is_said.then_some(&state.attention);
                Item { reminder: state.reminder, attention, picture: state.picture.as_deref(), ..item }
            }
            None => item,
        };
        envelopes.iter().flat_map(Item::all_of).map(as_it_is).collect()
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(NAME_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests;
