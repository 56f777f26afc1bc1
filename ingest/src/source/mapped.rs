//! Formats of an operator's own (`sources`): the parts of an alert from where the configuration says they stand. Pure.

use std::borrow::Cow;

use config::{Condition, Part, SourceConfig, SuccessStatus};
use model::alert::Status;
use model::envelope::Source;

use super::event::{SourceEvent, one_line, reading};
use super::node::Node;
use super::reading::AlertReading;
use super::{Because, Context, SourceError, chat_bots, text_alert, time};

/// How many alerts of one body are read; it has to be a body that becomes a tree.
const ITEMS_MAX: usize = 10_000;

/// A body of such a format.
pub(super) struct MappedReading {
    pub(super) because: Because,
    pub(super) reading: AlertReading<'static>,
    pub(super) answer: SuccessStatus,
}

/// Reads a body by the format its address names, or by the first that it has the keys of; `None` if there is none.
pub(super) fn read(body: &str, context: &Context) -> Option<Result<MappedReading, SourceError>> {
    if context.sources.is_empty() && context.named_source.is_none() {
        return None;
    }
    let named = context.named_source.as_deref();
    let node = super::form::read(body).or_else(|| Node::read(body));
    let node = Node::read(body).or(node).unwrap_or_default();
    let source = match named {
        Some(name) => match context.sources.iter().find(|source| source.name == name) {
            Some(source) => source,
            None => return Some(Err(SourceError::NoSuchSource)),
        },
        None => context.sources.iter().find(|source| fits(source, &node))?,
    };
    let circumstance =
        if named.is_some() { "the name in its address" } else { "all that `sources` asks for" };
    let because = Because { keys: Vec::new(), circumstance };
    let read = events(source, &node, context).map(|events| MappedReading {
        because,
        reading: reading(events, Source::Mapped, context),
        answer: source.answer,
    });
    Some(read.map_err(|missing| SourceError::Unknown { nearest: Source::Mapped, missing }))
}

fn fits(source: &SourceConfig, node: &Node<'_>) -> bool {
    !source.when.is_empty() && source.when.iter().all(|condition| holds(condition, node))
}

fn holds(Condition { pointer, value }: &Condition, node: &Node<'_>) -> bool {
    match (node.pointer(pointer), value) {
        (Some(found), Some(value)) => found.text() == value,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn events(
    source: &SourceConfig,
    node: &Node<'_>,
    context: &Context,
) -> Result<Vec<SourceEvent>, &'static str> {
    let whole = std::slice::from_ref(node);
    let items = match &source.items {
        Some(pointer) => node.pointer(pointer).map(Node::items).ok_or("an array where `items` says")?,
        None => whole,
    };
    let events = items.iter().take(ITEMS_MAX).map(|item| event(source, Places { item, body: node }, context));
    events.collect::<Option<Vec<_>>>().ok_or("a text where `name` says")
}

/// Where pointers lead: into the alert, or else into the body around it.
#[derive(Clone, Copy)]
struct Places<'n, 'a> {
    item: &'n Node<'a>,
    body: &'n Node<'a>,
}

impl<'n> Places<'n, '_> {
    fn text(self, pointer: &str) -> &'n str {
        let texts =
            [self.item, self.body].map(|node| node.pointer(pointer).map(Node::text).unwrap_or_default());
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }

    fn part<'p>(self, part: &'p Part) -> Cow<'p, str>
    where
        'n: 'p,
    {
        match part {
            Part::Pointer(pointer) => Cow::Borrowed(self.text(pointer)),
            Part::Text(text) if text.contains("{/") => Cow::Owned(self.filled(text)),
            Part::Text(text) => Cow::Borrowed(text),
        }
    }

    /// `{/pointer}` is what stands there.
    fn filled(self, text: &str) -> String {
        let mut rest = text;
        let mut filled = String::new();
        while let Some((before, pointer, after)) = hole(rest) {
            filled.push_str(before);
            filled.push_str(self.text(pointer));
            rest = after;
        }
        filled.push_str(rest);
        filled.trim().to_owned()
    }

    /// The first of these that says something.
    fn first<'p>(self, parts: &'p [Part]) -> Cow<'p, str>
    where
        'n: 'p,
    {
        parts.iter().map(|part| self.part(part)).find(|text| !text.trim().is_empty()).unwrap_or_default()
    }
}

/// What stands before the first `{/pointer}`, the pointer, and what follows.
fn hole(text: &str) -> Option<(&str, &str, &str)> {
    let at = text.find("{/")?;
    let (pointer, after) = text.get(at + 1..)?.split_once('}')?;
    Some((text.get(..at)?, pointer, after))
}

fn event(source: &SourceConfig, places: Places<'_, '_>, context: &Context) -> Option<SourceEvent> {
    let name = places.first(&source.alert_name);
    if name.trim().is_empty() {
        return None;
    }
    let state = places.first(&source.status);
    let is_over = text_alert::is_over(&state)
        || source.resolved.iter().any(|word| word.eq_ignore_ascii_case(state.trim()));
    let mut event =
        SourceEvent::new(one_line(&name), if is_over { Status::Resolved } else { Status::Firing });
    event.label("severity", &places.first(&source.severity));
    event.summary = places.first(&source.summary).into_owned();
    event.description = places.first(&source.description).into_owned();
    event.link = places.first(&source.link).into_owned();
    event.starts_at = time::instant(&places.first(&source.starts_at), &context.timezone);
    event.ends_at = time::instant(&places.first(&source.ends_at), &context.timezone);
    for (label, part) in &source.labels {
        event.label(label, &places.part(part));
    }
    for pointer in &source.labels_from {
        for node in [places.item, places.body].into_iter().filter_map(|node| node.pointer(pointer)) {
            for (label, value) in node.unpacked().texts() {
                event.label(label, value);
            }
        }
    }
    let owners = places.first(&source.owners);
    let owners = owners.split([',', ';', '，', ' ']).filter(|owner| !owner.is_empty()).map(str::to_owned);
    event.mention = chat_bots::mention(owners.collect(), Vec::new());
    know(&mut event, source, places);
    Some(event)
}

/// By what the configuration says. If nothing of that is there, by all it says: `SourceEvent` sees to that.
fn know(event: &mut SourceEvent, source: &SourceConfig, places: Places<'_, '_>) {
    let parts: Vec<_> = source.identity.iter().map(|part| places.part(part)).collect();
    if parts.iter().all(|part| part.is_empty()) {
        return;
    }
    event.know_by("format", &source.name);
    for part in parts {
        event.know_by("identity", &part);
    }
}

#[cfg(test)]
mod tests {
    use config::{Environment, parse};

    use super::super::test_context::context;
    use super::super::{Parsed, parse as parse_body};
    use super::*;

    fn with(sources: &str, named: Option<&str>) -> Context {
        let config = parse("test.yaml", &format!("sources: {sources}"), Environment::default()).unwrap();
        Context { sources: config.sources.into(), named_source: named.map(str::to_owned), ..context() }
    }

    const WATCH: &str = "{ watch: { when: [/rule_name, /faultCenterId], name: /rule_name, status: /status, resolved: [settled], \
        severity: /severity, summary: 'on {/labels/host}: {/annotations}', starts_at: /first_trigger_time, \
        identity: [/rule_id, /fingerprint], labels_from: /labels, labels: { team: dba }, owners: /duty_user, answer: 200 } }";

    #[test]
    fn a_body_of_a_format_of_ones_own_becomes_an_alert() {
        let body = r#"{"rule_id":"r1","rule_name":"Disk full","fingerprint":"f1","faultCenterId":null,"severity":"P1","status":"alerting",
            "labels":{"host":"db-1"},"annotations":"97 %","first_trigger_time":1772435730,"duty_user":"tom,ou_1"}"#;
        let context = with(WATCH, None);
        let Parsed { envelope, answer, .. } = parse_body(body, &context).unwrap();
        let alert = &envelope.alerts[0];
        let labels: Vec<_> = alert.labels.iter().collect();
        assert_eq!(
            labels,
            [("alertname", "Disk full"), ("host", "db-1"), ("severity", "P1"), ("team", "dba")]
        );
        assert_eq!(alert.annotations.get("summary"), Some("on db-1: 97 %"));
        assert_eq!(
            (alert.mention.usernames[0].as_ref(), alert.mention.open_ids[0].as_ref()),
            ("tom", "ou_1")
        );
        assert_eq!(
            (alert.status, alert.starts_at.unwrap().as_second(), answer),
            (Status::Firing, 1_772_435_730, SuccessStatus::Ok)
        );
        let over = body.replace("alerting", "Settled");
        let over = parse_body(&over, &context).unwrap().envelope.alerts.remove(0);
        assert_eq!((over.status, &over.fingerprint), (Status::Resolved, &alert.fingerprint));
        let other = body.replace("f1", "f2");
        assert_ne!(parse_body(&other, &context).unwrap().envelope.alerts[0].fingerprint, alert.fingerprint);
    }

    #[test]
    fn alerts_in_an_array_look_into_the_body_around_them_and_have_to_have_names() {
        let many = "{ x: { items: /data/list, name: '{/title}', severity: [/level, /default_level], status: /state } }";
        let body = r#"{"default_level":"warning","data":{"list":[{"title":"a","state":"ok"},{"title":"b","level":"info"}]}}"#;
        let context = with(many, Some("x"));
        let alerts = parse_body(body, &context).unwrap().envelope.alerts;
        let told: Vec<_> = alerts
            .iter()
            .map(|alert| (alert.labels.get("alertname"), alert.labels.get("severity"), alert.status))
            .collect();
        assert_eq!(
            told,
            [(Some("a"), Some("warning"), Status::Resolved), (Some("b"), Some("info"), Status::Firing)]
        );
        assert_ne!(alerts[0].fingerprint, alerts[1].fingerprint);
        for (body, says) in [
            (r#"{"data":{"list":[{}]}}"#, "nearest is mapped, which lacks a text where `name` says"),
            (r#"{"data":1}"#, "nearest is mapped, which lacks an array where `items` says"),
        ] {
            assert!(parse_body(body, &context).unwrap_err().to_string().ends_with(says), "{body}");
        }
        let nobody = with(many, Some("y"));
        assert_eq!(parse_body(body, &nobody).unwrap_err(), SourceError::NoSuchSource);
    }

    #[test]
    fn a_group_of_alertmanager_is_one_whatever_a_format_asks_for() {
        let greedy = with("{ all: { when: /status, name: /status } }", None);
        let group = r#"{"status":"firing","alerts":[{"labels":{"alertname":"Down"}}]}"#;
        assert_eq!(parse_body(group, &greedy).unwrap().envelope.source, Source::Alertmanager);
        assert_eq!(parse_body(r#"{"status":"bad"}"#, &greedy).unwrap().envelope.source, Source::Mapped);
    }
}
