//! Which letters are meant. What is a column is asked of the database, labels of the envelopes themselves.

use std::fmt;

use config::BOT_MARK;
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

    /// The states that are asked for, each by itself; `None` stands for any.
    pub(super) fn states_asked(&self) -> Vec<Option<DeadLetterState>> {
        if self.states.is_empty() { vec![None] } else { self.states.iter().copied().map(Some).collect() }
    }

    /// The condition on the columns, and its values; of letters in one of these states, or in any. Pages ask for each state by
    /// itself, because an index has the numbers of one state in their order.
    pub(super) fn condition(&self, states: &[DeadLetterState]) -> (String, Vec<Value<'_>>) {
        let mut parts = vec!["1 = 1".to_owned()];
        let mut values = Vec::new();
        if !self.ids.is_empty() {
            parts.push(format!("id IN ({})", places(self.ids.len())));
            values.extend(self.ids.iter().map(|id| Value::Number(id.0)));
        }
        if !states.is_empty() {
            parts.push(format!("state IN ({})", places(states.len())));
            values.extend(states.iter().map(|state| Value::Text(state.as_str())));
        }
        if let Some(name) = self.receiver.as_deref() {
            // All databases count characters here.
            let chars = Value::Chars(i32::try_from(name.chars().count()).unwrap_or(i32::MAX - 1));
            let of_bot = format!("SUBSTR(receiver, 1, ?) = ? AND SUBSTR(receiver, ? + 1, 1) = '{BOT_MARK}'");
            parts.push(format!("(receiver = ? OR ({of_bot}))"));
            values.extend::<[Value<'_>; 4]>([name.into(), chars, name.into(), chars]);
        }
        let compared: [(&str, Value<'_>); 5] = [
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
