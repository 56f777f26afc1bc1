//! A real alert travels from Alertmanager to a Feishu card, firing and resolved.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::alertmanager::Alertmanager;
use testkit::http;
use testkit::prometheus::{Condition, Prometheus};
use testkit::wait_until::wait_until;

use crate::deployment::{Deployment, Part, Shape};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_real_alert_travels_through_the_roles_to_a_card() {
    an_alert_travels(Shape::Roles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_alert_travels_through_one_process_to_a_card() {
    an_alert_travels(Shape::Embedded).await;
}

async fn an_alert_travels(shape: Shape) {
    let mut deployment = Deployment::start(shape).await;
    let alertmanager = Alertmanager::alone(&deployment.url("/api/alert"), "4h").await;
    let mut alert = json!({
        "labels": { "alertname": "HighErrorRate", "severity": "critical", "namespace": "shop" },
        "annotations": { "summary": "12 % of checkouts fail" },
        "startsAt": "2026-01-15T10:30:00Z",
    });

    alertmanager.post(&json!([alert])).await;
    let firing = card(&deployment, 1).await;
    assert_eq!(firing["header"]["template"], "red", "{firing}");
    assert!(firing.to_string().contains("HighErrorRate"), "{firing}");
    assert!(firing.to_string().contains("12 % of checkouts fail"), "{firing}");

    alert["endsAt"] = json!("2026-01-15T10:40:00Z");
    alertmanager.post(&json!([alert])).await;
    let resolved = card(&deployment, 2).await;
    assert_eq!(resolved["header"]["template"], "green", "{resolved}");

    // Counted once it is written down, which is after Feishu has it.
    wait_until(PATIENCE, "both to be counted", async || {
        let metrics = deployment.metrics(Part::Worker).await;
        if metrics.contains("larkfire_alerts_total{outcome=\"delivered\"} 2") { Ok(()) } else { Err(metrics) }
    })
    .await;
    deployment.stop().await;
    let output = deployment.output();
    assert!(!output.contains("e2e-secret") && !output.contains("/bot/v2/hook/"), "a secret in:\n{output}");
}

/// Two replicas of a Prometheus push the same alert again and again, and neither has an Alertmanager.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_pair_of_prometheus_push_is_told_once_and_so_is_its_end() {
    let deployment = Deployment::start(Shape::Embedded).await;
    let one = Prometheus::pushing_to(deployment.listen, "/api/alert", "a").await;
    let other = Prometheus::pushing_to(deployment.listen, "/api/alert/default", "b").await;
    let firing = card(&deployment, 1).await;
    assert_eq!(firing["header"]["template"], "red", "{firing}");
    assert!(firing.to_string().contains("PushedAlert"), "{firing}");
    assert!(!firing.to_string().contains("prometheus_replica"), "{firing}");
    // Both have pushed, and more than once.
    wait_until(PATIENCE, "repeats to be known", async || {
        let metrics = deployment.metrics(Part::Worker).await;
        let known = metrics
            .lines()
            .find_map(|line| line.strip_prefix("larkfire_alerts_total{outcome=\"duplicate\"} "));
        if known.and_then(|count| count.parse::<u64>().ok()) >= Some(4) { Ok(()) } else { Err(metrics) }
    })
    .await;
    one.set(Condition::IsOver).await;
    other.set(Condition::IsOver).await;
    let resolved = card(&deployment, 2).await;
    assert_eq!(resolved["header"]["template"], "green", "{resolved}");
    wait_until(PATIENCE, "both to be counted, and no more", async || {
        let metrics = deployment.metrics(Part::Worker).await;
        if metrics.contains("larkfire_alerts_total{outcome=\"delivered\"} 2") { Ok(()) } else { Err(metrics) }
    })
    .await;
}

/// The `number`-th card at the simulator.
async fn card(deployment: &Deployment, number: usize) -> Value {
    let accepted = deployment.sim.wait_for_accepted(number as u64, PATIENCE).await;
    accepted.unwrap_or_else(|error| panic!("{error:?}\n{}", deployment.output()))[number - 1].card().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_known_body_becomes_a_card_through_one_process() {
    let deployment = Deployment::start(Shape::Embedded).await;
    let bodies = [
        (
            "/api/alert",
            json!({ "title": "[Alerting] Load", "ruleId": 1, "ruleName": "Load", "state": "alerting" }),
        ),
        ("/api/alert", json!({ "message": "[告警] 测试告警\n服务: test-service", "sender_id": "test_bot" })),
        ("/alert", json!({ "message": "服务名称 order-service\n接口名称 /api/v1/pay", "status": "firing" })),
    ];
    for (number, (path, body)) in bodies.into_iter().enumerate() {
        let answer = http::post_json(&deployment.url(path), &body).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
        card(&deployment, number + 1).await;
    }
}
