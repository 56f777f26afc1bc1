//! Sentry, Uptime Kuma, Argo CD, Kubernetes' events and Falco. Pure.

use model::alert::Status;
use model::envelope::Source;

use super::super::Context;
use super::super::event::{Severity, SourceEvent, lines, one_line, reading};
use super::super::node::Node;
use super::super::reading::AlertReading;
use super::super::time;

/// What of a Falco event tells it from others of its rule.
const FALCO_FIELDS: [&str; 7] =
    ["k8s.ns.name", "k8s.pod.name", "container.id", "proc.cmdline", "fd.name", "user.name", "evt.type"];

pub(super) fn read_sentry(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let data = node.get("data");
    let action = node.text_of("action");
    let event = if data.has("metric_alert") {
        metric_alert(data, action, context)
    } else if data.has("issue") && data.get("event").is_empty() {
        issue(data.get("issue"), action)
    } else if data.has("event") || data.has("error") {
        error_event(data.any(&["event", "error"]), data.text_of("triggered_rule"))
    } else if node.has("culprit") || node.has("project_name") {
        of_plugin(node)
    } else {
        // An integration is installed, or somebody writes a comment.
        return Ok(AlertReading::default());
    };
    if event.name.is_empty() {
        return Err("a title");
    }
    Ok(reading(vec![event], source, context))
}

fn level(word: &str) -> Option<Severity> {
    match word {
        "fatal" | "error" | "critical" => Some(Severity::Critical),
        "warning" => Some(Severity::Warning),
        "info" | "debug" | "sample" => Some(Severity::Info),
        _ => None,
    }
}

fn metric_alert(data: &Node<'_>, action: &str, context: &Context) -> SourceEvent {
    let alert = data.get("metric_alert");
    let rule = alert.get("alert_rule");
    let name = [rule.text_of("name"), alert.text_of("title"), data.text_of("description_title")];
    let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let is_over = action == "resolved";
    let mut event = SourceEvent::new(name, if is_over { Status::Resolved } else { Status::Firing });
    event.severity = level(action);
    event.starts_at = time::instant(alert.text_of("date_started"), &context.timezone);
    event.ends_at = time::instant(alert.text_of("date_closed"), &context.timezone);
    data.text_of("description_text").clone_into(&mut event.description);
    data.text_of("web_url").clone_into(&mut event.link);
    for project in alert.get("projects").items() {
        event.label("project", project.text());
    }
    event.know_by("metric_alert", alert.any(&["identifier", "id"]).text());
    event.know_by("rule", rule.any(&["id", "name"]).text());
    event
}

fn issue(issue: &Node<'_>, action: &str) -> SourceEvent {
    let is_over = action == "resolved" || action == "archived" || action == "ignored";
    let mut event =
        SourceEvent::new(issue.text_of("title"), if is_over { Status::Resolved } else { Status::Firing });
    event.severity = level(issue.text_of("level"));
    issue.text_of("culprit").clone_into(&mut event.description);
    event.label("project", issue.get("project").any(&["slug", "name"]).text());
    event.label("issue", issue.text_of("shortId"));
    issue.any(&["web_url", "permalink", "url"]).text().clone_into(&mut event.link);
    event.know_by("issue", issue.text_of("id"));
    event
}

fn error_event(error: &Node<'_>, rule: &str) -> SourceEvent {
    let mut event = SourceEvent::new(error.any(&["title", "message"]).text(), Status::Firing);
    event.severity = level(error.text_of("level"));
    error.any(&["culprit", "location", "message"]).text().clone_into(&mut event.description);
    event.label("rule", rule);
    for key in ["environment", "platform", "release"] {
        event.label(key, error.text_of(key));
    }
    add_sentry_tags(&mut event, error);
    error.any(&["web_url", "url"]).text().clone_into(&mut event.link);
    // Its own id is of one occurrence.
    event.know_by("issue", error.any(&["issue_id", "issue"]).text());
    if !event.is_known() {
        event.know_by("title", error.any(&["title", "message"]).text());
        event.know_by("culprit", error.any(&["culprit", "location"]).text());
        event.know_by("project", error.text_of("project"));
    }
    event
}

fn add_sentry_tags(event: &mut SourceEvent, error: &Node<'_>) {
    for tag in error.get("tags").items() {
        let pair = tag.items();
        if let [name, value] = pair {
            event.label(name.text(), value.text());
        }
        event.label(tag.text_of("key"), tag.text_of("value"));
    }
}

fn of_plugin(node: &Node<'_>) -> SourceEvent {
    let inner = node.get("event");
    let title = [inner.text_of("title"), node.text_of("message"), node.text_of("culprit")];
    let title = title.into_iter().find(|title| !title.is_empty()).unwrap_or_default();
    let mut event = SourceEvent::new(one_line(title), Status::Firing);
    event.severity = level(node.text_of("level"));
    node.text_of("culprit").clone_into(&mut event.description);
    event.label("project", node.any(&["project_slug", "project", "project_name"]).text());
    add_sentry_tags(&mut event, inner);
    node.text_of("url").clone_into(&mut event.link);
    event.know_by("issue", node.text_of("id"));
    if event.is_known() {
        event.know_by("project", node.any(&["project_slug", "project"]).text());
    }
    event
}

pub(super) fn read_uptime_kuma(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let heartbeat = node.get("heartbeat").unpacked();
    let monitor = node.get("monitor").unpacked();
    let message = node.text_of("msg");
    // Tests and words about certificates have neither.
    if heartbeat.is_empty() {
        if message.is_empty() {
            return Err("`msg`");
        }
        let mut event = SourceEvent::new(one_line(message), Status::Firing);
        message.clone_into(&mut event.description);
        event.severity = Some(Severity::Warning);
        event.is_test = message.ends_with("Testing");
        event.know_by("message", message);
        return Ok(reading(vec![event], source, context));
    }
    let status = match heartbeat.text_of("status") {
        "1" => Status::Resolved,
        "0" => Status::Firing,
        // Pending, or under maintenance: it is not known, or meant.
        _ => return Ok(AlertReading::default()),
    };
    let name = monitor.any(&["name", "pathName"]).text();
    let mut event = SourceEvent::new(if name.is_empty() { one_line(message) } else { name }, status);
    event.severity = Some(Severity::Critical);
    // Times are UTC, unlike anywhere else; of a beat, and not of the beginning.
    let at = time::instant(heartbeat.text_of("time"), &jiff::tz::TimeZone::UTC);
    event.ends_at = at.filter(|_| status == Status::Resolved);
    heartbeat.text_of("msg").clone_into(&mut event.description);
    let target = monitor.any(&["url", "hostname"]).text();
    event.label("instance", if target == "https://" { monitor.text_of("hostname") } else { target });
    event.label("type", monitor.text_of("type"));
    for tag in monitor.get("tags").items() {
        event.label(tag.text_of("name"), tag.text_of("value"));
    }
    event.annotate("ping_milliseconds", heartbeat.text_of("ping"));
    event.link = if target == "https://" { String::new() } else { monitor.text_of("url").to_owned() };
    let id = heartbeat.any(&["monitorID", "monitor_id"]).text();
    event.know_by("monitor", if id.is_empty() { monitor.text_of("id") } else { id });
    event.know_by("name", name);
    Ok(reading(vec![event], source, context))
}

pub(super) fn read_kubernetes(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let object = node.any(&["involvedObject", "regarding"]);
    let reason = node.text_of("reason");
    let kind = object.text_of("kind");
    let namespace = object.text_of("namespace");
    let name = object.text_of("name");
    let mut event = SourceEvent::new(reason, Status::Firing);
    event.severity = match node.text_of("type") {
        "Warning" => Some(Severity::Warning),
        "Normal" => Some(Severity::Info),
        _ => None,
    };
    let place = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
    format!("{reason}: {kind} {place}").trim().clone_into(&mut event.summary);
    node.any(&["message", "note"]).text().clone_into(&mut event.description);
    event.label("cluster", node.text_of("clusterName"));
    event.label("namespace", namespace);
    event.label("kind", kind);
    event.label(if kind == "Pod" { "pod" } else { "name" }, name);
    event.label("node", node.get("source").text_of("host"));
    event.label("component", node.any(&["reportingComponent"]).text());
    event.label("component", node.get("source").text_of("component"));
    for (name, value) in object.get("labels").texts() {
        event.label(name, value);
    }
    event.annotate("count", node.text_of("count"));
    for (key, value) in [
        ("cluster", node.text_of("clusterName")),
        ("object", object.text_of("uid")),
        ("reason", reason),
        ("part", object.text_of("fieldPath")),
    ] {
        event.know_by(key, value);
    }
    if object.text_of("uid").is_empty() {
        event.know_by("name", &format!("{kind} {place}"));
    }
    Ok(reading(vec![event], source, context))
}

/// An application as a whole, under `app`: what our template sends (docs/senders.md).
pub(super) fn read_argo_cd(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let app = node.any(&["app", "application"]).unpacked();
    let app = if app.is_map() { app } else { std::borrow::Cow::Borrowed(node) };
    let metadata = app.get("metadata");
    let name = metadata.text_of("name");
    if name.is_empty() {
        return Err("`app.metadata.name`");
    }
    let state = app.get("status");
    let health = state.at(&["health", "status"]).text();
    let sync = state.at(&["sync", "status"]).text();
    let operation = state.get("operationState");
    let phase = operation.text_of("phase");
    let is_failed = matches!(phase, "Failed" | "Error");
    let is_bad = is_failed || matches!(health, "Degraded" | "Missing" | "Unknown") || sync == "Unknown";
    let is_off = is_bad || sync == "OutOfSync" || matches!(health, "Suspended" | "Progressing");
    // An application is called like anything else: the title says what speaks of it.
    let title = format!("Argo CD: {name}");
    let mut event = SourceEvent::new(&title, if is_off { Status::Firing } else { Status::Resolved });
    event.severity = Some(match () {
        () if is_bad => Severity::Critical,
        () if sync == "OutOfSync" => Severity::Warning,
        () => Severity::Info,
    });
    let said = [("health", health), ("sync", sync), ("operation", phase)];
    let said: Vec<_> = said
        .into_iter()
        .filter(|(_, word)| !word.is_empty())
        .map(|(what, word)| format!("{what} {word}"))
        .collect();
    event.summary = said.join(", ");
    // A sync that went well says nothing about an application that is ill.
    let of_operation = if is_failed || !is_bad { operation.text_of("message") } else { "" };
    [of_operation, state.at(&["health", "message"]).text()]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default()
        .clone_into(&mut event.description);
    let spec = app.get("spec");
    event.label("app", name);
    event.label("project", spec.text_of("project"));
    event.label("namespace", spec.at(&["destination", "namespace"]).text());
    event.label("cluster", spec.get("destination").any(&["name", "server"]).text());
    for (name, value) in metadata.get("labels").texts() {
        event.label(name, value);
    }
    event.annotate("revision", state.at(&["sync", "revision"]).text());
    let console = node.any(&["argocdUrl", "url", "argocd_url"]).text().trim_end_matches('/');
    if !console.is_empty() {
        let namespace = metadata.text_of("namespace");
        event.link = format!("{console}/applications/{namespace}/{name}")
            .replace("//applications//", "/applications/");
    }
    event.know_by("app", name);
    event.know_by("namespace", metadata.text_of("namespace"));
    event.know_by("destination", spec.get("destination").any(&["server", "name"]).text());
    Ok(reading(vec![event], source, context))
}

pub(super) fn read_falco(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let mut event = SourceEvent::new(node.text_of("rule"), Status::Firing);
    let priority = node.text_of("priority");
    event.severity = match priority.to_lowercase().as_str() {
        "emergency" | "alert" | "critical" | "error" => Some(Severity::Critical),
        "warning" => Some(Severity::Warning),
        "notice" | "informational" | "debug" => Some(Severity::Info),
        _ => None,
    };
    let fields = node.get("output_fields");
    node.text_of("output").clone_into(&mut event.description);
    if event.description.is_empty() {
        event.description = lines(fields.texts());
    }
    for (label, field) in [
        ("namespace", "k8s.ns.name"),
        ("pod", "k8s.pod.name"),
        ("container", "container.name"),
        ("container_id", "container.id"),
        ("image", "container.image.repository"),
        ("user", "user.name"),
        ("process", "proc.name"),
    ] {
        event.label(label, fields.text_of(field));
    }
    event.label("host", node.text_of("hostname"));
    event.label("source", node.text_of("source"));
    event.know_by("rule", node.text_of("rule"));
    event.know_by("host", node.text_of("hostname"));
    for field in FALCO_FIELDS {
        event.know_by(field, fields.text_of(field));
    }
    Ok(reading(vec![event], source, context))
}
