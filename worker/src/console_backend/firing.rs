//! What fires now: at custom bots by what is kept of it, in chats of the app by the cards that stand there.

use std::collections::{BTreeMap, BTreeSet};

use console::backend::BackendError;
use console::data::{FiringAlert, FiringAlerts, ReceiverKind};
use jiff::Timestamp;
use model::alert::{Alert, Status};
use model::envelope::{Envelope, Source};
use model::matcher::{Comparison, Query};

use super::ConsoleBackend;
use super::letters::{ago, code_of, one_of};
use crate::alertmanager::Alertmanager;
use crate::firing::firing_now;
use crate::history::{self, HistoryFilter, HistoryOutcome};
use crate::test_alert::is_of_test;

/// Alerts at custom bots that are looked at.
const AT_BOTS_MAX: usize = 5_000;
/// Cards of one chat that are.
const CARDS_MAX: i64 = 200;

/// Rows of the history that are looked at, where a filter asks what became of what fires.
const HISTORY_MAX: usize = 10_000;

/// What a filter says of alerts that fire.
#[derive(Debug, Default)]
struct FiringFilter<'q> {
    receiver: Option<&'q str>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// What has become of them, at some time of what fires now.
    became: Option<HistoryFilter>,
}

impl ConsoleBackend {
    pub(super) async fn firing_alerts(&self, query: &Query) -> Result<FiringAlerts, BackendError> {
        let filter = FiringFilter::of(query, self.deps.clock.now())?;
        let became = self.became(&filter).await?;
        let mut alerts = Vec::new();
        let looked_at = self.each_firing(|receiver, envelope, alert| {
            if filter.takes(receiver, alert)
                && became.as_ref().is_none_or(|became| became.has(receiver, alert))
                && query.labels.iter().all(|matcher| matcher.matches(&alert.labels))
            {
                let is_silenceable = self.can_silence(envelope);
                alerts.push(FiringAlert { is_silenceable, ..firing_alert(receiver, alert) });
            }
        });
        let looked_at = looked_at.await?.or(became.and_then(|became| became.looked_at));
        Ok(FiringAlerts { alerts, looked_at, replica_labels: self.deps.links.ignore_labels.clone() })
    }

    /// Of which alerts the history knows what the filter asks for; `None` if it does not ask.
    async fn became(&self, filter: &FiringFilter<'_>) -> Result<Option<Became>, BackendError> {
        let Some(asked) = &filter.became else { return Ok(None) };
        let found = history::find(&self.deps.store, asked, HISTORY_MAX).await?;
        let looked_at = found.scanned.or(found.has_more.then_some(HISTORY_MAX));
        let alerts = found.entries.into_iter().map(|entry| (entry.receiver, entry.identity)).collect();
        Ok(Some(Became { alerts, looked_at }))
    }

    /// Takes each alert that fires at each receiver, once. Says how many were looked at, if there are more.
    pub(super) async fn each_firing(
        &self,
        mut take: impl FnMut(&str, &Envelope<'_>, &Alert<'_>) + Send,
    ) -> Result<Option<usize>, BackendError> {
        let at_bots = firing_now(&self.deps.store, AT_BOTS_MAX).await?;
        let looked_at = (at_bots.len() == AT_BOTS_MAX).then_some(AT_BOTS_MAX);
        let mut seen = BTreeSet::new();
        let mut take_once = |receiver: &str, envelope: &Envelope<'_>, alert: &Alert<'_>| {
            if seen.insert((receiver.to_owned(), alert.fingerprint.to_string())) {
                take(receiver, envelope, alert);
            }
        };
        for line in &at_bots {
            for alert in &line.envelope.alerts {
                take_once(&line.receiver, &line.envelope, alert);
            }
        }
        for chat in self.deps.receivers.iter().filter(|facts| facts.kind() == ReceiverKind::AppChat) {
            let cards = self.deps.cards.firing_at(chat.name(), CARDS_MAX).await?;
            for card in cards {
                let envelopes = card.states.as_of_now(card.envelopes);
                let each = envelopes
                    .iter()
                    .flat_map(|envelope| envelope.alerts.iter().map(move |alert| (envelope, alert)));
                for (envelope, alert) in each {
                    let is_test = is_of_test(envelope.source, alert.fingerprint.as_str());
                    if alert.status == Status::Firing && !is_test {
                        take_once(chat.name(), envelope, alert);
                    }
                }
            }
        }
        Ok(looked_at)
    }
}

impl ConsoleBackend {
    /// Whether there is an Alertmanager here in which what came so can be silenced.
    fn can_silence(&self, envelope: &Envelope<'_>) -> bool {
        self.alertmanager_of(envelope).is_some()
    }

    /// The Alertmanager here that what came so is silenced in.
    pub(super) fn alertmanager_of(&self, envelope: &Envelope<'_>) -> Option<Alertmanager<'_>> {
        let known = self.deps.alertmanagers.as_ref().filter(|_| envelope.source == Source::Alertmanager);
        known.and_then(|known| known.of(&envelope.external_url))
    }
}

/// Alerts that something has become of.
#[derive(Debug)]
struct Became {
    /// By receiver and identity.
    alerts: BTreeSet<(String, String)>,
    /// How many rows of the history were looked at, if there are more than that.
    looked_at: Option<usize>,
}

impl Became {
    fn has(&self, receiver: &str, alert: &Alert<'_>) -> bool {
        self.alerts.contains(&(receiver.to_owned(), alert.fingerprint.to_string()))
    }
}

impl<'q> FiringFilter<'q> {
    fn of(query: &'q Query, now: Timestamp) -> Result<Self, BackendError> {
        let mut filter = Self::default();
        for term in &query.terms {
            match (term.name.as_str(), term.comparison) {
                ("receiver", Comparison::Equal) => filter.receiver = Some(&term.value),
                ("age", Comparison::Less) => filter.since = Some(ago(term, now)?),
                ("age", Comparison::Greater) => filter.until = Some(ago(term, now)?),
                ("outcome", Comparison::Equal) => {
                    let outcome = one_of(term, HistoryOutcome::ALL, HistoryOutcome::as_str)?;
                    filter.became.get_or_insert_default().outcome = Some(outcome);
                }
                ("code", Comparison::Equal) => {
                    filter.became.get_or_insert_default().code = Some(code_of(term)?);
                }
                ("reason", Comparison::Equal) => {
                    filter.became.get_or_insert_default().reason = Some(term.value.clone());
                }
                _ => {
                    return Err(BackendError::Refused(format!(
                        "{term}: expected @receiver=, @outcome=, @code=, @reason=, @age< or @age>"
                    )));
                }
            }
        }
        if let Some(became) = &mut filter.became {
            became.receiver = filter.receiver.map(str::to_owned);
        }
        Ok(filter)
    }

    fn takes(&self, receiver: &str, alert: &Alert<'_>) -> bool {
        let is_its = self.receiver.is_none_or(|name| name == receiver);
        let is_young = self.since.is_none_or(|since| alert.starts_at.is_some_and(|start| start >= since));
        let is_old = self.until.is_none_or(|until| alert.starts_at.is_some_and(|start| start < until));
        is_its && is_young && is_old
    }
}

fn firing_alert(receiver: &str, alert: &Alert<'_>) -> FiringAlert {
    let labels: BTreeMap<String, String> =
        alert.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    FiringAlert {
        identity: alert.fingerprint.as_str().to_owned(),
        receiver: receiver.to_owned(),
        name: labels.get("alertname").cloned().unwrap_or_default(),
        since: alert.starts_at,
        labels,
        is_silenceable: false,
    }
}
