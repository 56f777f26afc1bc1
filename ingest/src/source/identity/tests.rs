use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::test_context::context;
use super::super::{Context, Endpoint, parse};
use super::*;

/// The fingerprints of a body's alerts, and the former ones where there are such.
fn names_for(body: &Value, context: &Context) -> Vec<(String, Option<String>)> {
    let text = body.to_string();
    let envelope = parse(&text, context).unwrap_or_else(|error| panic!("{error}: {text}")).envelope;
    let name = |alert: &Alert<'_>| {
        let former = alert.former.as_ref().map(ToString::to_string);
        (alert.fingerprint.to_string(), former)
    };
    envelope.alerts.iter().map(name).collect()
}

fn fingerprints(body: &Value) -> Vec<String> {
    names_for(body, &context()).into_iter().map(|(name, _)| name).collect()
}

fn fingerprint(body: &Value) -> String {
    fingerprints(body).remove(0)
}

fn told_as(body: &Value, endpoint: Endpoint) -> String {
    names_for(body, &Context { endpoint, ..context() }).remove(0).0
}

fn from(origin: &str) -> Context {
    Context { origin: origin.to_owned(), ..context() }
}

fn group(alerts: &[Value]) -> Value {
    json!({"receiver": "ops", "version": "4", "groupKey": "{}:{}", "alerts": alerts})
}

/// What Alertmanager makes of labels.
fn genuine(labels: &Value) -> String {
    let labels = labels.as_object().unwrap();
    let pairs = labels.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    Fingerprint::of_labels(pairs).to_string()
}

fn alertmanager(labels: &Value) -> Value {
    json!({"labels": labels, "fingerprint": genuine(labels)})
}

fn grafana(external_url: &str, labels: &Value, named: &str) -> Value {
    json!({"receiver": "ops", "version": "1", "orgId": 1, "externalURL": external_url,
        "alerts": [{"labels": labels, "fingerprint": named}]})
}

#[test]
fn what_was_right_keeps_its_name() {
    let labels = json!({"alertname": "Down", "instance": "db-1"});
    let body = group(&[alertmanager(&labels), json!({"labels": labels})]);
    let without = Fingerprint::of_pairs([("alertname", "Down"), ("instance", "db-1")]).to_string();
    assert_eq!(names_for(&body, &context()), [(genuine(&labels), None), (without, None)]);
    let custom = json!({"sender_id": "s", "chat_id": "c", "message": "db-1 is down"});
    let known = [("sender_id", "s"), ("chat_id", "c"), ("message", "db-1 is down")];
    assert_eq!(names_for(&custom, &context()), [(Fingerprint::of_pairs(known).to_string(), None)]);
    let text = json!({"message": "disk full on a", "status": "firing"});
    let known = Fingerprint::of_pairs([("message", "disk full on a")]).to_string();
    assert_eq!(names_for(&text, &context()), [(known, None)]);
}

#[test]
fn a_fingerprint_of_several_alerts_is_not_believed_and_goes_along_as_the_former_one() {
    let alert = |instance: &str| json!({"labels": {"instance": instance}, "fingerprint": "abc123"});
    let names = names_for(&group(&["a", "b", "c", "d"].map(alert)), &context());
    assert_eq!(names.iter().map(|(name, _)| name).collect::<HashSet<_>>().len(), 4);
    assert!(names.iter().all(|(_, former)| former.as_deref() == Some("abc123")), "{names:?}");
    // In another request as well, and the same alert has the same name in each state.
    assert_eq!(fingerprint(&group(&[alert("b")])), names[1].0);
}

#[test]
fn labels_past_every_limit_tell_alerts_apart() {
    let alert = |last: &str, padding: usize| {
        let mut labels: serde_json::Map<_, _> =
            (0..padding).map(|n| (format!("l{n:04}"), Value::from("x"))).collect();
        labels.insert("z".to_owned(), last.into());
        json!({ "labels": labels })
    };
    for padding in [64, 100, 1100] {
        let [one, other, again] = ["a", "b", "a"].map(|last| fingerprint(&group(&[alert(last, padding)])));
        assert!(one != other && one == again, "{padding}");
    }
    let long = |end: &str| group(&[json!({"labels": {"a": "x".repeat(9000) + end}})]);
    assert_ne!(fingerprint(&long("1")), fingerprint(&long("2")));
}

#[test]
fn replicas_are_one_alert_and_their_labels_are_not_shown() {
    let alert = |replica: &str, status: &str| {
        let labels = json!({"alertname": "Down", "prometheus_replica": replica});
        json!({"status": status, "labels": labels, "fingerprint": genuine(&labels)})
    };
    let names = names_for(&group(&[alert("a", "firing"), alert("b", "firing")]), &context());
    let plain = genuine(&json!({"alertname": "Down"}));
    assert!(names.iter().all(|(name, former)| *name == plain && former.is_some()), "{names:?}");
    // While one of them says that it fires, it does.
    let text = group(&[alert("a", "resolved"), alert("b", "firing")]).to_string();
    let envelope = parse(&text, &context()).unwrap().envelope;
    assert_eq!(envelope.alerts.len(), 1);
    assert_eq!(envelope.alerts[0].labels.get("prometheus_replica"), None);
    // Without the setting they are two, and a set of nothing else is not emptied.
    let every = Context { ignore_labels: [].into(), ..context() };
    let names = names_for(&group(&[alert("a", "firing"), alert("b", "firing")]), &every);
    assert_ne!(names[0].0, names[1].0);
    let only = |replica: &str| group(&[json!({"labels": {"prometheus_replica": replica}})]);
    assert_ne!(fingerprint(&only("a")), fingerprint(&only("b")));
}

#[test]
fn two_clusters_are_told_apart_by_the_address_and_the_members_of_one_are_not() {
    let labels = json!({"alertname": "Down"});
    let sent_by = |member: &str, context: &Context| {
        let mut body = group(&[alertmanager(&labels)]);
        body["externalURL"] = format!("http://alertmanager-{member}:9093").into();
        names_for(&body, context).remove(0)
    };
    assert_eq!(sent_by("0", &context()), sent_by("1", &context()));
    assert_eq!(sent_by("0", &from("eu")), sent_by("1", &from("eu")));
    assert_ne!(sent_by("0", &from("eu")).0, sent_by("0", &from("us")).0);
    assert_eq!(sent_by("0", &from("eu")).1, Some(genuine(&labels)), "an operator may set it later");
    let text = group(&[alertmanager(&labels)]).to_string();
    let context = from("eu");
    let envelope = parse(&text, &context).unwrap().envelope;
    assert_eq!(envelope.alerts[0].annotations.get("origin"), Some("eu"));
    assert_eq!(envelope.alerts[0].labels.get("origin"), None, "silences are made of labels");
}

#[test]
fn two_grafanas_provisioned_alike_are_two_and_the_members_of_one_are_not() {
    let labels = json!({"alertname": "CPU", "grafana_folder": "x"});
    let of = |url: &str| fingerprint(&grafana(url, &labels, "54827aa3e6b3dbbe"));
    assert_ne!(of("https://eu.example/"), of("https://us.example/"));
    assert_eq!(of("https://EU.example/grafana/"), of("http://eu.example/grafana"));
    let other = json!({"alertname": "CPU", "grafana_folder": "y"});
    assert_ne!(
        of("https://eu.example/"),
        fingerprint(&grafana("https://eu.example/", &other, "54827aa3e6b3dbbe"))
    );
    // Rules whose labels are equal are told apart by Grafana's fingerprint, which has hidden ones.
    assert_ne!(
        of("https://eu.example/"),
        fingerprint(&grafana("https://eu.example/", &labels, "68d4e65db3ad9208"))
    );
    let former =
        names_for(&grafana("https://eu.example/", &labels, "54827aa3e6b3dbbe"), &context()).remove(0).1;
    assert_eq!(former.as_deref(), Some("54827aa3e6b3dbbe"));
}

#[test]
fn replicas_under_grafana_are_told_from_other_rules() {
    let alert = |replica: &str, named: &str, rule: &str| {
        let mut body = grafana("https://g/", &json!({"alertname": "CPU", "__replica__": replica}), named);
        body["alerts"][0]["generatorURL"] = format!("https://g/alerting/grafana/{rule}/view?orgId=1").into();
        fingerprint(&body)
    };
    assert_eq!(alert("a", "1111111111111111", "r1"), alert("b", "2222222222222222", "r1"));
    assert_ne!(alert("a", "1111111111111111", "r1"), alert("b", "2222222222222222", "r2"));
}

#[test]
fn a_rule_of_old_grafanas_is_known_by_its_name_and_its_grafana_as_well() {
    let rule = |name: &str, host: &str, state: &str| {
        let body = json!({"ruleId": 1, "orgId": 1, "ruleName": name, "state": state,
            "ruleUrl": format!("http://{host}/d/abc?tab=alert&orgId=1")});
        names_for(&body, &context()).remove(0)
    };
    let cpu = rule("CPU", "g1", "alerting");
    assert_eq!(cpu, rule("CPU", "g1", "ok"));
    assert_ne!(cpu.0, rule("Orders", "g1", "alerting").0);
    assert_ne!(cpu.0, rule("CPU", "g2", "alerting").0);
    assert_eq!(cpu.1, Some(Fingerprint::of_pairs([("orgId", "1"), ("ruleId", "1")]).to_string()));
    let unnumbered =
        |url: &str| fingerprint(&json!({"ruleName": "CPU", "state": "alerting", "ruleUrl": url}));
    assert_ne!(unnumbered("http://g/d/a"), unnumbered("http://g/d/b"));
}

#[test]
fn the_title_tells_messages_about_one_service_apart_and_a_recovery_ends_its_own() {
    let text = |title: &str, status: &str| {
        let message = format!("{title}\n服务名称: order\n命名空间: shop\n告警时间: 2026-03-02T15:15:30");
        told_as(&json!({"message": message, "status": status}), Endpoint::LokiFeishu)
    };
    assert_ne!(text("【告警】错误率过高", "firing"), text("【告警】耗时过长", "firing"));
    assert_eq!(text("【告警】错误率过高", "firing"), text("【恢复】错误率过高", "resolved"));
    assert_ne!(text("【恢复】错误率过高", "resolved"), text("【恢复】耗时过长", "resolved"));
}

#[test]
fn a_key_holds_the_states_of_a_custom_alert_together() {
    let message = |key: &str, message: &str, status: &str| {
        fingerprint(&json!({"sender_id": "icinga", "message": message, "key": key, "status": status}))
    };
    assert_eq!(message("db!disk", "disk 91 %", "CRITICAL"), message("db!disk", "disk 40 %", "OK"));
    assert_ne!(message("db!disk", "disk", "CRITICAL"), message("web!disk", "disk", "CRITICAL"));
    let text = json!({"sender_id": "icinga", "message": "x", "key": "k", "status": "OK"}).to_string();
    assert_eq!(parse(&text, &context()).unwrap().envelope.alerts[0].status, model::alert::Status::Resolved);
    let on = |host: &str, severity: &str| {
        let metadata = json!({"host": host, "severity": severity});
        fingerprint(&json!({"sender_id": "s", "message": "disk full", "metadata": metadata}))
    };
    assert_ne!(on("a", "high"), on("b", "high"));
    assert_eq!(on("a", "high"), on("a", "low"));
}

#[test]
fn tests_are_delivered_each_time() {
    let later = || Context { id: EnvelopeId::new(jiff::Timestamp::UNIX_EPOCH, [8; 10]), ..context() };
    let unified =
        grafana("http://g/", &json!({"alertname": "TestAlert", "instance": "Grafana"}), "57c6d9296de2ad39");
    let legacy = json!({"ruleId": 0, "orgId": 0, "ruleName": "Test notification", "state": "alerting"});
    let custom = json!({"sender_id": "me", "message": "test"});
    let text = json!({"message": "测试告警", "status": "firing"});
    for body in [unified, legacy, custom, text] {
        let [first, again] = [context(), later()].map(|context| names_for(&body, &context).remove(0));
        assert!(first.0 != again.0 && first.1.is_none(), "{body}");
    }
}

/// Pairs of labels that a person would not call the same.
fn labels() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-c]", "[a-c]{1,2}", 1..4).prop_map(|pairs| json!(pairs))
}

fn named() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        proptest::sample::select(vec!["abc123", "0", "83eb2c81e0da3faf"])
            .prop_map(|name| Some(name.to_owned())),
        Just(Some("genuine".to_owned())),
    ]
}

/// A body, and what a person would call its problem by.
fn problem() -> impl Strategy<Value = (Value, Value)> {
    let labelled =
        (labels(), named(), any::<bool>(), "[ab]").prop_map(|(labels, named, is_grafana, host)| {
            let mut alert = json!({ "labels": labels });
            if let Some(named) = named {
                alert["fingerprint"] = if named == "genuine" { genuine(&labels) } else { named }.into();
            }
            let mut body = group(&[alert]);
            if is_grafana {
                body["version"] = "1".into();
                body["orgId"] = 1.into();
                body["externalURL"] = format!("http://{host}/").into();
            }
            (body, json!([labels, is_grafana.then_some(host)]))
        });
    let legacy = ("[ab]", 1..3, "[AB]").prop_map(|(host, id, name)| {
        let url = format!("http://{host}/d/x");
        let body = json!({"ruleId": id, "ruleName": name, "ruleUrl": url, "state": "alerting"});
        (body, json!(["legacy", host, id, name]))
    });
    let custom = ("[ab]", "[ab]", proptest::option::of("[ab]")).prop_map(|(sender, message, key)| {
        let body = json!({"sender_id": sender, "message": message, "key": key});
        let problem =
            key.map_or_else(|| json!(["message", sender, message]), |key| json!(["key", sender, key]));
        (body, problem)
    });
    let text = ("[ab]", proptest::option::of("[ab]")).prop_map(|(title, service)| {
        let service = service.map(|service| format!("\n服务名称: {service}")).unwrap_or_default();
        let message = format!("{title}{service}");
        (json!({"message": message, "status": "firing"}), json!(["text", message]))
    });
    prop_oneof![4 => labelled, 1 => legacy, 1 => custom, 1 => text]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn two_problems_have_two_names((one, problem) in problem(), (other, another) in problem()) {
        if problem != another {
            prop_assert_ne!(fingerprint(&one), fingerprint(&other), "{} and {}", one, other);
        }
    }

    #[test]
    fn in_one_request_unequal_labels_never_fall_together(all in proptest::collection::vec((labels(), named()), 2..6)) {
        let alerts: Vec<_> = all.iter().map(|(labels, named)| json!({"labels": labels, "fingerprint": named})).collect();
        let names = fingerprints(&group(&alerts));
        for (one, (labels, _)) in names.iter().zip(&all) {
            for (other, (others, _)) in names.iter().zip(&all) {
                prop_assert!(labels == others || one != other, "{labels} and {others}");
            }
        }
    }
}
