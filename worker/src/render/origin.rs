//! Where the alerts of a card came from: what the envelopes say, taken together. Pure.

use std::collections::{HashMap, HashSet};

use config::LinksConfig;
use jiff::Timestamp;
use model::envelope::{Envelope, EnvelopeId, Notice, Source};

use super::item::Item;
use crate::link;

/// Addresses of senders on one card; more than a pair of Alertmanagers and a Grafana hardly report to one group.
const SENDERS_MAX: usize = 3;
/// Different addresses looked at for that; anything may be sent as one.
const SENDERS_TRIED_MAX: usize = 16;

/// Notices of senders on one card; of more groups than that each is told by its alerts.
const NOTICES_MAX: usize = 3;

/// The envelopes of a batch, taken together.
pub(super) struct SharedOrigin<'e> {
    /// Each source once, in the order of the documentation.
    pub(super) sources: Vec<Source>,
    pub(super) envelopes: usize,
    /// The id that sorts first, which is the one received first.
    pub(super) first_id: EnvelopeId,
    pub(super) first_received: Timestamp,
    pub(super) last_received: Timestamp,
    /// How many alerts the senders left out before we saw them.
    pub(super) truncated: u64,
    /// Where the senders show all alerts, each once.
    pub(super) senders: Vec<String>,
    /// What they say of the whole, each once, in the order of the items.
    pub(super) notices: Vec<&'e Notice<'e>>,
}

impl<'e> SharedOrigin<'e> {
    /// `None` without items.
    pub(super) fn of(items: &[Item<'e>], links: &LinksConfig) -> Option<Self> {
        let envelopes = envelopes(items);
        let first = envelopes.iter().min_by_key(|envelope| envelope.id)?;
        let received = || envelopes.iter().map(|envelope| envelope.received_at);
        let comes_from = |source: &Source| envelopes.iter().any(|envelope| envelope.source == *source);
        Some(Self {
            sources: Source::ALL.into_iter().filter(comes_from).collect(),
            envelopes: envelopes.len(),
            first_id: first.id,
            first_received: received().min()?,
            last_received: received().max()?,
            truncated: truncated(&envelopes),
            senders: senders(&envelopes, links),
            notices: notices(&envelopes),
        })
    }
}

/// Each envelope once, in the order of the items.
fn envelopes<'e>(items: &[Item<'e>]) -> Vec<&'e Envelope<'e>> {
    let mut known = HashSet::new();
    let mut envelopes: Vec<&Envelope<'_>> = Vec::new();
    for item in items {
        // Alerts of one envelope mostly follow one another.
        let is_same = envelopes.last().is_some_and(|last| last.id == item.envelope.id);
        if !is_same && known.insert(item.envelope.id) {
            envelopes.push(item.envelope);
        }
    }
    envelopes
}

/// A request that was split says its number in every part, and a group that is sent again means the same alerts
/// again: so of each group the newest number counts, once.
fn truncated(envelopes: &[&Envelope<'_>]) -> u64 {
    let mut groups: HashMap<_, (Timestamp, u64)> = HashMap::new();
    for envelope in envelopes {
        let said = (envelope.received_at, envelope.truncated);
        let newest = groups.entry((&envelope.receiver, &envelope.group_key)).or_insert(said);
        *newest = said.max(*newest);
    }
    groups.values().fold(0, |sum, (_, truncated)| sum.saturating_add(*truncated))
}

fn notices<'e>(envelopes: &[&'e Envelope<'e>]) -> Vec<&'e Notice<'e>> {
    let mut notices: Vec<&Notice<'_>> = Vec::new();
    for envelope in envelopes.iter().filter(|envelope| !envelope.notice.is_empty()) {
        if notices.len() < NOTICES_MAX && !notices.contains(&&envelope.notice) {
            notices.push(&envelope.notice);
        }
    }
    notices
}

fn senders(envelopes: &[&Envelope<'_>], config: &LinksConfig) -> Vec<String> {
    let mut tried: Vec<&str> = Vec::new();
    let mut senders = Vec::new();
    for envelope in envelopes {
        if senders.len() == SENDERS_MAX || tried.len() == SENDERS_TRIED_MAX {
            break;
        }
        let address: &str = &envelope.external_url;
        if !tried.contains(&address) {
            tried.push(address);
            let page = link::page(address, &config.rewrites).ok();
            senders.extend(page.filter(|url| !senders.contains(url)));
        }
    }
    senders
}
