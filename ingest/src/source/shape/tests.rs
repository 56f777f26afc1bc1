use super::*;

/// The format and the keys that gave it away, or the nearest format and what it lacks.
fn recognised(body: &str, endpoint: Endpoint) -> String {
    match Shape::read(body).unwrap().unwrap().recognise(endpoint) {
        Ok((source, because)) => format!("{}: {}", source.as_str(), because.keys.join(" ")),
        Err(SourceError::Unknown { nearest, missing }) => format!("{} lacks {missing}", nearest.as_str()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn each_format_is_known_by_its_keys_and_the_nearest_is_named() {
    let table = [
        (r#"{"alerts":[],"version":"4","groupKey":"x"}"#, "alertmanager: alerts"),
        (r#"{"alerts":[{}],"version":4,"message":"x","sender_id":"y"}"#, "alertmanager: alerts"),
        (r#"{"alerts":[],"version":"1"}"#, "grafana: alerts version"),
        (r#"{"alerts":[],"orgId":1,"state":"ok","title":"x"}"#, "grafana: alerts orgId state"),
        (r#"{"ruleId":1,"ruleName":"x","evalMatches":[]}"#, "grafana_legacy: ruleId ruleName evalMatches"),
        (r#"{"rule_url":"x","title":"y","sender_id":"z"}"#, "grafana_legacy: rule_url"),
        (r#"{"title":"[Alerting] x","state":"alerting","message":"y"}"#, "grafana_legacy: title state"),
        (r#"{"message":"x","sender_id":"y","status":"z"}"#, "custom: sender_id"),
        (r#"{"message":"x","sender_id":"y","metadata":{"a":1},"at_name":"z"}"#, "custom: sender_id metadata"),
        (r#"{"message":"x","at_phone":13800138000}"#, "loki_feishu: at_phone"),
        (r#"{"message":"x","status":"firing"}"#, "loki_feishu: message status"),
        (r#"{"message":"x"}"#, "custom lacks `sender_id`"),
        (r#"{"message":"x","chat_id":"y"}"#, "custom lacks `sender_id`"),
        (r#"{"sender_id":"x","message":{"text":"y"}}"#, "custom lacks a `message` that is not empty"),
        (r#"{"at_name":"x","message":" "}"#, "loki_feishu lacks a `message` that is not empty"),
        (r#"{"ruleId":1}"#, "grafana_legacy lacks `ruleName` or `title`"),
        (r#"{"version":"4","status":"firing","alerts":null}"#, "alertmanager lacks the array `alerts`"),
        (r#"{"alerts":[1]}"#, "alertmanager lacks objects in the array `alerts`"),
        (r#"{"text":"x"}"#, "alertmanager lacks the array `alerts`"),
        (r#"{"title":"x","text":"y"}"#, "loki_feishu: title"),
        (r#"{"title":"x","body":"y","type":"error"}"#, "loki_feishu: title"),
        (r#"{"title":"x","message":"y"}"#, "loki_feishu: title"),
        (r#"{"title":"x"}"#, "loki_feishu: title"),
        (r#"{"title":"x","description":"y","status":"ok"}"#, "loki_feishu: message status"),
        (r#"{"text":"x","status":"firing"}"#, "loki_feishu: message status"),
        (r#"{"content":"x","sender_id":"y"}"#, "custom: sender_id"),
        (r#"{"title":"x","state":"ok","message":"y"}"#, "grafana_legacy: title state"),
        (r#"[{"labels":{"alertname":"x"}}]"#, "alertmanager: labels"),
    ];
    for (body, expected) in table {
        assert_eq!(recognised(body, Endpoint::Any), expected, "{body}");
    }
}

#[test]
fn at_the_loki_feishu_address_a_message_is_enough_whatever_stands_beside_it() {
    for body in [
        r#"{"message":"x"}"#,
        r#"{"message":"x","chat_id":"y"}"#,
        r#"{"message":"x","metadata":{"a":1},"status":null}"#,
        r#"{"message":"x","title":"y","extra":[1]}"#,
    ] {
        assert!(recognised(body, Endpoint::LokiFeishu).starts_with("loki_feishu: message"), "{body}");
    }
    assert_eq!(recognised(r#"{"message":"x","sender_id":"y"}"#, Endpoint::LokiFeishu), "custom: sender_id");
}

#[test]
fn a_title_and_a_text_of_any_name_are_one_message() {
    for body in [
        r#"{"title":"Disk full","text":"on db-1"}"#,
        r#"{"title":"Disk full","content":"on db-1"}"#,
        r#"{"title":"Disk full","body":"on db-1","text":" "}"#,
        r#"{"title":"Disk full","description":"on db-1"}"#,
        r#"{"title":"Disk full","message":"on db-1"}"#,
        r#"{"title":"Disk full","text":"Disk full\non db-1"}"#,
    ] {
        assert_eq!(Shape::read(body).unwrap().unwrap().message.0, "Disk full\non db-1", "{body}");
    }
    assert_eq!(Shape::read(r#"{"title":"Disk full"}"#).unwrap().unwrap().message.0, "Disk full");
}

#[test]
fn an_array_without_alerts_is_none() {
    for body in ["[]", "[1]", r#"[{"x":1}]"#] {
        assert!(Shape::read(body).unwrap().is_none(), "{body}");
    }
}
