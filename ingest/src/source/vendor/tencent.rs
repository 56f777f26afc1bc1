//! Tencent Cloud's monitoring: `alarmObjInfo` and `alarmPolicyInfo`. Its times are China's, without a zone; what is a number
//! is a text for most metrics. Pure.

use jiff::tz::TimeZone;
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
    let object = node.get("alarmObjInfo");
    let policy = node.get("alarmPolicyInfo");
    let conditions = policy.get("conditions");
    // Events have a list of conditions now and then; the first says what happened.
    let conditions = conditions.items().first().unwrap_or(conditions);
    let status = if node.text_of("alarmStatus") == "0" { Status::Resolved } else { Status::Firing };
    let what = conditions.any(&["eventShowName", "metricShowName", "eventName", "metricName"]).text();
    let named = policy.any(&["policyName"]).text();
    let name = if named.is_empty() { what } else { named };
    if name.is_empty() {
        return Err("`policyName` or the name of a metric");
    }
    let mut event = SourceEvent::new(name, status);
    event.severity = severity(node.any(&["alertId", "alertID"]).text());
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or_else(|_| context.timezone.clone());
    let at = |key| time::instant(node.text_of(key), &zone);
    event.starts_at = at("firstOccurTime");
    event.ends_at = at("recoverTime");
    what.clone_into(&mut event.summary);
    let dimensions = object.get("dimensions").unpacked();
    add_labels(&mut event, object, policy, conditions, &dimensions);
    let value =
        format!("{}{}", conditions.text_of("currentValue"), conditions.any(&["unit", "calcUnit"]).text());
    event.annotate("value", &value);
    let rule = [
        conditions.text_of("calcType"),
        conditions.text_of("calcValue"),
        conditions.any(&["calcUnit", "unit"]).text(),
    ];
    event.annotate("condition", rule.join(" ").trim());
    event.annotate("duration_seconds", node.text_of("durationTime"));
    know(&mut event, node, conditions, &dimensions);
    Ok(reading(vec![event], source, context))
}

/// With graded thresholds the id ends in the grade.
fn severity(alert_id: &str) -> Option<Severity> {
    let grade = alert_id.rsplit('_').next().unwrap_or_default();
    match grade {
        "Serious" => Some(Severity::Critical),
        "Warn" => Some(Severity::Warning),
        "Remind" => Some(Severity::Info),
        _ => None,
    }
}

fn add_labels(
    event: &mut SourceEvent,
    object: &Node<'_>,
    policy: &Node<'_>,
    conditions: &Node<'_>,
    dimensions: &Node<'_>,
) {
    event.label(
        "instance",
        dimensions.any(&["objName", "unInstanceId", "uInstanceId", "instanceId", "objId"]).text(),
    );
    event.label("metric", conditions.any(&["metricName", "eventName"]).text());
    event.label("product", policy.any(&["policyTypeCName", "policyType"]).text());
    event.label("region", object.text_of("region"));
    event.label("namespace", object.text_of("namespace"));
    event.label("account", object.text_of("uin"));
    for (name, value) in dimensions.texts().chain(dimensions.get("objDetail").texts()) {
        event.label(name, value);
    }
}

/// The session is one occurrence of an alarm, and is not sure to be the same in its recovery.
fn know(event: &mut SourceEvent, node: &Node<'_>, conditions: &Node<'_>, dimensions: &Node<'_>) {
    let policy = node.get("alarmPolicyInfo");
    event.know_by("policy", policy.any(&["policyId", "policyID", "policyName"]).text());
    event.know_by("account", node.get("alarmObjInfo").text_of("uin"));
    // Of graded thresholds each grade begins and ends by itself.
    if event.severity.is_some() {
        event.know_by(
            "grade",
            node.any(&["alertId", "alertID"]).text().rsplit('_').next().unwrap_or_default(),
        );
    }
    event.know_by(
        "metric",
        conditions.any(&["metricName", "eventName", "metricShowName", "eventShowName"]).text(),
    );
    let object = dimensions.any(&["objId", "objID"]).text();
    let mut all: Vec<_> = dimensions.texts().map(|(name, value)| format!("{name}={value}")).collect();
    all.sort_unstable();
    if object.is_empty() { event.know_by("object", &all.join(",")) } else { event.know_by("object", object) }
}
