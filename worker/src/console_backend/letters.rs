//! Dead letters as the console shows them, and its filters as the database's.

use console::backend::BackendError;
use console::data::{
    ActionRow, Advice, DeadLetterAlert, DeadLetterCount, DeadLetterDetail, DeadLetterPage, DeadLetterRow,
};
use jiff::{SignedDuration, Timestamp};
use model::envelope::{Source, decode};
use model::matcher::{Comparison, Query, QueryTerm};
use model::when::duration;
use queue::{DeadLetterId, Reason};
use serde_json::Value;

use super::ConsoleBackend;
use crate::audit::AuditEntry;
use crate::command::hide_mobiles;
use crate::dead_letters::{
    DeadLetterSearch, DeadLetterState, Filter, FoundDeadLetters, Order, StoredDeadLetter,
};
use crate::feishu::advice::advice;

/// Letters on one page.
const PAGE_LETTERS: usize = 50;
/// Letters that are acted on together; as at the command line.
pub(super) const TOGETHER_MAX: usize = 10_000;
/// Letters whose labels are looked at for one page.
const LOOKED_INTO_MAX: usize = 2_000;
/// Bytes shown of what nobody can read.
const BYTES_SHOWN_MAX: usize = 4 * 1024;

impl ConsoleBackend {
    pub(super) async fn letters_page(
        &self,
        query: &Query,
        before: Option<i64>,
    ) -> Result<DeadLetterPage, BackendError> {
        let now = self.deps.clock.now();
        let filter = filter_of(query, now)?;
        let search = DeadLetterSearch {
            order: Order::NewestFirst,
            after: before.map(DeadLetterId),
            most: PAGE_LETTERS,
            looked_into_max: LOOKED_INTO_MAX,
        };
        let found = self.deps.letters.search(&filter, search).await?;
        Ok(DeadLetterPage {
            before: found.next.map(|next| next.0),
            looked_into: found.looked_into,
            letters: found.letters.iter().map(row).collect(),
            matching: self.matching(query, now).await?,
        })
    }

    /// How many of those that match wait, and failed before `until`: what is done to all of them is done to these.
    pub(super) async fn matching(
        &self,
        query: &Query,
        until: Timestamp,
    ) -> Result<DeadLetterCount, BackendError> {
        let filter = waiting_of(query, until, self.deps.clock.now())?;
        if filter.labels.is_empty() {
            let count = self.deps.letters.count(&filter, TOGETHER_MAX + 1).await?;
            return Ok(DeadLetterCount {
                count: count.min(TOGETHER_MAX),
                is_more: count > TOGETHER_MAX,
                until,
            });
        }
        let found = self.all_of(&filter).await?;
        Ok(DeadLetterCount { count: found.letters.len(), is_more: found.next.is_some(), until })
    }

    /// The letters that are acted on together: the oldest first.
    pub(super) async fn all_of(&self, filter: &Filter) -> Result<FoundDeadLetters, BackendError> {
        let search = DeadLetterSearch {
            order: Order::OldestFirst,
            after: None,
            most: TOGETHER_MAX,
            looked_into_max: LOOKED_INTO_MAX,
        };
        Ok(self.deps.letters.search(filter, search).await?)
    }

    pub(super) async fn letter_detail(&self, id: i64) -> Result<Option<DeadLetterDetail>, BackendError> {
        let id = DeadLetterId(id);
        let filter = Filter { ids: vec![id], ..Filter::default() };
        let found = self.deps.letters.find(&filter, Order::NewestFirst, 1).await?;
        let Some(letter) = found.first() else { return Ok(None) };
        let contents = self.deps.letters.contents(&[id]).await?;
        let Some((_, content)) = contents.into_iter().next() else { return Ok(None) };
        let actions: Vec<i64> = letter.changed_by.into_iter().collect();
        let actions = self.deps.letters.audit_of(&actions).await?;
        let readable = decode(content.body.trim_ascii_end()).ok();
        let alerts = readable.iter().flat_map(|envelope| &envelope.alerts).map(|alert| DeadLetterAlert {
            identity: alert.fingerprint.as_str().to_owned(),
            name: alert.labels.get("alertname").unwrap_or_default().to_owned(),
            status: alert.status.as_str().to_owned(),
            labels: alert.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        });
        let advice = letter.code.map(|code| advice(Some(code)));
        let advice = advice.map(|text| Advice { en: text.en, zh: text.zh });
        Ok(Some(DeadLetterDetail {
            letter: row(letter),
            advice,
            contents: alerts.collect(),
            payload: payload(&content.body),
            refused_card: content.card.as_deref().map(refused_card),
            action: actions.first().map(action_row),
        }))
    }
}

/// A letter as the pages have it.
pub(super) fn row(letter: &StoredDeadLetter) -> DeadLetterRow {
    DeadLetterRow {
        id: letter.id.0,
        state: letter.state.clone(),
        outcome: letter.outcome.clone(),
        receiver: letter.receiver.clone(),
        reason: letter.reason.clone(),
        code: letter.code,
        message: letter.message.clone(),
        attempts: letter.attempts,
        first_failed_at: letter.first_failed_at,
        last_failed_at: letter.last_failed_at,
        changed_at: letter.changed_at,
        changed_by: letter.changed_by,
        envelope: letter.envelope.map(|envelope| envelope.to_string()),
        source: letter.source.clone(),
        alerts: letter.alerts,
        summary: letter.summary.clone(),
        is_whole: letter.is_whole(),
    }
}

/// A line of the trail as the pages have it.
pub(super) fn action_row(entry: &AuditEntry) -> ActionRow {
    ActionRow {
        id: entry.id,
        at: entry.at,
        who: entry.who.clone(),
        action: entry.action.clone(),
        chosen: entry.chosen.clone(),
        reason: entry.reason.clone(),
        meant: entry.letters,
        done: entry.done,
        outcome: entry.outcome.clone(),
    }
}

/// As it was taken, but for numbers of telephones.
fn payload(body: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(body) else {
        return body[..body.len().min(BYTES_SHOWN_MAX)].escape_ascii().to_string();
    };
    if !text.contains("\"mobiles\"") {
        return text.trim_end().to_owned();
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut envelope) => {
            hide_mobiles(&mut envelope);
            envelope.to_string()
        }
        Err(_) => text.chars().take(BYTES_SHOWN_MAX).filter(|c| !c.is_ascii_digit()).collect(),
    }
}

fn refused_card(card: &[u8]) -> String {
    let Ok(card) = serde_json::from_slice::<Value>(card) else { return card.escape_ascii().to_string() };
    serde_json::to_string_pretty(&card["card"]).unwrap_or_default()
}

/// The letters a filter means; those that wait or are being sent, where it says nothing of states.
pub(super) fn filter_of(query: &Query, now: Timestamp) -> Result<Filter, BackendError> {
    let mut filter = Filter { labels: query.labels.clone(), ..Filter::default() };
    for term in &query.terms {
        let value = term.value.as_str();
        match (term.name.as_str(), term.comparison) {
            ("receiver", Comparison::Equal) => filter.receiver = Some(value.to_owned()),
            ("reason", Comparison::Equal) => filter.reason = Some(one_of(term, Reason::ALL, Reason::as_str)?),
            ("source", Comparison::Equal) => filter.source = Some(one_of(term, Source::ALL, Source::as_str)?),
            ("state", Comparison::Equal) => {
                filter.states.push(one_of(term, DeadLetterState::ALL, DeadLetterState::as_str)?);
            }
            ("code", Comparison::Equal) => filter.code = Some(code_of(term)?),
            ("age", Comparison::Less) => filter.since = Some(ago(term, now)?),
            ("age", Comparison::Greater) => filter.until = Some(ago(term, now)?),
            _ => {
                return Err(refused(format!(
                    "{term}: expected @receiver=, @reason=, @code=, @state=, @source=, @age< or @age>"
                )));
            }
        }
    }
    if filter.states.is_empty() {
        filter.states = vec![DeadLetterState::Waiting, DeadLetterState::Replaying];
    }
    Ok(filter)
}

/// Those of them that wait, and failed before then.
pub(super) fn waiting_of(query: &Query, until: Timestamp, now: Timestamp) -> Result<Filter, BackendError> {
    let filter = filter_of(query, now)?;
    let until = Some(filter.until.map_or(until, |asked| asked.min(until)));
    Ok(Filter { states: vec![DeadLetterState::Waiting], until, ..filter })
}

fn refused(sentence: String) -> BackendError {
    BackendError::Refused(sentence)
}

/// The code that is meant.
pub(super) fn code_of(term: &QueryTerm) -> Result<i64, BackendError> {
    term.value.parse().map_err(|_| refused(format!("{term}: expected a number")))
}

/// The moment so long ago.
pub(super) fn ago(term: &QueryTerm, now: Timestamp) -> Result<Timestamp, BackendError> {
    let age = duration(&term.value).map_err(|error| refused(format!("{term}: {error}")))?;
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    Ok(now.checked_sub(age).unwrap_or(Timestamp::MIN))
}

/// The word that is meant.
pub(super) fn one_of<T: Copy, const N: usize>(
    term: &QueryTerm,
    all: [T; N],
    word: fn(T) -> &'static str,
) -> Result<T, BackendError> {
    let known = all.into_iter().find(|one| word(*one) == term.value);
    known.ok_or_else(|| refused(format!("{term}: expected one of {}", all.map(word).join(", "))))
}
