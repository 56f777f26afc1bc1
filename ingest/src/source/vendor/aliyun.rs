//! Alibaba Cloud: CloudMonitor 1.0 (a form, or JSON with the same keys), CloudMonitor 2.0 (`CloudEvents`), and the Simple Log
//! Service. Pure.

use std::borrow::Cow;

use model::alert::Status;
use model::envelope::Source;

use super::super::Context;
use super::super::event::{Severity, SourceEvent, lines, reading};
use super::super::node::Node;
use super::super::reading::AlertReading;
use super::super::time;

/// Labels of dimensions that say which thing it is, best first.
const INSTANCES: [&str; 6] = ["instanceId", "instance_id", "instanceName", "node", "device", "ip"];

/// CloudMonitor's threshold alerts, and its events, which have a `product` and a `name`.
pub(super) fn read_cms(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let event = if node.has("alertState") || node.has("metricName") {
        threshold(node, context)
    } else if node.has("specversion") {
        cloud_event(node, context)
    } else {
        system_event(node, context)
    };
    Ok(reading(vec![event], source, context))
}

/// The word `null` stands for nothing in its forms.
fn said<'n>(node: &'n Node<'_>, key: &str) -> &'n str {
    let text = node.text_of(key);
    if matches!(text, "null" | "None" | "undefined") { "" } else { text }
}

fn threshold(node: &Node<'_>, context: &Context) -> SourceEvent {
    let state = said(node, "alertState").to_ascii_uppercase();
    let status = if state == "OK" { Status::Resolved } else { Status::Firing };
    let name = said(node, "alertName");
    let name = if name.is_empty() { said(node, "metricName") } else { name };
    let mut event = SourceEvent::new(name, status);
    let level =
        if status == Status::Resolved { said(node, "preTriggerLevel") } else { said(node, "triggerLevel") };
    event.severity = severity(level);
    // It says when it was measured, and not since when: an alert and its repeats have different times.
    if status == Status::Resolved {
        event.ends_at = time::instant(said(node, "timestamp"), &context.timezone);
    }
    for (label, key) in [
        ("instance", "instanceName"),
        ("metric", "metricName"),
        ("namespace", "namespace"),
        ("project", "metricProject"),
        ("group", "productGroupName"),
        ("region", "regionName"),
        ("account", "userId"),
    ] {
        event.label(label, said(node, key));
    }
    let dimensions = dimensions(node.get("dimensions"));
    for (name, value) in &dimensions {
        event.label(name, value);
    }
    if let Some((_, instance)) = dimensions.iter().find(|(name, _)| INSTANCES.contains(&name.as_str())) {
        event.label("instance", instance);
    }
    if state == "INSUFFICIENT_DATA" {
        event.annotate("state", "no data");
    }
    let value = format!("{}{}", said(node, "curValue"), said(node, "unit"));
    event.annotate("value", &value);
    event.description =
        lines([("expression", said(node, "expression")), ("lasting", said(node, "lastTime"))]);
    event.know_by("ruleId", said(node, "ruleId"));
    if !event.is_known() {
        event.know_by("alertName", said(node, "alertName"));
        event.know_by("userId", said(node, "userId"));
        event.know_by("metricName", said(node, "metricName"));
    }
    event.know_by("dimensions", &joined(dimensions));
    event
}

fn severity(level: &str) -> Option<Severity> {
    match level.to_ascii_uppercase().as_str() {
        "CRITICAL" | "EMERGENCY" | "P1" => Some(Severity::Critical),
        "WARN" | "WARNING" | "NODATA" | "P2" | "P3" => Some(Severity::Warning),
        "INFO" | "P4" => Some(Severity::Info),
        _ => None,
    }
}

/// `{k=v, k=v}` as Java prints maps, or JSON, or an array of JSON.
fn dimensions(node: &Node<'_>) -> Vec<(String, String)> {
    let unpacked = node.unpacked();
    let maps: Vec<&Node<'_>> =
        if unpacked.is_map() { vec![&*unpacked] } else { unpacked.items().iter().collect() };
    let mut pairs: Vec<(String, String)> = maps
        .into_iter()
        .flat_map(|map| {
            map.texts().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
        })
        .collect();
    let printed = unpacked.text();
    if let Some(inner) = printed.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        let printed = inner.split(", ").filter_map(|pair| pair.split_once('='));
        pairs.extend(printed.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())));
    }
    pairs.sort_unstable();
    pairs
}

fn joined(pairs: Vec<(String, String)>) -> String {
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

/// CloudMonitor 2.0.
fn cloud_event(node: &Node<'_>, context: &Context) -> SourceEvent {
    let state = said(node, "status").to_ascii_uppercase();
    let is_over = matches!(&*state, "RESOLVED" | "RECOVERED") || said(node, "subtype").ends_with("RESOLVE");
    let status = if is_over { Status::Resolved } else { Status::Firing };
    let name = node.any(&["subject", "alertName", "ruleName", "ruleId"]).text();
    let mut event = SourceEvent::new(name, status);
    event.severity = severity(said(node, "severity"));
    let at = time::instant(node.any(&["time", "timestamp"]).text(), &context.timezone);
    event.ends_at = at.filter(|_| is_over);
    said(node, "alertMessage").clone_into(&mut event.description);
    for part in [node.get("labels"), node.at(&["resource", "tags"])] {
        for (name, value) in part.texts() {
            event.label(name, value);
        }
    }
    let entity = node.at(&["resource", "entity"]);
    event.label("entity", entity.any(&["entity_id", "entityId"]).text());
    event.label("entity_type", entity.any(&["entity_type", "entityType"]).text());
    event.label("workspace", said(node, "workspace"));
    event.label("account", said(node, "userId"));
    for (name, text) in node.get("annotations").texts() {
        event.annotate(name, text);
    }
    event.annotate("value", node.get("data").text_of("value"));
    node.any(&["alertHistoryUrl", "alertRuleUrl", "ruleUrl", "entityUrl"]).text().clone_into(&mut event.link);
    event.know_by("ruleId", said(node, "ruleId"));
    event.know_by("alertEntityId", said(node, "alertEntityId"));
    if said(node, "alertEntityId").is_empty() {
        event.know_by("entity", entity.any(&["entity_id", "entityId"]).text());
        event.know_by("labels", &joined(dimensions(node.get("labels"))));
        event.know_by("subject", name);
    }
    event
}

/// An event of a product of theirs: `{product, name, level, status, resourceId, content}`.
fn system_event(node: &Node<'_>, context: &Context) -> SourceEvent {
    let name = said(node, "name");
    let state = said(node, "status").to_ascii_lowercase();
    let is_over =
        matches!(&*state, "normal" | "resolved" | "executed" | "finished") && name.contains("Recover");
    let mut event = SourceEvent::new(name, if is_over { Status::Resolved } else { Status::Firing });
    event.severity = severity(said(node, "level"));
    for (label, key) in [
        ("product", "product"),
        ("region", "regionId"),
        ("resource", "resourceId"),
        ("instance", "instanceName"),
    ] {
        event.label(label, said(node, key));
    }
    event.starts_at = time::instant(node.any(&["eventTime", "ts"]).text(), &context.timezone);
    let details = node.get("content");
    event.description =
        if details.text().is_empty() { lines(details.texts()) } else { details.text().to_owned() };
    event.know_by("id", said(node, "id"));
    event
}

/// The Simple Log Service: one alert, or an array of them.
pub(super) fn read_sls(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let alone = std::slice::from_ref(node);
    let items = if node.is_map() { alone } else { node.items() };
    let events: Vec<_> =
        items.iter().filter(|item| item.is_map()).map(|item| log_alert(item, context)).collect();
    Ok(reading(events, source, context))
}

/// Which of them its template writes: the document says snake case, some write the other.
fn either<'n>(node: &'n Node<'_>, snake: &'static str, camel: &'static str) -> &'n str {
    node.any(&[snake, camel]).text()
}

fn log_alert(node: &Node<'_>, context: &Context) -> SourceEvent {
    let resolved_at = time::instant(either(node, "resolve_time", "resolveTime"), &context.timezone);
    let state = said(node, "status").to_ascii_lowercase();
    let is_over = state == "resolved" || (state.is_empty() && resolved_at.is_some());
    let annotations = node.get("annotations").unpacked();
    let title = annotations.text_of("title");
    let name = either(node, "alert_name", "alertName");
    let id = either(node, "alert_id", "alertId");
    let name = [name, title, id].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let mut event = SourceEvent::new(name, if is_over { Status::Resolved } else { Status::Firing });
    event.severity = match said(node, "severity") {
        "10" | "8" => Some(Severity::Critical),
        "6" | "4" => Some(Severity::Warning),
        "2" => Some(Severity::Info),
        word => severity(word),
    };
    event.starts_at = time::instant(either(node, "fire_time", "fireTime"), &context.timezone);
    event.ends_at = resolved_at;
    let labels = node.get("labels").unpacked();
    for (name, value) in labels.texts() {
        event.label(name, value);
    }
    event.label("project", said(node, "project"));
    event.label("region", said(node, "region"));
    title.clone_into(&mut event.summary);
    annotations.text_of("desc").clone_into(&mut event.description);
    for (name, text) in annotations.texts().filter(|(name, _)| !matches!(*name, "title" | "desc")) {
        event.annotate(name, text);
    }
    let link = node.any(&["signin_url", "signinUrl", "alert_url", "query_url"]).text();
    event.link = Cow::Borrowed(link).into_owned();
    let fingerprint = said(node, "fingerprint");
    event.know_by("fingerprint", fingerprint);
    event.know_by("alert_id", id);
    event.know_by("project", said(node, "project"));
    if fingerprint.is_empty() {
        event.know_by("instance", either(node, "alert_instance_id", "alertInstanceId"));
        event.know_by("labels", &joined(dimensions(node.get("labels"))));
    }
    event
}
