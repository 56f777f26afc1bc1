//! Where the pages lead to each other, and what several of them have: the filter, the labels, the words for outcomes. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use maud::{Markup, html};
use model::matcher::{Matcher, Query};
use url::form_urlencoded::Serializer;

use crate::frame::Frame;
use crate::language::Language;

impl Frame<'_> {
    /// A page with a query.
    fn with_query(&self, path: &str, pairs: &[(&str, &str)]) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        let query = query.finish();
        if query.is_empty() { self.to(path) } else { format!("{}?{query}", self.to(path)) }
    }

    /// A list, filtered.
    pub(crate) fn filtered(&self, path: &str, query: &Query) -> String {
        self.with_query(path, &[("q", &query.to_string())])
    }

    /// The dead letters of a receiver.
    pub(crate) fn letters_of_receiver(&self, name: &str) -> String {
        self.filtered("/dead-letters", &Query::default().and("receiver", name))
    }

    /// What happened to a receiver's alerts.
    pub(crate) fn history_of_receiver(&self, name: &str) -> String {
        self.filtered("/alerts", &Query::default().and("receiver", name))
    }

    /// Where the button that tests a receiver leads.
    pub(crate) fn test_of_receiver(&self, name: &str) -> String {
        format!("{}/test", self.to(&segment("/receivers", name)))
    }

    /// The life of an alert.
    pub(crate) fn alert(&self, identity: &str) -> String {
        self.to(&segment("/alerts", identity))
    }

    /// The form that makes a silence, filled in.
    pub(crate) fn new_silence(&self, matchers: &str) -> String {
        self.with_query("/silences/new", &[("matchers", matchers)])
    }

    /// A card.
    pub(crate) fn card(&self, card: &str) -> String {
        self.to(&segment("/cards", card))
    }

    /// Since when something is so.
    pub(crate) fn since(&self, at: Timestamp) -> Markup {
        html! { (self.say("since ", "始于 ")) (self.time(at)) }
    }

    /// What a form carries along.
    pub(crate) fn form_token(&self) -> Markup {
        html! {
            @if !self.identity.form_token.is_empty() {
                input type="hidden" name="token" value=(self.identity.form_token);
            }
        }
    }
}

/// Where tests of a receiver are looked at, below the prefix.
pub(crate) fn tests_path(receiver: &str, envelopes: &[String]) -> String {
    format!("{}/tests/{}", segment("/receivers", receiver), envelopes.join(","))
}

/// A name as a part of a path.
fn segment(path: &str, name: &str) -> String {
    format!("{path}/{}", percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC))
}

/// The filter of a list, kept in its address.
pub(crate) fn filter_form(frame: &Frame<'_>, path: &str, query: &str, example: &str) -> Markup {
    html! {
        form.filter method="get" action=(frame.to(path)) role="search" {
            input type="search" name="q" value=(query) placeholder=(example) spellcheck="false" autocapitalize="off"
                aria-label=(frame.say("Filter: matchers as in Alertmanager, and @names", "过滤：Alertmanager 匹配语法，以及 @ 条件"));
            button type="submit" { (frame.say("Filter", "过滤")) }
            @if !query.is_empty() { a.button href=(frame.to(path)) { (frame.say("Clear", "清除")) } }
        }
    }
}

/// Labels; each leads to the alerts that have it, where a frame is given.
pub(crate) fn labels_list(labels: &BTreeMap<String, String>, frame: Option<&Frame<'_>>) -> Markup {
    html! {
        ul.labels {
            @for (name, value) in labels {
                li {
                    @match frame.and_then(|frame| Some(frame.filtered("/alerts", &with_label(name, value)?))) {
                        Some(address) => { a href=(address) { i { (name) "=" } (value) } },
                        None => { span { i { (name) "=" } (value) } },
                    }
                }
            }
        }
    }
}

/// Matchers that want exactly these labels.
pub(crate) fn matchers_of(labels: &BTreeMap<String, String>) -> String {
    let each = labels.iter().map(|(name, value)| Matcher::equal(name, value).to_string());
    each.collect::<Vec<_>>().join(", ")
}

/// A filter for one label; `None` if such a name cannot be asked for.
pub(crate) fn with_label(name: &str, value: &str) -> Option<Query> {
    let quoted = |text: &str| text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
    let matcher = format!("\"{}\"=\"{}\"", quoted(name), quoted(value)).parse().ok()?;
    Some(Query { labels: vec![matcher], terms: Vec::new() })
}

/// What became of something, in a word that shows how good that is.
pub(crate) fn outcome_of(language: Language, state: &str, outcome: Option<&str>) -> Markup {
    let word = match (state, outcome) {
        ("waiting", Some("dead_lettered_again")) => language.say("failed again", "再次失败"),
        ("waiting", _) => language.say("waiting", "等待处理"),
        ("replaying", _) => language.say("being sent", "重放中"),
        ("replayed", Some("delivered_since")) => language.say("delivered since", "其间已送达"),
        ("replayed", Some("resolved_since")) => language.say("resolved since", "其间已恢复"),
        ("discarded", _) => language.say("discarded", "已丢弃"),
        ("replayed" | "delivered", _) => language.say("delivered", "已送达"),
        ("summarised", _) => language.say("summarised", "已汇总"),
        ("duplicate", _) => language.say("duplicate", "重复"),
        ("superseded", _) => language.say("superseded", "已取代"),
        ("expected", _) => language.say("expected", "按预期收到"),
        ("dead_lettered", _) => language.say("dead-lettered", "进入死信"),
        ("deferred", _) => language.say("deferred", "延后"),
        ("firing", _) => language.say("firing", "触发"),
        ("resolved", _) => language.say("resolved", "恢复"),
        ("acknowledged", _) => language.say("acknowledged", "已认领"),
        ("unacknowledged", _) => language.say("no longer acknowledged", "取消认领"),
        ("silenced", _) => language.say("silenced", "已静默"),
        ("unsilenced", _) => language.say("silence ended", "取消静默"),
        (other, _) => other,
    };
    html! { span.badge.(tone_of(state, outcome)) { (word) } }
}

/// How good that is.
pub(crate) fn tone_of(state: &str, outcome: Option<&str>) -> &'static str {
    match (state, outcome) {
        ("waiting", Some(_)) | ("dead_lettered" | "firing", _) => "bad",
        ("waiting" | "replaying" | "deferred", _) => "warn",
        ("replayed" | "delivered" | "summarised" | "resolved", _) => "good",
        _ => "plain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_narrows_a_filter_whatever_is_in_it() {
        for (name, value) in [("team", "shop"), ("a b", "x\"y\\z\nw"), ("路径", "</script>")] {
            let query = with_label(name, value).unwrap();
            let again = Query::read(&query.to_string()).unwrap();
            assert_eq!((again.labels[0].name(), again.labels[0].equal_value()), (name, Some(value)));
        }
    }

    #[test]
    fn a_name_stays_one_part_of_a_path() {
        assert_eq!(segment("/alerts", "a/b?c d"), "/alerts/a%2Fb%3Fc%20d");
    }
}
