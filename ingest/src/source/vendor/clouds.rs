//! Azure Monitor's common schema, Google Cloud's monitoring, and Datadog by a payload template. Pure.

use model::alert::Status;
use model::envelope::Source;

use super::super::Context;
use super::super::event::{Severity, SourceEvent, reading};
use super::super::node::Node;
use super::super::reading::AlertReading;
use super::super::time;

pub(super) fn read_azure(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let data = node.get("data");
    let essentials = data.get("essentials");
    let is_common = !essentials.is_empty();
    // The older schema of metric alerts has a status, and the rest in its context.
    let older = data.get("context");
    let part = if is_common { essentials } else { older };
    let name = part.any(&["alertRule", "name"]).text();
    if name.is_empty() {
        return Err("`data.essentials.alertRule`");
    }
    let state = if is_common { part.text_of("monitorCondition") } else { data.text_of("status") };
    let is_over = matches!(state, "Resolved" | "Deactivated");
    let mut event = SourceEvent::new(name, if is_over { Status::Resolved } else { Status::Firing });
    event.severity = match part.text_of("severity") {
        "Sev0" | "0" => Some(Severity::Critical),
        "Sev1" | "Sev2" | "1" | "2" => Some(Severity::Warning),
        "Sev3" | "Sev4" | "3" | "4" => Some(Severity::Info),
        _ => None,
    };
    let at = |key| time::instant(part.text_of(key), &context.timezone);
    event.starts_at = at("firedDateTime");
    event.ends_at = at("resolvedDateTime").or_else(|| at("timestamp"));
    part.text_of("description").clone_into(&mut event.description);
    event.label("service", part.any(&["monitoringService", "resourceType"]).text());
    event.label("signal", part.text_of("signalType"));
    let items = part.get("configurationItems").items().iter().map(Node::text);
    let resource =
        items.chain([part.text_of("resourceName")]).find(|item| !item.is_empty()).unwrap_or_default();
    event.label("instance", resource);
    add_target(&mut event, part);
    let condition = data.at(&["alertContext", "condition", "allOf"]).items().first();
    if let Some(condition) = condition {
        event.label("metric", condition.text_of("metricName"));
        event.annotate("value", condition.text_of("metricValue"));
        let rule = [condition.text_of("operator"), condition.text_of("threshold")].join(" ");
        event.annotate("condition", rule.trim());
    }
    for (name, value) in data.any(&["customProperties", "properties"]).texts() {
        event.label(name, value);
    }
    part.any(&["investigationLink", "portalLink"]).text().clone_into(&mut event.link);
    let id = part.any(&["alertId", "id"]).text();
    event.know_by("alertId", id);
    if !is_common {
        event.know_by("resourceId", part.text_of("resourceId"));
    }
    Ok(reading(vec![event], source, context))
}

/// `/subscriptions/…/resourcegroups/shop/providers/microsoft.compute/virtualmachines/web-1`.
fn add_target(event: &mut SourceEvent, part: &Node<'_>) {
    let target = part.get("alertTargetIDs").items().first().map(Node::text).unwrap_or_default();
    let segments: Vec<_> = target.split('/').filter(|segment| !segment.is_empty()).collect();
    let after = |name: &str| {
        let place = segments.iter().position(|segment| segment.eq_ignore_ascii_case(name))?;
        segments.get(place + 1).copied()
    };
    event.label("resource_group", after("resourcegroups").unwrap_or_default());
    event.label("subscription", after("subscriptions").unwrap_or_default());
    event.label("instance", segments.last().copied().unwrap_or_default());
}

pub(super) fn read_gcp(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let incident = node.get("incident");
    let is_over = incident.text_of("state").eq_ignore_ascii_case("closed");
    let name = incident.any(&["policy_name", "condition_name", "summary"]).text();
    if name.is_empty() {
        return Err("`incident.policy_name`");
    }
    let mut event = SourceEvent::new(name, if is_over { Status::Resolved } else { Status::Firing });
    let labels = incident.get("policy_user_labels");
    let word = incident.text_of("severity");
    let word = if word.is_empty() || word == "No severity" { labels.text_of("severity") } else { word };
    event.severity = match word.to_ascii_lowercase().as_str() {
        "critical" => Some(Severity::Critical),
        "error" | "warning" => Some(Severity::Warning),
        "info" => Some(Severity::Info),
        _ => None,
    };
    event.starts_at = time::instant(incident.text_of("started_at"), &context.timezone);
    event.ends_at = time::instant(incident.text_of("ended_at"), &context.timezone);
    incident.text_of("summary").clone_into(&mut event.summary);
    // The test message has a text where others have an object.
    let documentation = incident.get("documentation");
    let words = if documentation.is_map() { documentation.text_of("content") } else { documentation.text() };
    words.clone_into(&mut event.description);
    event.label("condition", incident.text_of("condition_name"));
    event.label("resource", incident.any(&["resource_display_name", "resource_name"]).text());
    event.label("resource_type", incident.get("resource").text_of("type"));
    event.label("metric", incident.get("metric").any(&["displayName", "type"]).text());
    event.label("project", incident.any(&["scoping_project_id", "project_id"]).text());
    for part in [labels, incident.at(&["resource", "labels"]), incident.at(&["metric", "labels"])] {
        for (name, value) in part.texts() {
            event.label(name, value);
        }
    }
    event.annotate("value", incident.text_of("observed_value"));
    event.annotate("threshold", incident.text_of("threshold_value"));
    incident.text_of("url").clone_into(&mut event.link);
    event.know_by("incident_id", incident.text_of("incident_id"));
    event.know_by("project", incident.any(&["scoping_project_id", "project_id"]).text());
    Ok(reading(vec![event], source, context))
}

pub(super) fn read_datadog(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let transition = node.any(&["alert_transition", "transition"]).text();
    let is_over = transition.contains("Recovered") || transition == "Unmuted";
    let title = node.any(&["title", "alert_title", "event_title"]).text();
    if title.is_empty() {
        return Err("`title`");
    }
    let title = unbracketed(title);
    let mut event = SourceEvent::new(title, if is_over { Status::Resolved } else { Status::Firing });
    event.severity = severity(node, transition);
    event.ends_at = node_time(node, context).filter(|_| is_over);
    // What stands between these marks is markdown, to Datadog.
    let text = node.any(&["body", "event_msg", "text_only_msg"]).text();
    text.replace("%%%", "").trim().clone_into(&mut event.description);
    let scope = node.any(&["scopes", "scope", "alert_scope"]).text();
    for tag in scope.split(',').chain(node.text_of("tags").split(',')) {
        if let Some((name, value)) = tag.trim().split_once(':') {
            event.label(name, value);
        }
    }
    event.label("host", node.text_of("hostname"));
    event.label("org", node.get("org").text_of("name"));
    event.annotate("query", node.text_of("alert_query"));
    node.any(&["url", "link"]).text().clone_into(&mut event.link);
    let monitor = node.any(&["monitor_id", "alert_id"]).text();
    let key = node.any(&["aggreg_key", "aggregation_key"]).text();
    event.know_by("monitor", monitor);
    event.know_by("key", key);
    if monitor.is_empty() && key.is_empty() {
        event.know_by("title", title);
    }
    let mut scope: Vec<_> = scope.split(',').map(str::trim).collect();
    scope.sort_unstable();
    event.know_by("scope", &scope.join(","));
    Ok(reading(vec![event], source, context))
}

fn node_time(node: &Node<'_>, context: &Context) -> Option<jiff::Timestamp> {
    time::instant(node.any(&["last_updated", "date"]).text(), &context.timezone)
}

/// The priority of the monitor, or else how bad the transition is.
fn severity(node: &Node<'_>, transition: &str) -> Option<Severity> {
    match node.any(&["severity", "priority", "alert_priority"]).text() {
        "P1" | "P2" => return Some(Severity::Critical),
        "P3" => return Some(Severity::Warning),
        "P4" | "P5" => return Some(Severity::Info),
        _ => {}
    }
    match node.text_of("alert_type") {
        "error" => Some(Severity::Critical),
        "warning" => Some(Severity::Warning),
        "info" => Some(Severity::Info),
        _ => (transition == "Warn").then_some(Severity::Warning),
    }
}

/// `[P1] [Triggered on {host:web-1}] CPU is high`, without what its state writes before it.
fn unbracketed(title: &str) -> &str {
    let mut rest = title.trim();
    while let Some((mark, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        const STATES: [&str; 9] =
            ["P1", "P2", "P3", "P4", "P5", "Triggered", "Re-Triggered", "Recovered", "Warn"];
        let begins = STATES.iter().any(|state| mark.starts_with(state))
            || mark.starts_with("No ")
            || mark.starts_with("Re-");
        if !begins || after.trim().is_empty() {
            break;
        }
        rest = after.trim_start();
    }
    rest
}
