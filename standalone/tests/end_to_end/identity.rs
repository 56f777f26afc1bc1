//! Alerts that used to be taken for one another: each is delivered, and each end as well.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::http;
use testkit::wait_until::wait_until;

use crate::deployment::{Deployment, Part, Shape};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn each_alert_is_itself_through_the_roles() {
    each_alert_is_itself(Shape::Roles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_alert_is_itself_through_one_process() {
    each_alert_is_itself(Shape::Embedded).await;
}

async fn each_alert_is_itself(shape: Shape) {
    let deployment = Deployment::start(shape).await;
    let mut delivered = 0;
    for (path, body, alerts) in problems() {
        post(&deployment, path, &body).await;
        delivered += alerts;
        wait_for(&deployment, "delivered", delivered, &body).await;
    }
    let metrics = deployment.metrics(Part::Worker).await;
    for outcome in ["duplicate", "superseded", "dead_lettered"] {
        let none = format!("larkfire_alerts_total{{outcome=\"{outcome}\"}} 0");
        assert!(metrics.contains(&none), "{metrics}");
    }
    // The other one of a pair of Alertmanagers says the same: nothing new.
    let mut twin = labelled(&json!({"alertname": "Down", "instance": "db"}), "firing");
    twin["externalURL"] = "http://alertmanager-1:9093".into();
    post(&deployment, "/api/alert?origin=us", &twin).await;
    wait_for(&deployment, "duplicate", 1, &twin).await;
}

/// Where each is posted, and how many alerts it adds to what people are told.
fn problems() -> Vec<(&'static str, Value, u32)> {
    let shared = |instance: &str, status: &str| {
        json!({"status": status, "labels": {"alertname": "CPUHigh", "instance": instance}, "fingerprint": "abc123",
            "startsAt": "2026-01-15T10:30:00Z", "endsAt": "2026-01-15T11:30:00Z"})
    };
    let four = [shared("a", "firing"), shared("b", "firing"), shared("c", "resolved"), shared("d", "firing")];
    let down = json!({"alertname": "Down", "instance": "db"});
    let text =
        |title: &str, status: &str| json!({"message": format!("{title}\n服务名称: order"), "status": status});
    let legacy = |name: &str| json!({"ruleId": 1, "orgId": 1, "ruleName": name, "state": "alerting"});
    let button = json!({"version": "1", "orgId": 1, "status": "firing", "groupKey": "test", "alerts": [{
        "status": "firing", "labels": {"alertname": "TestAlert", "instance": "Grafana"},
        "fingerprint": "57c6d9296de2ad39", "startsAt": "2026-01-15T10:30:00Z"}]});
    vec![
        ("/api/alert", json!({"version": "4", "alerts": four}), 4),
        ("/api/alert?origin=eu", labelled(&down, "firing"), 1),
        ("/api/alert?origin=us", labelled(&down, "firing"), 1),
        ("/api/alert?origin=eu", labelled(&down, "resolved"), 1),
        ("/alert", text("错误率过高", "firing"), 1),
        ("/alert", text("耗时过长", "firing"), 1),
        ("/alert", text("【恢复】错误率过高", "resolved"), 1),
        ("/alert", text("【恢复】耗时过长", "resolved"), 1),
        ("/api/alert", legacy("CPU"), 1),
        ("/api/alert", legacy("Orders"), 1),
        ("/api/alert", button.clone(), 1),
        ("/api/alert", button, 1),
    ]
}

fn labelled(labels: &Value, status: &str) -> Value {
    json!({"version": "4", "groupKey": "g", "externalURL": "http://alertmanager-0:9093", "alerts": [{
        "status": status, "labels": labels, "startsAt": "2026-01-15T10:30:00Z", "endsAt": "2026-01-15T11:30:00Z"}]})
}

async fn post(deployment: &Deployment, path: &str, body: &Value) {
    let answer = http::post_json(&deployment.url(path), body).await.unwrap();
    assert_eq!(answer.status, 202, "{body}: {}", answer.text());
}

async fn wait_for(deployment: &Deployment, outcome: &str, alerts: u32, after: &Value) {
    let line = format!("larkfire_alerts_total{{outcome=\"{outcome}\"}} {alerts}\n");
    wait_until(PATIENCE, &format!("{line} after {after}"), async || {
        let metrics = deployment.metrics(Part::Worker).await;
        if metrics.contains(&line) { Ok(()) } else { Err(metrics) }
    })
    .await;
}
