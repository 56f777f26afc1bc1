//! Grafana's alerting up to version 8: one rule a body, sent when its state changes. It has no times and no
//! fingerprint; the rule is known by the organisation's id and its own. Pure.

use std::borrow::Cow;
use std::fmt::Write;

use model::alert::{Alert, Fingerprint, Links, Mention, Status};

use super::identity::{Identity, Rule};
use super::reading::AlertReading;
use super::shape::{EvalMatch, Shape};
use super::{Context, grafana, link};

/// The prefixes Grafana puts before the rule's name in `title`.
const TITLE_PREFIXES: [&str; 5] = ["[Alerting] ", "[OK] ", "[No Data] ", "[Unknown] ", "[Execution Error] "];

/// What Grafana calls it where there is no series, as a state and as a metric.
const NO_DATA: &str = "NoData";

pub(super) fn read<'a>(shape: Shape<'a>, context: &Context) -> AlertReading<'a> {
    let (status, reason) = match &*shape.state.0.to_ascii_lowercase() {
        "ok" => (Status::Resolved, ""),
        // Somebody switched the rule off, or it is only about to fire: there is nothing to tell.
        "paused" | "pending" => return AlertReading::default(),
        "no_data" => (Status::Firing, NO_DATA),
        "unknown" => (Status::Firing, "Error"),
        _ => (Status::Firing, ""),
    };
    let Identity { fingerprint, former } = identity(&shape, context);
    let mut alert = Alert {
        fingerprint,
        former,
        status,
        starts_at: None,
        ends_at: None,
        labels: shape.tags.0,
        annotations: model::alert::Labels::default(),
        generator_url: link::absolute(first(shape.rule_url.0, shape.old_rule_url.0), ""),
        links: Links {
            image: link::absolute(first(shape.image_url.0, shape.old_image_url.0), ""),
            ..Links::default()
        },
        mention: Mention::default(),
    };
    let name = match shape.rule_name.0 {
        empty if empty.is_empty() => Cow::Owned(rule_in(&shape.title.0).to_owned()),
        name => name,
    };
    // The title is the name and a word for the state, unless somebody wrote another one.
    let summary = if rule_in(&shape.title.0) == name { Cow::Borrowed("") } else { shape.title.0 };
    alert.labels.insert_if_absent("alertname".into(), name);
    // The tags of the series stay out of the labels: a resolution has no series, and would be routed elsewhere.
    let value = value(&shape.eval_matches.items.unwrap_or_default());
    let annotations = [
        ("summary", summary),
        ("description", shape.message.0),
        ("value", Cow::Owned(value)),
        // The word Grafana's unified alerting uses for the same.
        ("grafana_state_reason", Cow::Borrowed(reason)),
    ];
    for (name, text) in annotations {
        if !text.is_empty() {
            alert.annotations.insert_if_absent(name.into(), text);
        }
    }
    AlertReading::single(alert)
}

/// What Grafana calls the rule of its test button, which has the id 0.
const TEST_RULE: &str = "Test notification";

/// Ids alone would make one of two Grafanas' rules; so the name counts, and where the Grafana is.
fn identity(shape: &Shape<'_>, context: &Context) -> Identity<'static> {
    let name = match &*shape.rule_name.0 {
        "" => rule_in(&shape.title.0),
        name => name,
    };
    let is_zero = shape.rule_id.0.parse::<f64>() == Ok(0.0);
    if is_zero && name == TEST_RULE {
        return Identity::of_test(context.id, 0);
    }
    let url = if shape.rule_url.0.is_empty() { &shape.old_rule_url.0 } else { &shape.rule_url.0 };
    let rule = Rule::of_grafana(context, link::origin(url).unwrap_or_default(), &shape.org_id.0);
    let url = if shape.rule_id.0.is_empty() { &**url } else { "" };
    let known_by = [("ruleId", &*shape.rule_id.0), ("ruleName", name), ("ruleUrl", url)];
    rule.of_pairs(known_by, fingerprint(shape))
}

/// What made the identity before names counted.
fn fingerprint(shape: &Shape<'_>) -> Fingerprint<'static> {
    if !shape.rule_id.0.is_empty() {
        return Fingerprint::of_pairs([("orgId", &*shape.org_id.0), ("ruleId", &*shape.rule_id.0)]);
    }
    let named = [&shape.rule_url, &shape.old_rule_url, &shape.rule_name, &shape.title];
    let name = named.into_iter().find(|text| !text.0.is_empty()).map_or("", |text| rule_in(&text.0));
    Fingerprint::of_pairs([("orgId", &*shape.org_id.0), ("rule", name)])
}

fn rule_in(title: &str) -> &str {
    TITLE_PREFIXES.iter().find_map(|prefix| title.strip_prefix(prefix)).unwrap_or(title)
}

fn first<'a>(newer: Cow<'a, str>, older: Cow<'a, str>) -> Cow<'a, str> {
    if newer.is_empty() { older } else { newer }
}

/// `restarts=5 {pod=user-service}, latency=0.3`; a series without a value is shown by its name. The value stands before the
/// tags: of a long text the end is cut.
fn value(matches: &[EvalMatch<'_>]) -> String {
    let mut text = String::new();
    // What stands there for no series is a state, and said as one.
    for series in matches.iter().filter(|series| !(series.metric.0 == NO_DATA && series.value.0.is_empty())) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&series.metric.0);
        if !series.value.0.is_empty() {
            // Writing to a String cannot fail, here and below.
            let _written = write!(text, "={}", grafana::readable(&series.value.0));
        }
        for (index, (name, tag)) in series.tags.0.iter().enumerate() {
            let opening = if index == 0 { " {" } else { ", " };
            let _written = write!(text, "{opening}{name}={tag}");
        }
        if !series.tags.0.is_empty() {
            text.push('}');
        }
    }
    text
}
