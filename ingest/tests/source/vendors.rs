//! The formats of other products: an end ends what its alert began, two problems are two, and no oddity does harm.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read its fixtures has failed")]

use std::collections::BTreeSet;
use std::fs;

use ingest::source::{Context, Endpoint, parse, text_of};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::{Alert, Status};
use model::envelope::{EnvelopeId, Source, decode, encode};
use serde_json::{Value, json};

use crate::golden::{endpoint_of, fixtures, folder};

fn context(endpoint: Endpoint) -> Context {
    let received_at: Timestamp = "2026-03-02T07:16:00.5Z".parse().unwrap();
    Context {
        id: EnvelopeId::new(received_at, [7; 10]),
        received_at,
        endpoint,
        timezone: TimeZone::get("Asia/Shanghai").unwrap(),
        origin: String::new(),
        ignore_labels: ["prometheus_replica".to_owned()].into(),
        keep_labels: [].into(),
        people: Vec::new(),
        sources: [].into(),
        named_source: None,
    }
}

fn alerts_of(name: &str, body: &str) -> Vec<Alert<'static>> {
    let parsed = parse(body, &context(endpoint_of(name))).unwrap_or_else(|error| panic!("{name}: {error}"));
    parsed.envelope.alerts.into_iter().map(Alert::into_owned).collect()
}

fn fixture(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.json"))).unwrap()
}

#[test]
fn an_end_ends_what_its_alert_began() {
    for (begun, ended) in [
        ("feishu-bot-text", "feishu-bot-text-over"),
        ("feishu-bot-card", "feishu-bot-card-over"),
        ("nightingale-firing", "nightingale-recovered"),
        ("zabbix-problem", "zabbix-recovery"),
        ("aliyun-cms-json", "aliyun-cms-over"),
        ("aliyun-sls-firing", "aliyun-sls-batch-over"),
        ("azure-monitor-fired", "azure-monitor-resolved"),
        ("gcp-monitoring-open", "gcp-monitoring-closed"),
        ("datadog-triggered", "datadog-recovered"),
        ("aws-sns-alarm", "aws-sns-eventbridge"),
        ("uptime-kuma-down", "uptime-kuma-up"),
        ("argo-cd-degraded", "argo-cd-healthy"),
    ] {
        let [begin, end] = [begun, ended].map(|name| alerts_of(name, &fixture(name)).remove(0));
        assert_eq!((begin.status, end.status), (Status::Firing, Status::Resolved), "{begun}");
        assert_eq!(begin.fingerprint, end.fingerprint, "{begun} and {ended}");
        assert!(
            begin.starts_at.is_none() || end.starts_at.is_none() || begin.starts_at == end.starts_at,
            "{begun}"
        );
    }
}

#[test]
fn an_acknowledgement_is_no_new_alert_and_a_comment_on_what_is_over_does_not_make_it_fire() {
    let [problem, update] =
        ["zabbix-problem", "zabbix-update"].map(|name| alerts_of(name, &fixture(name)).remove(0));
    assert_eq!((&problem.fingerprint, problem.starts_at), (&update.fingerprint, update.starts_at));
    let mut late: Value = serde_json::from_str(&fixture("zabbix-update")).unwrap();
    late["recovery_id"] = json!("4712");
    assert_eq!(alerts_of("zabbix", &late.to_string())[0].status, Status::Resolved);
}

/// Of a body, one field that makes it another problem.
const TELLING: &[(&str, &str, &str)] = &[
    ("nightingale-firing", "/hash", "other"),
    ("zabbix-problem", "/event_id", "4799"),
    ("aliyun-cms-json", "/dimensions", "{instanceId=i-bp2, userId=1234567890}"),
    ("aliyun-cms-json", "/ruleId", "alarmRule_2"),
    ("aliyun-cms-2", "/alertEntityId", "e-10"),
    ("aliyun-sls-firing", "/fingerprint", "beef"),
    ("tencent-cloud-metric", "/alarmObjInfo/dimensions/objId", "other"),
    ("tencent-cloud-metric", "/alarmPolicyInfo/conditions/metricName", "mem_usage"),
    ("azure-monitor-fired", "/data/essentials/alertId", "/other"),
    ("gcp-monitoring-open", "/incident/incident_id", "0.abd"),
    ("datadog-triggered", "/scopes", "host:web-2"),
    ("datadog-triggered", "/monitor_id", "43"),
    ("sentry-event-alert", "/data/event/issue_id", "1"),
    ("uptime-kuma-down", "/heartbeat/monitorID", "8"),
    ("kubernetes-event", "/involvedObject/uid", "p2"),
    ("kubernetes-event", "/reason", "Unhealthy"),
    ("argo-cd-degraded", "/app/metadata/name", "pay"),
    ("falco-shell", "/output_fields/container.id", "2f3b"),
    ("feishu-bot-card", "/card/header/title/content", "UptimeKuma Alert: [Down] pay"),
    ("dingtalk-bot-text", "/text/content", "【告警】支付服务异常"),
    ("wecom-bot-text", "/text/content", "广州明日天气"),
    ("aws-sns-text", "/Message", "Backup of db-2 failed"),
];

#[test]
fn two_problems_are_never_one_and_the_same_sent_twice_is() {
    for (name, pointer, value) in TELLING {
        let body: Value = serde_json::from_str(&fixture(name)).unwrap();
        let mut other = body.clone();
        *other.pointer_mut(pointer).unwrap_or_else(|| panic!("{name} has no {pointer}")) = json!(value);
        let [one, again, other] =
            [&body, &body, &other].map(|body| alerts_of(name, &body.to_string()).remove(0).fingerprint);
        assert_eq!(one, again, "{name}");
        assert_ne!(one, other, "{name} with another {pointer}");
    }
}

#[test]
fn every_source_but_what_is_mapped_has_a_body_of_its_own() {
    let of_fixture = |name: &str, body: &[u8]| {
        parse(&text_of(body), &context(endpoint_of(name))).unwrap().envelope.source.as_str()
    };
    let seen: BTreeSet<_> =
        fixtures().iter().map(|fixture| of_fixture(&fixture.name, &fixture.body)).collect();
    let all: BTreeSet<_> = Source::ALL
        .into_iter()
        .filter(|source| !matches!(source, Source::Mapped | Source::Larkfire))
        .map(Source::as_str)
        .collect();
    assert_eq!(seen, all);
    for fixture in fixtures() {
        let source = of_fixture(&fixture.name, &fixture.body).replace('_', "-");
        assert!(fixture.name.starts_with(&source), "{} was taken for {source}", fixture.name);
    }
}

/// What stands where something else is documented.
fn oddities() -> Vec<Value> {
    let long = "长".repeat(9000);
    vec![
        Value::Null,
        json!(""),
        json!(0),
        json!(-1.5e300),
        json!(true),
        json!([]),
        json!({}),
        json!([null, 1, "x", [{}]]),
        json!({"": null, "a": {"b": [[]]}}),
        json!("{HOST.IP}"),
        json!("{\"a\":[1"),
        json!("[[[((【<at <font <@"),
        json!("9999-12-31T23:59:59.999999999Z"),
        json!(long),
    ]
}

/// Every pointer into a value.
fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, child) in children {
        let pointer = format!("{at}/{key}");
        into.push(pointer.clone());
        pointers(child, &pointer, into);
    }
}

#[test]
fn no_odd_value_anywhere_does_harm() {
    for fixture in fixtures() {
        let Ok(body) = serde_json::from_str::<Value>(&text_of(&fixture.body)) else { continue };
        let mut all = Vec::new();
        pointers(&body, "", &mut all);
        for pointer in all {
            for oddity in oddities() {
                let mut odd = body.clone();
                *odd.pointer_mut(&pointer).unwrap() = oddity;
                let text = odd.to_string();
                let Ok(parsed) = parse(&text, &context(endpoint_of(&fixture.name))) else { continue };
                for line in encode(&parsed.envelope).unwrap() {
                    decode(&line.bytes).unwrap_or_else(|error| panic!("{} {pointer}: {error}", fixture.name));
                }
            }
        }
    }
}

#[test]
fn a_form_is_read_like_json() {
    let form = "lastTime=2%E5%88%86%E9%92%9F&metricName=code5XX_stage&instanceName=null&userId=1&curValue=9&unit=%E4%B8%AA\
        &alertName=API%E7%BD%91%E5%85%B3&namespace=acs_apigateway&triggerLevel=INFO&alertState=ALERT&preTriggerLevel=null\
        &ruleId=alarmRule_1&dimensions=%7BapiStageName%3DRELEASE%2C+region%3Dcn-shenzhen%7D&timestamp=1685646149981";
    let alert = &alerts_of("aliyun", form)[0];
    let label = |name| alert.labels.get(name).unwrap_or_default().to_owned();
    assert_eq!([label("alertname"), label("severity"), label("region")], ["API网关", "info", "cn-shenzhen"]);
    assert_eq!(alert.annotations.get("value"), Some("9个"));
    assert_eq!(alert.labels.get("instance"), None, "the word null is none");
    let kuma = format!(
        "data={}",
        fixture("uptime-kuma-down").trim().replace('%', "%25").replace(' ', "%20").replace('&', "%26")
    );
    assert_eq!(alerts_of("kuma", &kuma)[0].labels.get("alertname"), Some("shop"));
    let refused = parse("a=b&c=d", &context(Endpoint::Any)).unwrap_err().to_string();
    assert!(refused.starts_with("not JSON"), "{refused}");
}
