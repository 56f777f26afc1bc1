//! What comes through a notification service: Amazon SNS and Huawei Cloud SMN, with the alarms of their monitoring inside, a
//! text, or a body of another format. Pure.
//!
//! Both ask for their subscription to be confirmed before they send anything: by opening a link. Nobody here opens links, so
//! it is told like an alert, with the link, and a person who knows the topic opens it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::Status;
use model::envelope::Source;

use super::super::Context;
use super::super::event::{Severity, SourceEvent, lines, one_line, reading};
use super::super::node::Node;
use super::super::reading::AlertReading;
use super::super::time;

/// Where confirmations of Amazon's lead, and of Huawei's. A link to anywhere else is shown to nobody.
const AMAZON_HOSTS: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];
const HUAWEI_HOSTS: [&str; 4] =
    ["console.huaweicloud.com", ".myhuaweicloud.com", ".huaweicloud.com", ".huaweicloud.cn"];
/// What an alarm that needs no name of a rule is called in a test of the service.
const CONFIRMATION: &str = "SubscriptionConfirmation";

pub(super) fn read_sns(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let topic = node.text_of("TopicArn");
    if node.text_of("Type") == CONFIRMATION {
        let link = of_hosts(node.text_of("SubscribeURL"), &AMAZON_HOSTS);
        return Ok(confirmation("Amazon SNS", topic, link, source, context));
    }
    if node.text_of("Type") == "UnsubscribeConfirmation" {
        return Ok(AlertReading::default());
    }
    let message = node.get("Message").unpacked();
    let detail = message.get("detail");
    let mut event = if message.has("AlarmName") {
        alarm(&message, context)
    } else if detail.has("alarmName") {
        alarm_of_eventbridge(&message, detail, context)
    } else {
        text(node.text_of("Subject"), node.get("Message"), &message)
    };
    event.label("topic", topic.rsplit(':').next().unwrap_or_default());
    if !event.is_known() {
        event.know_by("topic", topic);
        event.know_by("subject", node.text_of("Subject"));
        event.know_by("message", node.text_of("Message"));
    }
    Ok(reading(vec![event], source, context))
}

/// An alarm of `CloudWatch`, by itself where the delivery is raw.
pub(super) fn read_alarm(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    Ok(reading(vec![alarm(node, context)], source, context))
}

fn confirmation(
    service: &str,
    topic: &str,
    link: &str,
    source: Source,
    context: &Context,
) -> AlertReading<'static> {
    let mut event =
        SourceEvent::new(&format!("{service}: confirm the subscription of {topic}"), Status::Firing);
    event.severity = Some(Severity::Warning);
    "Open the link if you have subscribed this address to that topic; until then it sends nothing. If not, do nothing."
        .clone_into(&mut event.description);
    if link.is_empty() {
        "Its link does not lead to the service: do nothing.".clone_into(&mut event.description);
    }
    link.clone_into(&mut event.link);
    event.know_by("confirmation", topic);
    event.know_by("link", link);
    reading(vec![event], source, context)
}

/// A link, if it leads there over HTTPS.
fn of_hosts<'l>(link: &'l str, hosts: &[&str]) -> &'l str {
    let rest = link.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_there =
        hosts.iter().any(|known| host == *known || (known.starts_with('.') && host.ends_with(known)));
    // Some browsers take a backslash for a slash, and what stands before an `@` for a name.
    let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    if is_there && is_plain { link } else { "" }
}

/// A text that is no alarm: known by all it says.
fn text(subject: &str, message: &Node<'_>, unpacked: &Node<'_>) -> SourceEvent {
    // Of JSON its first texts say more than its brackets.
    let content = if unpacked.is_map() { lines(unpacked.texts()) } else { message.text().to_owned() };
    let name = if subject.is_empty() { one_line(&content) } else { subject };
    let mut event = SourceEvent::new(name, Status::Firing);
    event.description = content;
    event
}

fn alarm(node: &Node<'_>, context: &Context) -> SourceEvent {
    let state = node.text_of("NewStateValue");
    let status = if state == "OK" { Status::Resolved } else { Status::Firing };
    let mut event = SourceEvent::new(node.text_of("AlarmName"), status);
    let changed = instant(node.text_of("StateChangeTime"), &context.timezone);
    match status {
        Status::Firing => event.starts_at = changed,
        Status::Resolved => event.ends_at = changed,
    }
    one_line(node.text_of("NewStateReason")).clone_into(&mut event.summary);
    node.text_of("AlarmDescription").clone_into(&mut event.description);
    if state == "INSUFFICIENT_DATA" {
        event.annotate("state", "insufficient data");
    }
    let trigger = node.get("Trigger");
    for (label, text) in [
        ("account", node.text_of("AWSAccountId")),
        ("region", node.text_of("Region")),
        ("namespace", trigger.text_of("Namespace")),
        ("metric", trigger.text_of("MetricName")),
    ] {
        event.label(label, text);
    }
    for dimension in trigger.get("Dimensions").items() {
        event.label(dimension.any(&["name", "Name"]).text(), dimension.any(&["value", "Value"]).text());
    }
    event.annotate(
        "threshold",
        &format!("{} {}", trigger.text_of("ComparisonOperator"), trigger.text_of("Threshold")),
    );
    event.know_by("AlarmArn", node.text_of("AlarmArn"));
    if !event.is_known() {
        event.know_by("AlarmName", node.text_of("AlarmName"));
        event.know_by("account", node.text_of("AWSAccountId"));
        event.know_by("region", node.text_of("Region"));
    }
    event
}

/// The same alarm by way of `EventBridge`, whose words are others.
fn alarm_of_eventbridge(node: &Node<'_>, detail: &Node<'_>, context: &Context) -> SourceEvent {
    let state = detail.get("state");
    let status = if state.text_of("value") == "OK" { Status::Resolved } else { Status::Firing };
    let mut event = SourceEvent::new(detail.text_of("alarmName"), status);
    let changed = instant(state.text_of("timestamp"), &context.timezone);
    match status {
        Status::Firing => event.starts_at = changed,
        Status::Resolved => event.ends_at = changed,
    }
    one_line(state.text_of("reason")).clone_into(&mut event.summary);
    detail.at(&["configuration", "description"]).text().clone_into(&mut event.description);
    event.label("account", node.text_of("account"));
    event.label("region", node.text_of("region"));
    event.know_by("AlarmArn", node.get("resources").items().first().map(Node::text).unwrap_or_default());
    if !event.is_known() {
        event.know_by("AlarmName", detail.text_of("alarmName"));
        event.know_by("account", node.text_of("account"));
        event.know_by("region", node.text_of("region"));
    }
    event
}

/// `2025-02-02T12:06:35.472+0000`, or `2025/06/02 22:56:15 GMT+08:00`.
fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let Some((local, offset)) = text.split_once(" GMT") else { return time::instant(text, zone) };
    let local = local.trim().replace('/', "-").replace(' ', "T");
    time::instant(&format!("{local}{}", if offset.is_empty() { "Z" } else { offset }), zone)
}

pub(super) fn read_smn(
    node: &Node<'_>,
    source: Source,
    context: &Context,
) -> Result<AlertReading<'static>, &'static str> {
    let topic = node.text_of("topic_urn");
    if node.text_of("type") == CONFIRMATION {
        let link = of_hosts(node.text_of("subscribe_url"), &HUAWEI_HOSTS);
        return Ok(confirmation("Huawei Cloud SMN", topic, link, source, context));
    }
    if node.text_of("type") == "UnsubscribeConfirmation" {
        return Ok(AlertReading::default());
    }
    let message = node.get("message").unpacked();
    let data = message.get("data").unpacked();
    let mut event = if data.has("AlarmRuleName") || data.has("IsAlarm") || data.has("MetricName") {
        cloud_eye(&data, context)
    } else {
        text(node.text_of("subject"), node.get("message"), &message)
    };
    event.label("topic", topic.rsplit(':').next().unwrap_or_default());
    if !event.is_known() {
        event.know_by("topic", topic);
        event.know_by("subject", node.text_of("subject"));
        event.know_by("message", node.text_of("message"));
    }
    Ok(reading(vec![event], source, context))
}

/// An alarm of Cloud Eye, whose words are in the account's language.
fn cloud_eye(node: &Node<'_>, context: &Context) -> SourceEvent {
    // A recovery says no, or nothing.
    let is_alarm = matches!(node.text_of("IsAlarm"), "true" | "True" | "1");
    let status = if is_alarm { Status::Firing } else { Status::Resolved };
    let rule = node.text_of("AlarmRuleName");
    let name = if rule.is_empty() { node.text_of("MetricName") } else { rule };
    let mut event = SourceEvent::new(name, status);
    event.severity = match node.text_of("AlarmLevel").to_lowercase().as_str() {
        "critical" | "major" | "紧急" | "重要" | "1" | "2" => Some(Severity::Critical),
        "minor" | "次要" | "3" => Some(Severity::Warning),
        "informational" | "info" | "提示" | "4" => Some(Severity::Info),
        _ => None,
    };
    let at = instant(node.text_of("AlarmTime"), &context.timezone);
    event.ends_at = at.filter(|_| !is_alarm);
    for (label, key) in [
        ("instance", "ResourceName"),
        ("resource_id", "ResourceId"),
        ("metric", "MetricName"),
        ("namespace", "Namespace"),
        ("region", "Region"),
        ("ip", "PrivateIp"),
        ("account", "AccountName"),
    ] {
        event.label(label, node.text_of(key));
    }
    event.annotate("value", node.any(&["CurrentData", "Value"]).text());
    let rule_text =
        [node.text_of("ComparisonOperator"), node.text_of("Value"), node.text_of("Unit")].join(" ");
    event.annotate("condition", rule_text.trim());
    event.know_by("resource", node.any(&["ResourceId", "ResourceName"]).text());
    event.know_by("metric", node.text_of("MetricName"));
    event.know_by("rule", rule);
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_leads_to_its_service_only() {
        for (url, is_kept) in [
            ("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=x", true),
            ("https://sns.cn-north-1.amazonaws.com.cn/?Action=x", true),
            ("http://sns.us-east-1.amazonaws.com/?Action=x", false),
            ("https://evil.example/?x=.amazonaws.com", false),
            ("https://sns.amazonaws.com.evil.example/", false),
            ("https://a@evil.example/.amazonaws.com", false),
            ("https://evil.example\\.amazonaws.com/", false),
        ] {
            let kept = of_hosts(url, &AMAZON_HOSTS);
            assert_eq!(!kept.is_empty(), is_kept, "{url}");
        }
        assert_eq!(of_hosts("https://evilamazonaws.com/", &AMAZON_HOSTS), "");
    }

    #[test]
    fn times_of_both_clouds_are_read() {
        let zone = TimeZone::UTC;
        let expected = ["2025-02-02T12:06:35.472Z", "2025-06-02T14:56:15Z"].map(|time| time.parse().ok());
        let read = ["2025-02-02T12:06:35.472+0000", "2025/06/02 22:56:15 GMT+08:00"]
            .map(|text| instant(text, &zone));
        assert_eq!(read, expected);
    }
}
