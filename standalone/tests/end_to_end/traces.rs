//! "Why did it not arrive?": an operator looks an alert up by its name.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::http;
use testkit::wait_until::wait_until;

use crate::deployment::{Deployment, Shape};

const PATIENCE: Duration = Duration::from_secs(30);

async fn post(deployment: &Deployment, name: &str) -> String {
    let alert = json!({
        "status": "firing", "labels": { "alertname": name, "severity": "critical" },
        "startsAt": "2024-01-15T10:30:00Z",
    });
    let body =
        json!({ "version": "4", "status": "firing", "receiver": "ops", "groupKey": name, "alerts": [alert] });
    let answer = http::post_json(&deployment.url("/api/alert"), &body).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn traced(deployment: &Deployment, words: &[&str]) -> Value {
    let (code, printed) = deployment.command(&[&["trace", "--json"], words].concat()).await;
    assert!(code <= 1, "{printed}");
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// The row of history with this outcome.
fn row<'k>(known: &'k Value, outcome: &str) -> Option<&'k Value> {
    known["history"].as_array().unwrap().iter().find(|row| row["outcome"] == outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_found_by_name_in_the_one_process() {
    a_duplicate_is_found_by_name(Shape::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_found_by_name_in_the_roles() {
    a_duplicate_is_found_by_name(Shape::Roles).await;
}

async fn a_duplicate_is_found_by_name(shape: Shape) {
    let mut deployment = Deployment::start(shape).await;
    let label = ["--label", r#"alertname="DiskFull""#, "--since", "2h"];
    let known_as = async |outcome: &str| {
        wait_until(PATIENCE, outcome, async || {
            let known = traced(&deployment, &label).await;
            if row(&known, outcome).is_some() { Ok(known) } else { Err(known) }
        })
        .await
    };
    let first = post(&deployment, "DiskFull").await;
    known_as("delivered").await;
    let repeat = post(&deployment, "DiskFull").await;
    let known = known_as("duplicate").await;
    let duplicate = row(&known, "duplicate").unwrap();
    assert_eq!((&duplicate["envelope"], &duplicate["by"]), (&json!(repeat), &json!(first)), "{known}");
    assert_eq!(row(&known, "delivered").unwrap()["envelope"], json!(first), "{known}");
    assert_eq!(known["waiting"], json!([]), "{known}");

    let identity = duplicate["identity"].as_str().unwrap().to_owned();
    for what in ["DiskFull", &identity, &identity[..6], &repeat] {
        let (code, printed) = deployment.command(&["trace", what]).await;
        assert_eq!(code, 0, "{what}: {printed}");
        for part in ["duplicate", "this state was delivered", &first, "+08:00"] {
            assert!(printed.contains(part), "{part} is missing in the trace of {what}:\n{printed}");
        }
    }
    for words in [&["trace", "Nobody"][..], &["trace", "--label", "alertname=Nobody"]] {
        let (code, printed) = deployment.command(words).await;
        assert!(code == 1 && printed.contains("nothing is known of"), "{printed}");
    }
    deployment.stop().await;
}
