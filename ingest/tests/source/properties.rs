//! What holds for every body, whoever wrote it.

use ingest::source::{Context, Endpoint, parse, text_of};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::envelope::{EnvelopeId, decode, encode};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn context(endpoint: Endpoint) -> Context {
    let received_at = Timestamp::UNIX_EPOCH;
    Context {
        id: EnvelopeId::new(received_at, [7; 10]),
        received_at,
        endpoint,
        timezone: TimeZone::UTC,
        origin: String::new(),
        ignore_labels: [].into(),
        keep_labels: [].into(),
        people: Vec::new(),
        sources: [].into(),
        named_source: None,
    }
}

/// Whatever is understood must survive the wire; whatever is not must be refused with a reason.
fn is_understood_or_refused(body: &[u8]) -> Result<bool, TestCaseError> {
    let text = text_of(body);
    let mut understood = false;
    for endpoint in [Endpoint::Any, Endpoint::LokiFeishu] {
        match parse(&text, &context(endpoint)) {
            Err(error) => prop_assert!(!error.to_string().is_empty()),
            Ok(parsed) => {
                understood = true;
                let lines =
                    encode(&parsed.envelope).map_err(|error| TestCaseError::fail(error.to_string()))?;
                let mut alerts = Vec::new();
                for line in &lines {
                    let part = decode(&line.bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
                    prop_assert_eq!(part.source, parsed.envelope.source);
                    alerts.extend(part.alerts.into_iter().map(model::alert::Alert::into_owned));
                }
                prop_assert_eq!(alerts, parsed.envelope.alerts);
            }
        }
    }
    Ok(understood)
}

/// The names our formats use, so that arbitrary objects come close to them.
const KEYS: &[&str] = &[
    "alerts",
    "status",
    "labels",
    "annotations",
    "startsAt",
    "endsAt",
    "generatorURL",
    "fingerprint",
    "receiver",
    "groupKey",
    "groupLabels",
    "commonLabels",
    "externalURL",
    "version",
    "truncatedAlerts",
    "orgId",
    "state",
    "title",
    "message",
    "ruleId",
    "ruleName",
    "ruleUrl",
    "tags",
    "evalMatches",
    "metric",
    "value",
    "values",
    "valueString",
    "sender_id",
    "chat_id",
    "timestamp",
    "metadata",
    "at_name",
    "at_phone",
    "silenceURL",
    "msg_type",
    "content",
    "card",
    "elements",
    "header",
    "msgtype",
    "text",
    "markdown",
    "at",
    "is_recovered",
    "rule_id",
    "hash",
    "events",
    "event_id",
    "nseverity",
    "EVENT.ID",
    "alertState",
    "metricName",
    "dimensions",
    "specversion",
    "alert_instance_id",
    "fire_time",
    "alarmObjInfo",
    "alarmPolicyInfo",
    "conditions",
    "topic_urn",
    "type",
    "TopicArn",
    "Type",
    "Message",
    "schemaId",
    "data",
    "essentials",
    "incident",
    "incident_id",
    "alert_transition",
    "action",
    "issue",
    "event",
    "heartbeat",
    "monitor",
    "msg",
    "output_fields",
    "rule",
    "priority",
    "involvedObject",
    "reason",
    "app",
    "name",
];
/// Values with a meaning in some field.
const WORDS: &[&str] = &[
    "firing",
    "resolved",
    "ok",
    "paused",
    "1",
    "4",
    "0001-01-01T00:00:00Z",
    "2026-03-02T07:15:30.25+08:00",
    "2026-03-02 07:15:30 +0800 CST m=+1",
    "99999999999999999999",
    "-1",
    "?x",
    "/x",
    "a:1",
    "\\",
    "wei，lan",
    "服务名称: 服务名称：",
    "服务:",
    "告警时间 9999-12-31T23:59:59",
    "[ var='",
    "[ var='B' labels={} value=1 ]",
    "\u{0}",
    "😀",
    "http://",
    "https://x/",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(WORDS).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        let key = prop_oneof![4 => proptest::sample::select(KEYS).prop_map(str::to_owned), 1 => ".{0,8}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..12)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_byte_string_panics(body in proptest::collection::vec(any::<u8>(), 0..256)) {
        is_understood_or_refused(&body)?;
    }

    #[test]
    fn arbitrary_json_is_understood_or_refused(body in any_json()) {
        is_understood_or_refused(body.to_string().as_bytes())?;
    }

    #[test]
    fn an_array_under_alerts_is_understood_as_soon_as_one_object_is_in_it(alerts in proptest::collection::vec(any_json(), 0..4)) {
        let has_something_to_tell = alerts.is_empty() || alerts.iter().any(Value::is_object);
        let body = json!({ "alerts": alerts }).to_string();
        prop_assert_eq!(is_understood_or_refused(body.as_bytes())?, has_something_to_tell);
    }

    #[test]
    fn a_body_cut_or_changed_anywhere_does_not_panic(cut in 0_usize..1000, flip in 0_usize..1000, bit in 0_u8..8) {
        let mut body = include_bytes!("../golden/grafana-mixed.json").to_vec();
        let cut = cut * body.len() / 1000;
        let flip = flip * body.len() / 1000;
        is_understood_or_refused(&body[..cut])?;
        body[flip] ^= 1 << bit;
        is_understood_or_refused(&body)?;
    }
}
