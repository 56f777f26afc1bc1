//! What became of alerts, out of the history.

use console::backend::BackendError;
use console::data::{
    AlertEvent, AlertLife, AlertPage, AlertStanding, AlertWait, CardAlert, CardDetail, LogLink,
};
use jiff::Timestamp;
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use model::envelope::Source;
use model::matcher::{Comparison, Query};

use super::ConsoleBackend;
use super::letters::{ago, code_of, one_of, row};
use crate::command::trace::report::{TraceReport, TracedTogether};
use crate::history::{self, HistoryEntry, HistoryFilter, HistoryOutcome, HistoryPlace};
use crate::ledger;
use crate::link::{self, LinkContext, LinkKind};
use crate::metrics::Outcome;
use crate::sent_cards;
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
        let ledger = ledger::find_by_fingerprint(&self.deps.store, identity).await?;
        let taken_on = ledger::find_taken_on(&self.deps.store, identity).await?;
        let has_more = found.has_more || found.scanned.is_some();
        let mut history = found;
        // The filter knows beginnings: another alert may begin like this one.
        history.entries.retain(|entry| entry.identity == identity);
        let known = TraceReport {
            history,
            ledger: ledger.into_iter().filter(|row| row.fingerprint == identity).collect(),
            taken_on: taken_on
                .into_iter()
                .map(|by| ((by.receiver.clone(), identity.to_owned()), by))
                .collect(),
            ..TraceReport::default()
        };
        let now = self.deps.clock.now();
        let standings = known.together().iter().map(|one| standing(one, now)).collect();
        let log_links = self.log_links(identity, &known, now);
        let silence_matchers = self.silence_matchers(known.history.entries.first());
        Ok(AlertLife {
            identity: identity.to_owned(),
            has_more,
            standings,
            log_links,
            silence_matchers,
            events: known.history.entries.into_iter().map(event).collect(),
            dead_letters: letters.iter().map(row).collect(),
        })
    }

    /// Where its logs are, as far as the history knows its labels. A message's interface is not among what they are looked up
    /// by: the history does not know the format it came in.
    fn log_links(&self, identity: &str, known: &TraceReport, now: Timestamp) -> Vec<LogLink> {
        let Some(newest) = known.history.entries.first().filter(|entry| !entry.labels.is_empty()) else {
            return Vec::new();
        };
        let began =
            known.ledger.iter().find_map(|row| row.delivered).map(|delivered| delivered.state.instance);
        let labels = newest.labels.iter().map(|(name, value)| (name.clone().into(), value.clone().into()));
        let alert = Alert {
            fingerprint: Fingerprint::of_pairs([("identity", identity)]),
            former: None,
            status: Status::Firing,
            starts_at: began.or_else(|| known.history.entries.last().map(|entry| entry.at)),
            ends_at: None,
            labels: labels.collect::<Labels<'static>>(),
            annotations: Labels::default(),
            generator_url: "".into(),
            links: Links::default(),
            mention: Mention::default(),
        };
        let arrival =
            LinkContext { source: Source::Alertmanager, received_at: newest.at, now, alertmanager: None };
        let queries = link::logs(&alert, arrival, &self.deps.links).unwrap_or_default();
        let links = queries.into_iter().filter_map(|query| query.link);
        links.map(|link| LogLink { is_errors_only: link.kind == LinkKind::Errors, url: link.url }).collect()
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
        detail.silence_matchers = self.shared_matchers(&detail.alerts);
        detail.content = sent_cards::find(store, card).await?;
        Ok(Some(detail))
    }

    /// What a silence of all that fires of these would match, if they have a name in common.
    fn shared_matchers(&self, alerts: &[CardAlert]) -> Option<String> {
        let mut firing = alerts.iter().filter(|alert| alert.status == Status::Firing.as_str());
        let mut shared = firing.next()?.labels.clone();
        for alert in firing {
            shared.retain(|name, value| alert.labels.get(name) == Some(value));
        }
        self.matchers_for(
            &shared.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect(),
        )
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
                ("code", Comparison::Equal) => filter.code = Some(code_of(term)?),
                ("reason", Comparison::Equal) => filter.reason = Some(value),
                ("age", Comparison::Less) => filter.since = Some(ago(term, now)?),
                ("age", Comparison::Greater) => filter.until = Some(ago(term, now)?),
                _ => {
                    return Err(BackendError::Refused(format!(
                        "{term}: expected @receiver=, @outcome=, @name=, @fingerprint=, @card=, @envelope=, @code=, @reason=, @age< or @age>"
                    )));
                }
            }
        }
        Ok(filter)
    }
}

/// How an alert stands at a receiver.
fn standing(one: &TracedTogether<'_>, now: Timestamp) -> AlertStanding {
    let delivered = one.stands.and_then(|row| row.delivered);
    let acts = one.entries.iter().rev();
    let mut silencing =
        acts.filter(|entry| matches!(entry.outcome, HistoryOutcome::Silenced | HistoryOutcome::Unsilenced));
    let silenced = silencing.next().filter(|entry| entry.until.is_some_and(|until| until > now));
    AlertStanding {
        receiver: one.receiver.to_owned(),
        delivered_status: delivered.map(|delivered| delivered.state.status.as_str().to_owned()),
        delivered_at: delivered.map(|delivered| delivered.at),
        waits: one.waiting(now).map(|waiting| AlertWait {
            since: waiting.since,
            until: waiting.until,
            reason: waiting.reason.to_owned(),
            envelope: waiting.envelope.to_string(),
        }),
        acknowledged_by: one.taken_on.map(|by| by.who.clone()),
        acknowledged_at: one.taken_on.map(|by| by.at),
        silenced_until: silenced.and_then(|entry| entry.until),
        silenced_by: silenced.and_then(|entry| entry.reason.clone()),
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
