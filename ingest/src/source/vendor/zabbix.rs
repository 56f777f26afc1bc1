//! Zabbix has no body of its own: the script of a media type posts its parameters. Understood are the parameters of our
//! media type (deploy/zabbix), the macros' own names, and those that usual bridges choose. Pure.

use jiff::Timestamp;
use model::alert::Status;
use model::envelope::Source;

use super::super::Context;
use super::super::event::{Severity, SourceEvent, reading};
use super::super::node::Node;
use super::super::reading::AlertReading;
use super::super::time;

/// What each thing is called, ours first.
const ID: &[&str] =
    &["event_id", "EVENT.ID", "eventid", "eventId", "event.id", "EventId", "{EVENT.ID}", "problem_id"];
const NAME: &[&str] = &[
    "name",
    "event_name",
    "EVENT.NAME",
    "trigger_name",
    "TRIGGER.NAME",
    "TriggerName",
    "problem",
    "subject",
    "alert_subject",
    "title",
];
const VALUE: &[&str] = &["event_value", "EVENT.VALUE", "TRIGGER.VALUE", "trigger_value"];
const STATUS: &[&str] = &[
    "status",
    "event_status",
    "EVENT.STATUS",
    "trigger_status",
    "TRIGGER.STATUS",
    "TriggerStatus",
    "AlertStatus",
];
const UPDATE: &[&str] = &["update_status", "event_update_status", "EVENT.UPDATE.STATUS"];
const UPDATE_ACTION: &[&str] = &["update_action", "event_update_action", "EVENT.UPDATE.ACTION"];
const UPDATE_MESSAGE: &[&str] = &["update_message", "event_update_message", "EVENT.UPDATE.MESSAGE"];
const UPDATE_USER: &[&str] = &["update_user", "event_update_user", "USER.FULLNAME"];
const NUMBER: &[&str] =
    &["nseverity", "event_nseverity", "EVENT.NSEVERITY", "TRIGGER.NSEVERITY", "trigger_nseverity"];
const SEVERITY: &[&str] = &[
    "severity",
    "event_severity",
    "EVENT.SEVERITY",
    "TRIGGER.SEVERITY",
    "trigger_severity",
    "TriggerSeverity",
];
const TAGS: &[&str] = &["tags", "event_tags", "EVENT.TAGSJSON", "EVENT.TAGS", "event_tags_json"];
const HOST: &[&str] = &["host", "host_host", "HOST.HOST", "hostname", "HostName", "host_name", "HOST.NAME"];
const HOST_NAME: &[&str] = &["host_name", "HOST.NAME"];
const IP: &[&str] = &["ip", "host_ip", "HOST.IP", "HostIp", "HOST.CONN"];
const GROUPS: &[&str] = &["host_group", "hostgroup", "TRIGGER.HOSTGROUP.NAME", "trigger_hostgroup_name"];
const TRIGGER: &[&str] = &["trigger_id", "TRIGGER.ID", "triggerid", "triggerId", "TriggerId"];
const DESCRIPTION: &[&str] = &["description", "trigger_description", "TRIGGER.DESCRIPTION"];
const OPDATA: &[&str] = &["opdata", "event_opdata", "EVENT.OPDATA", "ITEM.VALUE", "item_value", "ItemValue"];
const DATE: &[&str] = &["date", "event_date", "EVENT.DATE"];
const TIME: &[&str] = &["time", "event_time", "EVENT.TIME"];
const END_DATE: &[&str] = &["recovery_date", "event_recovery_date", "EVENT.RECOVERY.DATE"];
const END_TIME: &[&str] = &["recovery_time", "event_recovery_time", "EVENT.RECOVERY.TIME"];
const RECOVERY: &[&str] = &[
    "recovery_id",
    "event_recovery_id",
    "EVENT.RECOVERY.ID",
    "recovery_date",
    "event_recovery_date",
    "EVENT.RECOVERY.DATE",
];
const URL: &[&str] = &["url", "zabbix_url", "ZABBIX.URL", "{$ZABBIX.URL}"];
const LINK: &[&str] = &["trigger_url", "TRIGGER.URL", "event_url", "link"];
const MESSAGE: &[&str] = &["message", "alert_message", "ALERT.MESSAGE"];

/// What tells a body of Zabbix: the id of an event, and one of these that goes with it.
pub(super) fn keys(node: &Node<'_>) -> Option<&'static [&'static str]> {
    let has_any = |keys: &[&str]| keys.iter().any(|key| node.has(key));
    if has_any(&["EVENT.ID", "{EVENT.ID}"])
        || (has_any(&["EVENT.NAME"]) && has_any(&["EVENT.VALUE", "EVENT.STATUS"]))
    {
        return Some(&["EVENT.ID"]);
    }
    if has_any(&["AlertId", "TriggerId"]) && has_any(&["TriggerSeverity"]) {
        return Some(&["TriggerSeverity"]);
    }
    let goes_with = [
        "nseverity",
        "event_nseverity",
        "event_severity",
        "event_value",
        "event_update_status",
        "trigger_id",
        "triggerid",
        "trigger_severity",
        "trigger_status",
        "event_status",
        "triggerId",
    ];
    // Sentry's events have ids as well; they are objects of their own there.
    (has_any(&["event_id", "eventid", "eventId"]) && has_any(&goes_with)).then_some(&["event_id"])
}

pub(super) fn read(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let name = said(node, NAME);
    let name = if name.is_empty() { said(node, MESSAGE) } else { name };
    if name.is_empty() {
        return Err("the name of the event (`name`, `event_name`)");
    }
    let status = if is_over(node) { Status::Resolved } else { Status::Firing };
    let mut event = SourceEvent::new(name, status);
    event.severity = severity(node);
    event.starts_at = instant(said(node, DATE), said(node, TIME), context);
    event.ends_at = instant(said(node, END_DATE), said(node, END_TIME), context);
    for (label, keys) in [("host", HOST), ("host_name", HOST_NAME), ("ip", IP), ("hostgroup", GROUPS)] {
        event.label(label, said(node, keys));
    }
    add_tags(&mut event, node);
    let message = said(node, MESSAGE);
    let description = said(node, DESCRIPTION);
    if description.is_empty() { message } else { description }.clone_into(&mut event.description);
    event.annotate("value", said(node, OPDATA));
    let event_id = said(node, ID);
    let trigger = said(node, TRIGGER);
    event.link = link(said(node, LINK), said(node, URL), trigger, event_id);
    if is_update(node) {
        let user = said(node, UPDATE_USER);
        event.annotate("update", &format!("{user} {}", said(node, UPDATE_ACTION)));
        event.annotate("update_message", said(node, UPDATE_MESSAGE));
    }
    event.know_by("event_id", event_id);
    if event_id.is_empty() {
        event.know_by("trigger_id", trigger);
        event.know_by("host", said(node, HOST));
        event.know_by("name", name);
    }
    // Two servers count their events from one.
    event.know_by("server", server(said(node, URL)));
    event.is_test = event_id.is_empty() && trigger.is_empty() && said(node, HOST).is_empty();
    Ok(reading(vec![event], source, context))
}

/// A value; a macro that was not filled in is none.
fn said<'n>(node: &'n Node<'_>, keys: &[&str]) -> &'n str {
    let texts = keys.iter().map(|key| node.get(key).text());
    texts.into_iter().find(|text| is_filled(text)).unwrap_or_default()
}

fn is_filled(text: &str) -> bool {
    let is_macro = text.starts_with('{')
        && text.ends_with('}')
        && text.get(1..text.len() - 1).is_some_and(|name| {
            name.chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '$' | '{' | '}'))
        });
    !text.is_empty() && !is_macro && !matches!(text, "*UNKNOWN*" | "*UNDEFINED*")
}

fn is_over(node: &Node<'_>) -> bool {
    // Whoever comments on what is over must not make it fire again: such an update still has the problem's own value.
    if is_update(node) && !said(node, RECOVERY).is_empty() {
        return true;
    }
    let value = said(node, VALUE);
    if matches!(value, "0" | "1") {
        return value == "0";
    }
    let status = said(node, STATUS).to_lowercase();
    matches!(
        &*status,
        "resolved" | "ok" | "recovered" | "recovery" | "0" | "已解决" | "恢复" | "已恢复" | "正常"
    )
}

/// An acknowledgement or a comment: what it is about fires on, or is over, as its status says.
fn is_update(node: &Node<'_>) -> bool {
    said(node, UPDATE) == "1"
}

/// The number goes before the word, which is in the server's language, and which people may change.
fn severity(node: &Node<'_>) -> Option<Severity> {
    let word = said(node, SEVERITY).to_lowercase();
    let number = said(node, NUMBER);
    let number = if number.is_empty() { &*word } else { number };
    match number {
        "5" | "4" | "disaster" | "high" | "critical" | "灾难" | "严重" | "高" => {
            Some(Severity::Critical)
        }
        "3" | "2" | "average" | "warning" | "一般严重" | "一般" | "警告" | "平均" => {
            Some(Severity::Warning)
        }
        "1" | "0" | "information" | "info" | "not classified" | "信息" | "未分类" => {
            Some(Severity::Info)
        }
        _ => None,
    }
}

/// `2026.03.02` and `14:05:09`, by the server's clock; or Unix seconds.
fn instant(date: &str, of_day: &str, context: &Context) -> Option<Timestamp> {
    let date = date.replace('.', "-");
    let written = if of_day.is_empty() { date } else { format!("{date} {of_day}") };
    time::instant(written.trim(), &context.timezone)
}

/// `[{"tag":"scope","value":"capacity"}]`, as JSON or as text, or `scope:capacity, other`.
fn add_tags(event: &mut SourceEvent, node: &Node<'_>) {
    let tags =
        TAGS.iter().map(|key| node.get(key)).find(|tags| !tags.is_empty()).cloned().unwrap_or_default();
    let unpacked = tags.unpacked();
    for tag in unpacked.items() {
        event.label(tag.text_of("tag"), tag.text_of("value"));
    }
    for (name, value) in unpacked.texts() {
        event.label(name, value);
    }
    for tag in unpacked.text().split(',').filter(|tag| is_filled(tag)) {
        if let Some((name, value)) = tag.split_once([':', '=']) {
            event.label(name.trim(), value.trim());
        }
    }
}

fn link(link: &str, url: &str, trigger: &str, event: &str) -> String {
    if !link.is_empty() {
        return link.to_owned();
    }
    if url.is_empty() || trigger.is_empty() || event.is_empty() {
        return url.to_owned();
    }
    format!("{}/tr_events.php?triggerid={trigger}&eventid={event}", url.trim_end_matches('/'))
}

fn server(url: &str) -> &str {
    url.split_once("://").map_or("", |(_, rest)| rest).split('/').next().unwrap_or_default()
}
