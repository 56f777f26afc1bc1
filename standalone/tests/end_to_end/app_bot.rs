//! A real alert is one card in a chat of an app's, from its beginning to its end, also if everything dies in between.

use std::time::Duration;

use feishu_sim::{Call, Record};
use serde_json::{Value, json};
use testkit::alertmanager::Alertmanager;
use testkit::wait_until::wait_until;

use crate::deployment::{Deployment, Part, Shape};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_one_card_of_the_roles_until_it_is_over() {
    an_alert_lives(Shape::Roles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_one_card_of_one_process_until_it_is_over() {
    an_alert_lives(Shape::Embedded).await;
}

async fn an_alert_lives(shape: Shape) {
    let mut deployment = Deployment::of_app(shape).await;
    let alertmanager = Alertmanager::alone(&deployment.url("/api/alert"), "4h").await;
    let mut alert = json!({
        "labels": { "alertname": "HighErrorRate", "severity": "critical", "namespace": "shop" },
        "annotations": { "summary": "12 % of checkouts fail" },
        "startsAt": "2026-01-15T10:30:00Z",
    });

    alertmanager.post(&json!([alert])).await;
    let delivered = deployment.sim.wait_for_accepted(1, PATIENCE).await;
    let delivered = delivered.unwrap_or_else(|error| panic!("{error:?}\n{}", deployment.output())).remove(0);
    assert_eq!(delivered.card().unwrap()["header"]["template"], "red");
    wait_until(PATIENCE, "it to be written down", async || {
        let delivered = deployment.delivered().await;
        if delivered.len() == 1 { Ok(()) } else { Err(delivered) }
    })
    .await;
    deployment.kill_and_restart(Part::Worker).await;

    alert["endsAt"] = json!("2026-01-15T10:40:00Z");
    alertmanager.post(&json!([alert])).await;
    let card = wait_until(PATIENCE, "the card to be over", async || {
        let card = shown(&deployment, &delivered);
        if card["header"]["template"] == "green" { Ok(card) } else { Err(card) }
    })
    .await;
    assert!(card.to_string().contains("Resolved after") || card.to_string().contains("已恢复"), "{card}");
    let accepted = deployment.sim.wait_for_accepted(2, PATIENCE).await.unwrap();
    assert_eq!((accepted[1].call, &accepted[1].parent_id), (Some(Call::Reply), &delivered.message_id));
    deployment.stop().await;
    assert_eq!(deployment.sim.accepted().len(), 2, "one card, one reply");
    let output = deployment.output();
    assert!(!output.contains("e2e-secret"), "a secret in:\n{output}");
}

/// What the message shows now.
fn shown(deployment: &Deployment, delivered: &Record) -> Value {
    let shown = deployment.sim.shown(delivered.message_id.as_deref().unwrap());
    shown.last().unwrap().card().unwrap()
}
