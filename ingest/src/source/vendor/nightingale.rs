//! Nightingale (n9e): one event, or an array of events (`models/alert_cur_event.go` of v9.1). The hash is the rule and the
//! series, so it is the same in alert and recovery. Pure.

use model::alert::Status;
use model::envelope::Source;

use super::super::Context;
use super::super::event::{Severity, SourceEvent, reading};
use super::super::node::Node;
use super::super::reading::AlertReading;
use super::super::time;

pub(super) fn read(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let events: Vec<_> = match node {
        Node::List(items) => {
            items.iter().filter(|item| item.is_map()).map(|item| event(item, context)).collect()
        }
        Node::Map(_) | Node::Null | Node::Text(_) => {
            // The channel's template may put the array under a key.
            let inner = node.get("events");
            let items = if inner.items().is_empty() { std::slice::from_ref(node) } else { inner.items() };
            items.iter().map(|item| event(item, context)).collect()
        }
    };
    Ok(reading(events, source, context))
}

fn event(node: &Node<'_>, context: &Context) -> SourceEvent {
    let is_over = matches!(node.text_of("is_recovered"), "true" | "1");
    let status = if is_over { Status::Resolved } else { Status::Firing };
    let mut event = SourceEvent::new(node.text_of("rule_name"), status);
    event.severity = match node.text_of("severity") {
        "1" => Some(Severity::Critical),
        "2" => Some(Severity::Warning),
        "3" => Some(Severity::Info),
        _ => None,
    };
    let at = |name| time::instant(node.text_of(name), &context.timezone);
    // A recovery has the time of its own evaluation under `trigger_time`.
    event.starts_at = at("first_trigger_time").or_else(|| at("trigger_time").filter(|_| !is_over));
    event.ends_at = at("recover_time").or_else(|| at("last_eval_time"));
    for (name, key) in
        [("ident", "target_ident"), ("busigroup", "group_name"), ("datasource", "cluster"), ("cate", "cate")]
    {
        event.label(name, node.text_of(key));
    }
    for (name, value) in node.get("tags_map").texts() {
        event.label(name, value);
    }
    // Without a map they are `k=v`, in an array or with two commas between them.
    for tag in node.get("tags").items().iter().map(Node::text).chain(node.text_of("tags").split(",,")) {
        if let Some((name, value)) = tag.split_once('=') {
            event.label(name.trim(), value.trim());
        }
    }
    for (name, text) in node.get("annotations").texts() {
        event.annotate(name, text);
    }
    node.text_of("rule_note").clone_into(&mut event.description);
    event.annotate("value", node.text_of("trigger_value"));
    node.text_of("runbook_url").clone_into(&mut event.link);
    know(&mut event, node);
    event
}

/// Without a hash it is the rule, and what its tags say.
fn know(event: &mut SourceEvent, node: &Node<'_>) {
    let hash = node.text_of("hash");
    event.know_by("hash", hash);
    if hash.is_empty() {
        event.know_by("rule_id", node.text_of("rule_id"));
        event.know_by("rule_name", node.text_of("rule_name"));
        event.know_by("target_ident", node.text_of("target_ident"));
        let mut tags: Vec<_> =
            node.get("tags_map").texts().map(|(name, value)| format!("{name}={value}")).collect();
        tags.extend(node.get("tags").items().iter().map(|tag| tag.text().to_owned()));
        tags.sort_unstable();
        tags.dedup();
        event.know_by("tags", &tags.join(","));
    }
    event.know_by("sub_rule_id", node.text_of("sub_rule_id").trim_matches('0'));
}
