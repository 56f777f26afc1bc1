//! What real senders do that their documentation does not say, each with a way to see it in a body.

use serde_json::Value;

/// Whether a body, raw and as JSON, shows an oddity.
type Shows = fn(&[u8], &Value) -> bool;

/// From the catalogue of seen samples: Alertmanager (1.1–1.2), Grafana legacy (3), Grafana unified (4).
pub(crate) const ODDITIES: &[(&str, Shows)] = &[
    ("a byte order mark", |raw, _| raw.starts_with(b"\xef\xbb\xbf")),
    ("bytes that are not UTF-8", |raw, _| std::str::from_utf8(raw).is_err()),
    ("half a surrogate pair", |raw, _| has(raw, r"\ud83d")),
    ("HTML escapes", |raw, _| has(raw, r"\u003c") && has(raw, r"\u0026")),
    ("unknown keys", |_, body| body.get("payload").is_some()),
    ("version as a number", |_, body| body["version"].is_number()),
    ("no version", |_, body| grouped(body) && body.get("version").is_none()),
    ("groupKey as a number above 2^64", |_, body| body["groupKey"].as_f64().is_some_and(|key| key > 1.9e19)),
    ("no groupKey", |_, body| grouped(body) && body.get("groupKey").is_none()),
    ("a groupKey with a Go time", |_, body| {
        body["groupKey"].as_str().is_some_and(|key| key.contains(" m=+"))
    }),
    ("null groupLabels", |_, body| grouped(body) && body.get("groupLabels").is_some_and(Value::is_null)),
    ("no externalURL", |_, body| grouped(body) && body.get("externalURL").is_none()),
    ("an externalURL without scheme", |_, body| body["externalURL"] == "localhost:3000/"),
    ("an escaped receiver", |_, body| body["receiver"].as_str().is_some_and(|name| name.contains(r"\."))),
    ("truncated alerts", |_, body| body["truncatedAlerts"].as_u64() > Some(0)),
    ("notification_reason and routeLabels", |_, body| {
        body.get("notification_reason").is_some() && body.get("routeLabels").is_some()
    }),
    ("an empty group", |_, body| body["alerts"].as_array().is_some_and(Vec::is_empty)),
    ("a null among the alerts", |_, body| any(body, Value::is_null)),
    ("an alert without status", |_, body| {
        any(body, |alert| alert.is_object() && alert.get("status").is_none())
    }),
    ("a status outside the two", |_, body| any(body, |alert| alert["status"] == "suppressed")),
    ("an empty fingerprint", |_, body| any(body, |alert| alert["fingerprint"] == "")),
    ("a null fingerprint", |_, body| any(body, |alert| alert.get("fingerprint").is_some_and(Value::is_null))),
    ("a UUID for a fingerprint", |_, body| any(body, |alert| text(alert, "fingerprint").len() == 36)),
    ("no fingerprint", |_, body| any(body, |alert| alert.is_object() && alert.get("fingerprint").is_none())),
    ("a zero endsAt on a resolved alert", |_, body| {
        any(body, |alert| alert["status"] == "RESOLVED" && text(alert, "endsAt").starts_with("0001-"))
    }),
    ("no endsAt", |_, body| any(body, |alert| alert.is_object() && alert.get("endsAt").is_none())),
    ("an unreadable time", |_, body| any(body, |alert| alert["endsAt"] == "soon")),
    ("a time in Go's print form", |_, body| any(body, |alert| text(alert, "startsAt").contains(" CST m=+"))),
    ("an offset east of UTC and nanoseconds", |_, body| {
        any(body, |alert| text(alert, "startsAt").ends_with(".123456789+08:00"))
    }),
    ("an offset west of UTC", |_, body| any(body, |alert| text(alert, "startsAt").ends_with("-05:00"))),
    ("null labels", |_, body| any(body, |alert| alert.get("labels").is_some_and(Value::is_null))),
    ("no labels at all", |_, body| {
        any(body, |alert| alert["labels"].as_object().is_some_and(serde_json::Map::is_empty))
    }),
    ("a null label value", |_, body| any_label(body, Value::is_null)),
    ("a numeric label value", |_, body| any_label(body, Value::is_number)),
    ("a boolean label value", |_, body| any_label(body, Value::is_boolean)),
    ("an object for a label value", |_, body| any_label(body, Value::is_object)),
    ("a label name outside ASCII", |_, body| any(body, |alert| alert["labels"].get("标签").is_some())),
    ("null values", |_, body| any(body, |alert| alert.get("values").is_some_and(Value::is_null))),
    ("no values, only valueString", |_, body| {
        any(body, |alert| alert.get("values").is_none() && !text(alert, "valueString").is_empty())
    }),
    ("a link without scheme", |_, body| {
        any(body, |alert| text(alert, "silenceURL").starts_with("localhost:3000/"))
    }),
    ("a link of a query alone", |_, body| any(body, |alert| alert["generatorURL"] == "?orgId=1")),
    ("a link that runs a script", |_, body| {
        any(body, |alert| text(alert, "generatorURL").starts_with("javascript:"))
    }),
    ("Grafana's DatasourceNoData", |_, body| {
        any(body, |alert| alert["labels"]["alertname"] == "DatasourceNoData")
    }),
    ("Grafana's DatasourceError", |_, body| {
        any(body, |alert| alert["labels"]["alertname"] == "DatasourceError")
    }),
    ("links to a dashboard and a panel", |_, body| {
        any(body, |alert| !text(alert, "dashboardURL").is_empty() && !text(alert, "panelURL").is_empty())
    }),
    ("the keys of Grafana 12 and 13", |_, body| {
        body.get("appVersion").is_some()
            && any(body, |alert| alert.get("ruleUID").is_some() && alert.get("enrichments").is_some())
    }),
    ("a time as a number", |_, body| any(body, |alert| alert["startsAt"].is_number())),
    ("Grafana's test button", |_, body| any(body, |alert| alert["labels"]["alertname"] == "TestAlert")),
    ("Grafana's image", |_, body| any(body, |alert| !text(alert, "imageURL").is_empty())),
    ("an empty receiver", |_, body| body["receiver"] == ""),
    ("every legacy state: ok", |_, body| legacy(body, "ok")),
    ("every legacy state: alerting", |_, body| legacy(body, "alerting")),
    ("every legacy state: no_data", |_, body| legacy(body, "no_data")),
    ("every legacy state: unknown", |_, body| legacy(body, "unknown")),
    ("every legacy state: paused", |_, body| legacy(body, "paused")),
    ("every legacy state: pending", |_, body| legacy(body, "pending")),
    ("null evalMatches", |_, body| body.get("evalMatches").is_some_and(Value::is_null)),
    ("a null value and null tags in evalMatches", |_, body| {
        body["evalMatches"][0].get("value").is_some_and(Value::is_null)
            && body["evalMatches"][0]["tags"].is_null()
    }),
    ("null tags", |_, body| body.get("tags").is_some_and(Value::is_null)),
    ("rule_url and image_url of old", |_, body| {
        body.get("rule_url").is_some() && body.get("image_url").is_some()
    }),
    ("ids as floats", |raw, _| has(raw, r#""ruleId": 42.0"#)),
    ("a legacy body of title and state", |_, body| {
        body["state"] == "OK" && body.get("ruleName").is_none() && body.get("evalMatches").is_none()
    }),
    ("a phone number as a number", |_, body| body["at_phone"].is_number()),
    ("keys of the custom format without its sender", |_, body| {
        body.get("metadata").is_some() && body.get("sender_id").is_none()
    }),
    ("no rule id", |_, body| body.get("evalMatches").is_some() && body.get("ruleId").is_none()),
];

fn has(raw: &[u8], part: &str) -> bool {
    raw.windows(part.len()).any(|window| window == part.as_bytes())
}

fn grouped(body: &Value) -> bool {
    body.get("alerts").is_some()
}

fn any(body: &Value, shows: impl Fn(&Value) -> bool) -> bool {
    body["alerts"].as_array().is_some_and(|alerts| alerts.iter().any(shows))
}

fn any_label(body: &Value, shows: fn(&Value) -> bool) -> bool {
    any(body, |alert| alert["labels"].as_object().is_some_and(|labels| labels.values().any(shows)))
}

fn legacy(body: &Value, state: &str) -> bool {
    body.get("evalMatches").is_some() && body["state"] == state
}

fn text<'v>(alert: &'v Value, key: &str) -> &'v str {
    alert[key].as_str().unwrap_or_default()
}
