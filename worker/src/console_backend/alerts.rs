//! What became of alerts, out of the history.

use console::backend::BackendError;
use console::data::{AlertEvent, AlertLife, AlertPage, CardAlert, CardDetail};
use model::matcher::{Comparison, Query};

use super::ConsoleBackend;
use super::letters::{ago, one_of, row};
use crate::history::{self, HistoryEntry, HistoryFilter, HistoryOutcome, HistoryPlace};
use crate::metrics::Outcome;
use crate::summarised::{self, SummarisedAlert};

/// Entries on one page.
const PAGE_ENTRIES: usize = 100;
/// Alerts of one card.
const CARD_ALERTS: usize = 10_000;
/// Entries of one alert's life.
const LIFE_ENTRIES: usize = 200;

impl ConsoleBackend {
    pub(super) async fn alerts_page(
        &self,
        query: &Query,
        before: Option<&str>,
    ) -> Result<AlertPage, BackendError> {
        let filter = self.history_filter(query)?;
        let after = before.map(HistoryPlace::read).map(|place| {
            place.ok_or_else(|| {
                BackendError::Refused("before: expected what a page before this one said".to_owned())
            })
        });
        let found = history::find_after(&self.deps.store, &filter, after.transpose()?, PAGE_ENTRIES);
        let found = found.await?;
        Ok(AlertPage {
            before: found
                .last
                .filter(|_| found.has_more || found.scanned.is_some())
                .map(|place| place.to_string()),
            looked_at: found.scanned,
            events: found.entries.into_iter().map(event).collect(),
        })
    }

    pub(super) async fn life(&self, identity: &str) -> Result<AlertLife, BackendError> {
        let filter = HistoryFilter { identity: Some(identity.to_owned()), ..HistoryFilter::default() };
        let found = history::find(&self.deps.store, &filter, LIFE_ENTRIES).await?;
        let letters = self.deps.letters.of_alert(identity).await?;
        Ok(AlertLife {
            identity: identity.to_owned(),
            has_more: found.has_more || found.scanned.is_some(),
            // The filter knows beginnings: another alert may begin like this one.
            events: found.entries.into_iter().filter(|entry| entry.identity == identity).map(event).collect(),
            dead_letters: letters.iter().map(row).collect(),
        })
    }

    /// Every alert on a card: those it shows are in the history, those it only counts are kept for longer.
    pub(super) async fn card_detail(&self, card: &str) -> Result<Option<CardDetail>, BackendError> {
        let store = &self.deps.store;
        let filter = HistoryFilter { card: Some(card.to_owned()), ..HistoryFilter::default() };
        let found = history::find(store, &filter, CARD_ALERTS).await?;
        let counted = summarised::find(store, card).await?;
        let mut detail =
            CardDetail { card: card.to_owned(), has_more: found.has_more, ..CardDetail::default() };
        if let Some(entry) = found.entries.first() {
            detail.receiver.clone_from(&entry.receiver);
            detail.sent_at = entry.at;
            detail.bot.clone_from(&entry.bot);
        } else if let Some(counted) = &counted {
            detail.receiver.clone_from(&counted.receiver);
            detail.sent_at = counted.sent_at;
        } else {
            return Ok(None);
        }
        let is_counted = |entry: &HistoryEntry| entry.outcome == HistoryOutcome::from(Outcome::Summarised);
        let of_history = found.entries.into_iter().filter(|entry| counted.is_none() || !is_counted(entry));
        detail.alerts = of_history.map(|entry| on_card(is_counted(&entry), entry)).collect();
        detail.alerts.extend(counted.into_iter().flat_map(|card| card.alerts).map(only_counted));
        detail.alerts.sort_by(|one, other| {
            (one.is_only_counted, &one.name, &one.labels).cmp(&(
                other.is_only_counted,
                &other.name,
                &other.labels,
            ))
        });
        Ok(Some(detail))
    }

    fn history_filter(&self, query: &Query) -> Result<HistoryFilter, BackendError> {
        let now = self.deps.clock.now();
        let mut filter = HistoryFilter { labels: query.labels.clone(), ..HistoryFilter::default() };
        for term in &query.terms {
            let value = term.value.clone();
            match (term.name.as_str(), term.comparison) {
                ("receiver", Comparison::Equal) => filter.receiver = Some(value),
                ("name", Comparison::Equal) => filter.name = Some(value),
                ("card", Comparison::Equal) => filter.card = Some(value),
                ("fingerprint", Comparison::Equal) => filter.identity = Some(value),
                ("envelope", Comparison::Equal) => {
                    let id = value
                        .parse()
                        .map_err(|_| BackendError::Refused(format!("{term}: no id of an envelope")))?;
                    filter.envelope = Some(id);
                }
                ("outcome", Comparison::Equal) => {
                    filter.outcome = Some(one_of(term, HistoryOutcome::ALL, HistoryOutcome::as_str)?);
                }
                ("age", Comparison::Less) => filter.since = Some(ago(term, now)?),
                ("age", Comparison::Greater) => filter.until = Some(ago(term, now)?),
                _ => {
                    return Err(BackendError::Refused(format!(
                        "{term}: expected @receiver=, @outcome=, @name=, @fingerprint=, @card=, @envelope=, @age< or @age>"
                    )));
                }
            }
        }
        Ok(filter)
    }
}

fn on_card(is_only_counted: bool, entry: HistoryEntry) -> CardAlert {
    let HistoryEntry { identity, name, status, labels, .. } = entry;
    CardAlert { identity, name, status: status.as_str().to_owned(), is_only_counted, labels }
}

fn only_counted(alert: SummarisedAlert) -> CardAlert {
    let SummarisedAlert { fingerprint, status, labels } = alert;
    let name = labels.get("alertname").cloned().unwrap_or_default();
    CardAlert { identity: fingerprint, name, status, is_only_counted: true, labels }
}

fn event(entry: HistoryEntry) -> AlertEvent {
    AlertEvent {
        at: entry.at,
        last_at: entry.last_at,
        times: entry.times,
        receiver: entry.receiver,
        identity: entry.identity,
        name: entry.name,
        status: entry.status.as_str().to_owned(),
        outcome: entry.outcome.as_str().to_owned(),
        envelope: entry.envelope.to_string(),
        by: entry.by.map(|by| by.to_string()),
        until: entry.until,
        card: entry.card,
        bot: entry.bot,
        attempts: entry.attempts,
        code: entry.code,
        reason: entry.reason,
        labels: entry.labels,
    }
}
