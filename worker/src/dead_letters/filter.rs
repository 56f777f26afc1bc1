//! Which letters are meant. What is a column is asked of the database, labels of the envelopes themselves.

use std::fmt;

use jiff::Timestamp;
use model::envelope::{Source, decode};
use model::matcher::Matcher;
use queue::{DeadLetterId, Reason};

use super::DeadLetterState;
use crate::store::sql::{Value, places};

/// Which letters are meant; each condition narrows it. Without any it is all of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those with one of these numbers.
    pub ids: Vec<DeadLetterId>,
    /// Those in one of these states; empty: in any.
    pub states: Vec<DeadLetterState>,
    /// Those for this receiver, or for one of its bots.
    pub receiver: Option<String>,
    /// Those that died for this reason.
    pub reason: Option<Reason>,
    /// Those that Feishu refused with this code.
    pub code: Option<i64>,
    /// Those that came in this format.
    pub source: Option<Source>,
    /// Those that died then or later.
    pub since: Option<Timestamp>,
    /// Those that died before then.
    pub until: Option<Timestamp>,
    /// Those with an alert that all of these match.
    pub labels: Vec<Matcher>,
}

/// Some of the letters that are meant: an index has their numbers in order, and the pages of all parts are merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FilterPart {
    /// Those in this state; `None`: in any.
    pub(super) state: Option<DeadLetterState>,
    /// Those with exactly this receiver, which may be one of its bots.
    pub(super) receiver: Option<String>,
}

/// How a page of what is meant is found. `MySQL` calls the indexes so, the others with the table's name before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PageWalk {
    /// By the numbers that are asked for.
    Chosen,
    /// Along the numbers of one state, or of all.
    Number,
    /// Along the numbers of one state and one value of a column: by one of these indexes.
    Columns(Vec<&'static str>),
    /// By the time of the failure, put in order by itself where few are.
    Time,
}

impl Filter {
    /// Whether it says anything but which states: whoever acts on everything has to say so.
    pub fn is_narrow(&self) -> bool {
        !self.ids.is_empty()
            || self.receiver.is_some()
            || self.reason.is_some()
            || self.code.is_some()
            || self.source.is_some()
            || self.since.is_some()
            || self.until.is_some()
            || !self.labels.is_empty()
    }

    /// The states that are asked for, each by itself. An index has the numbers of one state in their order, so where one is
    /// walked along every state is asked for; `None` stands for all of them, in the order of the table.
    pub(super) fn states_asked(&self) -> Vec<Option<DeadLetterState>> {
        if !self.states.is_empty() {
            // Each once, however often it is asked for.
            DeadLetterState::ALL.into_iter().filter(|state| self.states.contains(state)).map(Some).collect()
        } else if matches!(self.walk(), PageWalk::Chosen | PageWalk::Number) && self.receiver.is_none() {
            vec![None]
        } else {
            DeadLetterState::ALL.map(Some).to_vec()
        }
    }

    /// By which index pages are found.
    pub(super) fn walk(&self) -> PageWalk {
        if !self.ids.is_empty() {
            return PageWalk::Chosen;
        }
        let columns = [
            (self.receiver.is_some(), "by_receiver"),
            (self.code.is_some(), "by_code"),
            (self.reason.is_some(), "by_reason"),
            (self.source.is_some(), "by_source"),
        ];
        let columns: Vec<_> =
            columns.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, name)| name).collect();
        if !columns.is_empty() {
            PageWalk::Columns(columns)
        } else if self.since.is_some() || self.until.is_some() {
            PageWalk::Time
        } else {
            PageWalk::Number
        }
    }

    /// The condition on the columns for one part of what is meant, and its values.
    pub(super) fn condition<'v>(&'v self, part: &'v FilterPart) -> (String, Vec<Value<'v>>) {
        let mut parts = vec!["1 = 1".to_owned()];
        let mut values = Vec::new();
        if !self.ids.is_empty() {
            parts.push(format!("id IN ({})", places(self.ids.len())));
            values.extend(self.ids.iter().map(|id| Value::Number(id.0)));
        }
        let compared: [(&str, Value<'_>); 7] = [
            ("state = ?", part.state.map(DeadLetterState::as_str).into()),
            ("receiver = ?", part.receiver.as_deref().into()),
            ("reason = ?", self.reason.map(Reason::as_str).into()),
            ("code = ?", self.code.into()),
            ("source = ?", self.source.map(Source::as_str).into()),
            ("last_failed_ms >= ?", self.since.map(Timestamp::as_millisecond).into()),
            ("last_failed_ms < ?", self.until.map(Timestamp::as_millisecond).into()),
        ];
        for (part, value) in compared {
            if !matches!(value, Value::Null) {
                parts.push(part.to_owned());
                values.push(value);
            }
        }
        (parts.join(" AND "), values)
    }

    /// Whether the body has an alert that all label matchers match.
    pub(super) fn matches(&self, body: &[u8]) -> bool {
        if self.labels.is_empty() {
            return true;
        }
        let Ok(envelope) = decode(body) else { return false };
        envelope.alerts.iter().any(|alert| self.labels.iter().all(|matcher| matcher.matches(&alert.labels)))
    }
}

/// As it is written into the audit trail: the conditions, as they are given on the command line.
impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.ids.iter().map(ToString::to_string);
        let conditions = [
            self.receiver.as_ref().map(|receiver| format!("--receiver {receiver:?}")),
            self.reason.map(|reason| format!("--reason {}", reason.as_str())),
            self.code.map(|code| format!("--code {code}")),
            self.source.map(|source| format!("--source {}", source.as_str())),
            self.since.map(|since| format!("--since {since}")),
            self.until.map(|until| format!("--until {until}")),
        ];
        let labels = self.labels.iter().map(|label| format!("--label '{label}'"));
        let words: Vec<_> = ids.chain(conditions.into_iter().flatten()).chain(labels).collect();
        formatter.write_str(&if words.is_empty() { "--all".to_owned() } else { words.join(" ") })
    }
}
