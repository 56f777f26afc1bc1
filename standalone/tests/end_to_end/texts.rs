//! What senders say in their own words, from their request to the card.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::http;

use crate::deployment::{Deployment, Shape};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sender_says_is_on_the_card_through_the_roles() {
    what_a_sender_says_is_on_the_card(Shape::Roles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sender_says_is_on_the_card_through_one_process() {
    what_a_sender_says_is_on_the_card(Shape::Embedded).await;
}

async fn what_a_sender_says_is_on_the_card(shape: Shape) {
    let mut deployment = Deployment::start(shape).await;
    let mut labels: Vec<_> = (0..80).map(|index| (format!("a{index:02}"), json!("x"))).collect();
    labels.extend([("alertname".to_owned(), json!("TooMany")), ("Severity".to_owned(), json!("次要"))]);
    let many = json!({"alerts": [{"labels": Value::Object(labels.into_iter().collect())}]});
    let message =
        json!({"message": "Backup failed\ndb-3", "sender_id": "cron", "timestamp": "2026-01-15T10:20:00Z"});
    let cases: [(Value, &str, &[&str]); 3] = [
        (
            grafana(),
            "orange",
            &["求值出错] Orders", "Call Ann", "connection refused", "https://wiki.example/pay"],
        ),
        (many, "orange", &["[警告] TooMany", "另 18 个标签超出上限"]),
        (message, "red", &["Backup failed", "18:20:00"]),
    ];
    for (number, (body, colour, said)) in cases.into_iter().enumerate() {
        let answer = http::post_json(&deployment.url("/api/alert"), &body).await.unwrap();
        assert_eq!(answer.status, 202, "{body}: {}", answer.text());
        let accepted = deployment.sim.wait_for_accepted(number as u64 + 1, PATIENCE).await;
        let accepted = accepted.unwrap_or_else(|error| panic!("{error:?}\n{}", deployment.output()));
        let card = accepted[number].card().unwrap();
        assert_eq!(card["header"]["template"], colour, "{card}");
        for text in said {
            assert!(card.to_string().contains(text), "{text} in {card}");
        }
    }
    deployment.stop().await;
}

/// A rule that cannot be evaluated, through a contact point with templates of its own.
fn grafana() -> Value {
    json!({
        "version": "1", "orgId": 1, "state": "alerting", "title": "Orders", "message": "Call Ann",
        "alerts": [{
            "status": "firing", "startsAt": "2026-01-15T10:20:00Z",
            "labels": {"alertname": "DatasourceError", "rulename": "Orders", "severity": "SEV-2"},
            "annotations": {"Error": "connection refused", "wiki_url": "https://wiki.example/pay", "grafana_state_reason": "Error"}
        }]
    })
}
