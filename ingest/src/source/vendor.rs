//! The formats of products that are neither Alertmanager nor Grafana: which one a body is, and its alerts. Pure.
//!
//! Each is known by keys that no other sender writes together. They are looked for before the formats of plain texts, whose
//! keys (`message`, `status`, `title`) everybody uses.
#![expect(clippy::unnecessary_wraps, reason = "readers have one shape, and only some refuse")]

mod aliyun;
mod clouds;
mod nightingale;
mod notifications;
mod tencent;
mod tools;
mod zabbix;

use model::envelope::Source;

use super::node::Node;
use super::reading::AlertReading;
use super::{Because, Context, Endpoint, SourceError};
use super::{chat_bots, form};

/// How far into an array it is looked for what tells its format; beyond, an array of a million alerts would be searched whole.
const PEEKED_BYTES_MAX: usize = 16 * 1024;
/// What stands in arrays of events that are no alerts of Alertmanager's API.
const MARKS_OF_ARRAYS: [&str; 2] = ["\"is_recovered\"", "\"alert_instance_id\""];

/// A body of one of these formats.
pub(super) struct VendorReading {
    pub(super) source: Source,
    pub(super) because: Because,
    pub(super) reading: AlertReading<'static>,
}

/// How a body is read: `Err` says what it lacks.
type Reader = fn(&Node<'_>, Source, &Context) -> Result<AlertReading<'static>, &'static str>;

/// A format that was recognised: its source, the keys that gave it away, and its reader.
type Known = (Source, &'static [&'static str], Reader);

/// Whether an array may be one of these rather than one of alerts.
pub(super) fn may_be_array(body: &str) -> bool {
    let end = body.floor_char_boundary(PEEKED_BYTES_MAX);
    let begin = body.get(..end).unwrap_or(body);
    MARKS_OF_ARRAYS.iter().any(|mark| begin.contains(mark))
}

/// Reads a body of JSON; `None` if it is of none of these formats.
pub(super) fn read(body: &str, context: &Context) -> Option<Result<VendorReading, SourceError>> {
    of_node(&Node::read(body)?, context)
}

/// Reads a body of a form; `None` if it is none, or of none of these formats.
pub(super) fn read_form(body: &str, context: &Context) -> Option<Result<VendorReading, SourceError>> {
    let fields = form::read(body)?;
    // Uptime Kuma can put the whole of its JSON into one field, and so do others.
    let inner = fields.any(&["data", "payload", "body", "message"]).unpacked();
    if inner.is_map()
        && let Some(read) = of_node(&inner, context)
    {
        return Some(read);
    }
    of_node(&fields, context)
}

fn of_node(node: &Node<'_>, context: &Context) -> Option<Result<VendorReading, SourceError>> {
    let (source, keys, reader) = recognise(node, context.endpoint)?;
    let because = Because { keys: keys.to_vec(), circumstance: "which no other format has" };
    Some(match reader(node, source, context) {
        Ok(reading) => Ok(VendorReading { source, because, reading }),
        Err(missing) => Err(SourceError::Unknown { nearest: source, missing }),
    })
}

/// The keys are in the order in which they are asked: what is surest comes first.
fn recognise(node: &Node<'_>, endpoint: Endpoint) -> Option<Known> {
    of_events(node).or_else(|| of_bots(node, endpoint)).or_else(|| of_clouds(node)).or_else(|| of_tools(node))
}

/// What may be an array: its first item tells.
fn of_events(node: &Node<'_>) -> Option<Known> {
    let inner = node.get("events");
    let first = node.items().first().or_else(|| inner.items().first()).unwrap_or(node);
    if first.has("is_recovered") && (first.has("rule_id") || first.has("rule_name")) {
        return Some((Source::Nightingale, &["is_recovered", "rule_id"], nightingale::read));
    }
    let is_of_sls = first.has("alert_instance_id") || first.has("alertInstanceId");
    let has_time = ["fire_time", "fireTime", "alert_time", "alertTime"].iter().any(|key| first.has(key));
    (is_of_sls && has_time).then_some((Source::AliyunSls, &["alert_instance_id"], aliyun::read_sls))
}

fn of_clouds(node: &Node<'_>) -> Option<Known> {
    let has_all = |keys: &[&str]| node.has_all(keys);
    let incident = node.get("incident");
    Some(if has_all(&["alarmObjInfo", "alarmPolicyInfo"]) {
        (Source::TencentCloud, &["alarmObjInfo", "alarmPolicyInfo"], tencent::read)
    } else if has_all(&["topic_urn", "type"]) {
        (Source::HuaweiSmn, &["topic_urn", "type"], notifications::read_smn)
    } else if has_all(&["TopicArn", "Type"]) {
        (Source::AwsSns, &["TopicArn", "Type"], notifications::read_sns)
    } else if has_all(&["AlarmName", "NewStateValue"]) {
        (Source::AwsSns, &["AlarmName", "NewStateValue"], notifications::read_alarm)
    } else if node.text_of("schemaId").to_ascii_lowercase().starts_with("azuremonitor")
        || !node.at(&["data", "essentials"]).is_empty()
    {
        (Source::AzureMonitor, &["schemaId"], clouds::read_azure)
    } else if incident.has("incident_id") || (incident.has("condition_name") && incident.has("state")) {
        (Source::GcpMonitoring, &["incident"], clouds::read_gcp)
    } else if has_all(&["alertState", "metricName"]) || has_all(&["alertState", "alertName", "ruleId"]) {
        (Source::AliyunCms, &["alertState"], aliyun::read_cms)
    } else if node.has("specversion") && (node.has("alertEntityId") || node.has("ruleId")) {
        (Source::AliyunCms, &["specversion", "ruleId"], aliyun::read_cms)
    } else if has_all(&["product", "level", "name", "content"])
        && (node.has("resourceId") || node.has("regionId"))
    {
        (Source::AliyunCms, &["product", "level", "resourceId"], aliyun::read_cms)
    } else {
        return None;
    })
}

fn of_tools(node: &Node<'_>) -> Option<Known> {
    let has_all = |keys: &[&str]| node.has_all(keys);
    let data = node.get("data");
    let is_of_sentry = node.has("action")
        && (node.has("installation")
            || ["metric_alert", "issue", "event", "error"].iter().any(|key| data.get(key).is_map()));
    let is_of_plugin = node.has("culprit") && (node.has("project_name") || node.get("event").is_map());
    let app = node.any(&["app", "application"]);
    let is_application =
        node.text_of("kind") == "Application" || app.unpacked().at(&["metadata", "name"]).text() != "";
    Some(if is_of_sentry || is_of_plugin {
        (Source::Sentry, &["action", "data"], tools::read_sentry)
    } else if let Some(keys) = zabbix::keys(node) {
        (Source::Zabbix, keys, zabbix::read)
    } else if has_all(&["heartbeat", "monitor", "msg"]) {
        (Source::UptimeKuma, &["heartbeat", "monitor", "msg"], tools::read_uptime_kuma)
    } else if has_all(&["output_fields", "rule", "priority"]) {
        (Source::Falco, &["output_fields", "rule", "priority"], tools::read_falco)
    } else if node.has("reason") && (node.get("involvedObject").is_map() || node.get("regarding").is_map()) {
        (Source::KubernetesEvent, &["involvedObject", "reason"], tools::read_kubernetes)
    } else if is_application {
        (Source::ArgoCd, &["app"], tools::read_argo_cd)
    } else if node.has("alert_transition") || (node.has("monitor_id") && node.has("scopes")) {
        (Source::Datadog, &["alert_transition"], clouds::read_datadog)
    } else {
        return None;
    })
}

fn of_bots(node: &Node<'_>, endpoint: Endpoint) -> Option<Known> {
    const PARTS: [&str; 8] =
        ["text", "markdown", "link", "actionCard", "feedCard", "markdown_v2", "news", "template_card"];
    if node.has("msg_type") {
        return Some((Source::FeishuBot, &["msg_type"], chat_bots::read));
    }
    if node.has("msgtype") && (PARTS.iter().any(|part| node.has(part)) || endpoint.is_of_bots()) {
        return Some((chat_bots::source_of_msgtype(node), &["msgtype"], chat_bots::read));
    }
    // The first version of Feishu's bots: a title, and a text.
    let is_old = endpoint == Endpoint::FeishuBot && !node.any(&["text", "title"]).text().is_empty();
    is_old.then_some((Source::FeishuBot, &["text"], chat_bots::read))
}
