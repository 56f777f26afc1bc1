//! An operator at the command line: what could not be delivered is listed, shown, sent again and given up, while Larkfire runs
//! and while it is stopped.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use feishu_sim::{Fault, Lasting};
use serde_json::{Value, json};
use testkit::bodies;
use testkit::chaos_proxy::ChaosProxy;
use testkit::http;
use testkit::wait_until::wait_until;

use crate::deployment::{Deployment, Part, Shape, Surroundings, TOKEN};

const PATIENCE: Duration = Duration::from_secs(30);

/// Posts an alert of this name that Feishu refuses for good, and waits until it is in the dead letters.
async fn kill_an_alert(deployment: &Deployment, name: &str) {
    let refusal = Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() };
    deployment.sim.fault(TOKEN, &refusal, Lasting::Times(1)).unwrap();
    post(deployment, name, "firing").await;
    wait_until(PATIENCE, "the dead letter", async || {
        let letters = list(deployment, &[]).await;
        letters.iter().any(|letter| letter["summary"] == name).then_some(()).ok_or(letters.len())
    })
    .await;
}

async fn post(deployment: &Deployment, name: &str, status: &str) {
    let alert = json!({
        "status": status, "labels": { "alertname": name, "severity": "critical" },
        "startsAt": "2024-01-15T10:30:00Z", "fingerprint": fingerprint(name),
    });
    let body =
        json!({ "version": "4", "status": status, "receiver": "ops", "groupKey": name, "alerts": [alert] });
    let answer = http::post_json(&deployment.url("/api/alert"), &body).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.text());
}

fn fingerprint(name: &str) -> String {
    bodies::fingerprint([("alertname", name), ("severity", "critical")])
}

/// The letters `list` shows, the newest first.
async fn list(deployment: &Deployment, more: &[&str]) -> Vec<Value> {
    let words = [&["dead-letters", "list", "--json"], more].concat();
    let (code, printed) = deployment.command(&words).await;
    // Before anything was told there may be no database.
    if code == 1 && printed.contains("there is no database") {
        return Vec::new();
    }
    assert_eq!(code, 0, "{printed}");
    let printed: Value = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
    printed["letters"].as_array().unwrap_or_else(|| panic!("no letters: {printed}")).clone()
}

async fn done(deployment: &Deployment, words: &[&str]) -> String {
    let (code, printed) = deployment.command(&[&["dead-letters"], words].concat()).await;
    assert_eq!(code, 0, "{words:?}: {printed}");
    printed
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_the_roles_are_listed_shown_replayed_and_discarded() {
    life_of_a_letter(Shape::Roles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_the_one_process_are_listed_shown_replayed_and_discarded() {
    life_of_a_letter(Shape::Embedded).await;
}

async fn life_of_a_letter(shape: Shape) {
    let mut deployment = Deployment::start(shape).await;
    for name in ["Told", "Resolved", "DeadAgain", "GivenUp"] {
        kill_an_alert(&deployment, name).await;
    }
    let shown = done(&deployment, &["show", "1"]).await;
    for part in ["refused, code 11248: sensitive content", "alertname: Told", "\"header\"", "waiting since"] {
        assert!(shown.contains(part), "{part} is missing in:\n{shown}");
    }
    assert!(!shown.contains("e2e-") && !shown.contains("/hook/"), "a secret in:\n{shown}");
    assert!(done(&deployment, &["list"]).await.contains("refused 11248"));

    // Nothing is done by trying it, and everything has to be asked for.
    assert!(done(&deployment, &["replay", "--all", "--dry-run"]).await.contains("would replay 4 letters"));
    let (code, said) = deployment.command(&["dead-letters", "replay"]).await;
    assert_eq!((code, said.contains("--all")), (64, true), "{said}");
    assert_eq!(deployment.sim.totals().accepted, 0);

    let delivered = done(&deployment, &["replay", "1", "--as", "ann", "--wait", "30s"]).await;
    assert!(delivered.contains("letter 1: delivered\n"), "{delivered}");
    deployment.sim.wait_for_accepted(1, PATIENCE).await.unwrap();

    // Meanwhile the second one has resolved: a card says so, and nobody has to be told that it fired.
    post(&deployment, "Resolved", "resolved").await;
    deployment.sim.wait_for_accepted(2, PATIENCE).await.unwrap();
    let label = ["replay", "--label", "alertname=Resolved", "--wait", "30s"];
    let resolved = done(&deployment, &label).await;
    assert!(
        resolved.contains("letter 2: superseded: resolved since it became a dead letter, not delivered"),
        "{resolved}"
    );

    let refusal = Fault::Refusal { code: 11248, msg: "still sensitive".to_owned() };
    deployment.sim.fault(TOKEN, &refusal, Lasting::Times(1)).unwrap();
    let (code, again) = deployment.command(&["dead-letters", "replay", "3", "--wait", "30s"]).await;
    assert_eq!(code, 1, "{again}");
    assert!(again.contains("letter 3: dead-lettered again: refused 11248: still sensitive"), "{again}");

    assert!(done(&deployment, &["discard", "4"]).await.contains("discarded 1 letter"));
    let waiting: Vec<_> = list(&deployment, &[]).await.iter().map(|letter| letter["id"].clone()).collect();
    assert_eq!(waiting, [json!(3)]);
    let trail = done(&deployment, &["audit"]).await;
    assert!(trail.contains("ann") && trail.contains("--label 'alertname=\"Resolved\"'"), "{trail}");

    let (_, trace) = deployment.command(&["trace", &fingerprint("DeadAgain")]).await;
    assert!(
        trace.contains("dead letter 3: dead-lettered at") && trace.contains("when it was replayed; it waits"),
        "{trace}"
    );
    let envelope = list(&deployment, &[]).await[0]["envelope"].as_str().unwrap().to_owned();
    let (_, trace) = deployment.command(&["trace", &envelope, "--json"]).await;
    let trace: Value = serde_json::from_str(&trace).unwrap();
    assert_eq!(trace["dead_letters"][0]["id"], 3, "{trace}");
    assert_eq!(trace["audit"][0]["action"], "replay", "{trace}");
    let (_, trace) = deployment.command(&["trace", &fingerprint("Told")]).await;
    assert!(trace.contains("firing") && trace.contains("replayed, and delivered at"), "{trace}");
    let (code, trace) = deployment.command(&["trace", &fingerprint("Never")]).await;
    assert!(code == 1 && trace.contains("nothing is known of"), "{trace}");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_since_it_died_is_not_delivered_again_unless_that_is_forced() {
    let deployment = Deployment::start(Shape::Embedded).await;
    kill_an_alert(&deployment, "Twice").await;
    post(&deployment, "Twice", "firing").await;
    deployment.sim.wait_for_accepted(1, PATIENCE).await.unwrap();
    let said = done(&deployment, &["replay", "1", "--wait", "30s"]).await;
    assert!(
        said.contains("letter 1: delivered since it became a dead letter, not delivered again"),
        "{said}"
    );
    assert_eq!(deployment.sim.totals().accepted, 1);

    // It is settled now; a second one is forced.
    kill_an_alert(&deployment, "Forced").await;
    post(&deployment, "Forced", "firing").await;
    deployment.sim.wait_for_accepted(2, PATIENCE).await.unwrap();
    let said = done(&deployment, &["replay", "2", "--force", "--wait", "30s"]).await;
    assert!(said.contains("letter 2: delivered\n"), "{said}");
    deployment.sim.wait_for_accepted(3, PATIENCE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_a_stopped_process_are_sent_when_it_runs_again() {
    let mut deployment = Deployment::start(Shape::Embedded).await;
    kill_an_alert(&deployment, "Overnight").await;
    let socket = deployment.data_dir().join("control.sock");
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    deployment.stop().await;
    assert!(!socket.exists());

    let said = done(&deployment, &["replay", "--all"]).await;
    assert!(said.contains("letter 1: on the queue; delivered when larkfire runs again"), "{said}");
    assert_eq!(deployment.sim.totals().accepted, 0);
    deployment.start_again().await;
    deployment.sim.wait_for_accepted(1, PATIENCE).await.unwrap();
    wait_until(PATIENCE, "its outcome", async || {
        let letters = list(&deployment, &["--state", "replayed"]).await;
        let outcome = letters.first().map(|letter| letter["outcome"].clone());
        if outcome == Some(json!("delivered")) { Ok(()) } else { Err(outcome) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_no_socket_in_the_way() {
    let mut deployment = Deployment::start(Shape::Embedded).await;
    kill_an_alert(&deployment, "Killed").await;
    deployment.kill_and_restart(Part::Worker).await;
    let said = done(&deployment, &["replay", "1", "--wait", "30s"]).await;
    assert!(said.contains("letter 1: delivered\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_cannot_be_sent_wait_as_before() {
    let broker = ChaosProxy::start("127.0.0.1:5672".parse().unwrap()).await;
    let amqp_url = format!("amqp://guest:guest@{}/%2f", broker.address());
    let surroundings = Surroundings { amqp_url, ..Surroundings::direct().await };
    let deployment = Deployment::start_in(Shape::Roles, surroundings).await;
    kill_an_alert(&deployment, "Cut").await;
    broker.cut();
    let (code, said) = deployment.command(&["dead-letters", "replay", "--all"]).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("not sent, and waiting as before: 1 letter: the queue is not reachable"), "{said}");
    assert_eq!(list(&deployment, &[]).await[0]["state"], "waiting");
    assert!(done(&deployment, &["audit"]).await.contains("0 of 1"));

    broker.restore();
    let said = done(&deployment, &["replay", "--all", "--wait", "30s"]).await;
    assert!(said.contains("letter 1: delivered\n"), "{said}");
}
