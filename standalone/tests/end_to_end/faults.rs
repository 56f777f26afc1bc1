//! Parts are killed, cut off and sent away in the middle of a load; what was answered 202 arrives all the same.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use testkit::chaos_proxy::ChaosProxy;
use testkit::http;
use testkit::mariadb::mysql_address;
use testkit::wait_until::wait_until;

use crate::deployment::{Deployment, Part, Shape, Surroundings};
use crate::load::{Load, account_for, balance};

/// Where the broker of the machine is.
const RABBITMQ: &str = "127.0.0.1:5672";
/// How many envelopes a fault happens in the middle of.
const ENVELOPES: usize = 2_000;
/// How long Feishu is away.
const ABSENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn killing_ingest_loses_nothing_that_was_promised() {
    killed_in_the_middle(Shape::Roles, Part::Ingest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_a_worker_loses_nothing_that_was_promised() {
    killed_in_the_middle(Shape::Roles, Part::Worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_one_process_loses_nothing_that_was_promised() {
    killed_in_the_middle(Shape::Embedded, Part::Ingest).await;
}

async fn killed_in_the_middle(shape: Shape, part: Part) {
    let mut deployment = Deployment::start(shape).await;
    let load = Load::start(&deployment.url("/api/alert"), ENVELOPES);
    load.wait_for_answers(ENVELOPES / 3).await;
    deployment.kill_and_restart(part).await;
    let promised = load.promised().await;
    assert!(promised.len() >= ENVELOPES / 3, "only {} were promised", promised.len());
    account_for(&deployment, &promised).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feishu_being_away_loses_nothing_that_was_promised() {
    feishu_away(Shape::Roles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feishu_being_away_loses_nothing_of_the_one_process() {
    feishu_away(Shape::Embedded).await;
}

async fn feishu_away(shape: Shape) {
    let deployment = Deployment::start(shape).await;
    let load = Load::start(&deployment.url("/api/alert"), ENVELOPES);
    load.wait_for_answers(ENVELOPES / 3).await;
    deployment.sim.away().await.unwrap();
    // Not a wait for something to happen: this long an absence is the fault itself.
    let absence = tokio::time::sleep(ABSENCE);
    let promised = load.promised().await;
    assert_eq!(promised.len(), ENVELOPES, "ingest does not depend on Feishu");
    absence.await;
    deployment.sim.back().await.unwrap();
    account_for(&deployment, &promised).await;
    balance(&deployment, ENVELOPES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_cut_off_delays_nothing_and_dedup_resumes_when_it_is_back() {
    let mut surroundings = Surroundings::direct().await;
    let way = ChaosProxy::start(mysql_address()).await;
    surroundings.database_url = surroundings.database.url_at(way.address());
    let deployment = Deployment::start_in(Shape::Roles, surroundings).await;
    let url = deployment.url("/api/alert");
    let first = Load::start(&url, ENVELOPES / 4).promised().await;
    account_for(&deployment, &first).await;

    way.cut();
    // The same alerts again, and as many new ones: only those are delivered, for the worker remembers the others.
    let during = Load::start(&url, ENVELOPES / 2).promised().await;
    wait_until(Duration::from_secs(30), "new alerts to be delivered without the database", async || {
        let metrics = deployment.metrics(Part::Worker).await;
        let delivered = format!("larkfire_alerts_total{{outcome=\"delivered\"}} {}\n", ENVELOPES / 2);
        let known = format!("larkfire_alerts_total{{outcome=\"duplicate\"}} {}\n", ENVELOPES / 4);
        if metrics.contains(&delivered) && metrics.contains(&known) && metrics.contains("larkfire_store_up 0")
        {
            Ok(())
        } else {
            Err(metrics.lines().filter(|line| line.starts_with("larkfire_alerts")).collect::<String>())
        }
    })
    .await;

    way.restore();
    // What was delivered meanwhile is written down, and so nothing is delivered again.
    let after = Load::start(&url, ENVELOPES / 2).promised().await;
    assert_eq!((during.len(), after.len()), (ENVELOPES / 2, ENVELOPES / 2));
    account_for(&deployment, &after).await;
    let metrics = deployment.metrics(Part::Worker).await;
    assert!(metrics.contains("larkfire_store_up 1"), "{metrics}");
    let delivered = format!("larkfire_alerts_total{{outcome=\"delivered\"}} {}\n", ENVELOPES / 2);
    assert!(metrics.contains(&delivered), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_broker_is_a_503_and_a_returned_one_a_202() {
    let mut surroundings = Surroundings::direct().await;
    let broker = ChaosProxy::start(RABBITMQ.parse().unwrap()).await;
    surroundings.amqp_url = format!("amqp://guest:guest@{}/%2f", broker.address());
    let deployment = Deployment::start_in(Shape::Roles, surroundings).await;
    let posts = AtomicUsize::new(0);
    let post = async || {
        let message = format!("hello {}", posts.fetch_add(1, Ordering::Relaxed));
        let body = json!({ "message": message, "sender_id": "test" });
        http::post_json(&deployment.url("/api/alert"), &body).await.unwrap()
    };
    assert_eq!(post().await.status, 202);
    // Else it would still be in hand at the cut, and go onto one card with the next.
    deployment.sim.wait_for_accepted(1, Duration::from_secs(30)).await.unwrap();

    broker.cut();
    let refused = post().await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.header("retry-after").is_some());

    broker.restore();
    wait_until(Duration::from_secs(30), "202 again", async || match post().await.status {
        202 => Ok(()),
        other => Err(other),
    })
    .await;
    deployment.sim.wait_for_accepted(2, Duration::from_secs(30)).await.unwrap();
}
