//! Two copies of one envelope, and the one that lives on cannot be delivered at once: nothing that was promised is lost.
//!
//! Copies come about where the word that something was taken is lost or late: a connection that is cut, a confirm that
//! comes after its time, a publish of which the broker refuses a part. Each test lets Feishu be away meanwhile, brings
//! it back, waits until nothing is on any queue or in anybody's hands, and counts.

mod embedded;
mod scene;

use testkit::broker_node::BrokerNode;
use testkit::chaos_proxy::Direction;
use testkit::wait_until::wait_until;

use crate::fleet::PUBLISHING;
use crate::turn;
use scene::{PATIENCE, Scene};

/// Attempts after which a receiver is away, not only failing.
const UNTIL_AWAY: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_hand_at_a_cut_survives_a_crash_before_feishu_is_back() {
    cut_and_restarted(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_hand_at_a_cut_survives_a_stop_before_feishu_is_back() {
    cut_and_restarted(false).await;
}

/// All defaults.
async fn cut_and_restarted(is_crash: bool) {
    let _turn = turn::shared().await;
    let mut scene = Scene::start("").await;
    scene.fleet.sim.away().await.unwrap();
    scene.send(100, 0).await;
    scene.tried(UNTIL_AWAY).await;
    scene.cut_worker_once().await;
    scene.tried(2).await;
    scene.restart_worker(is_crash).await;
    scene.fleet.sim.back().await.unwrap();
    scene.account(if is_crash { "cut, kill -9" } else { "cut, SIGTERM" }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_hand_at_a_cut_survives_an_absence_that_is_longer_than_it_is_held() {
    let _turn = turn::shared().await;
    let mut scene = Scene::start("delivery:\n  hold: 8s\n").await;
    scene.fleet.sim.away().await.unwrap();
    scene.send(100, 0).await;
    scene.tried(UNTIL_AWAY).await;
    scene.cut_worker_once().await;
    scene.worker_counts("larkfire_envelopes_deferred_total", 100).await;
    scene.fleet.sim.back().await.unwrap();
    scene.account("cut, longer than delivery.hold").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deferred_while_confirms_are_late_is_delivered() {
    let _turn = turn::shared().await;
    let broker = hasty_broker().await;
    let mut scene = Scene::on(&broker, "delivery:\n  hold: 10s\nqueue:\n  publish_timeout: 1s\n").await;
    scene.fleet.sim.away().await.unwrap();
    // Large enough that what is deferred together is many messages, all of them sent before the first confirm.
    scene.send(200, 4_000).await;
    scene.worker().broker.stall_named(PUBLISHING, Direction::ToClient);
    scene.worker_counts("larkfire_envelopes_deferral_failures_total", 200).await;
    scene.worker().broker.restore();
    // Both copies are in hand, and are put off again.
    scene.worker_counts("larkfire_envelopes_deferred_total", 200).await;
    scene.fleet.sim.back().await.unwrap();
    scene.account("late confirms").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deferred_to_queues_that_take_a_part_of_it_is_delivered() {
    let _turn = turn::shared().await;
    let broker = hasty_broker().await;
    let limit = r#"{"max-length":8,"overflow":"reject-publish"}"#;
    broker.control(&["set_policy", "--apply-to", "queues", "limit", r"\.retry\.5s$", limit]).await;
    let mut scene = Scene::on(&broker, "delivery:\n  hold: 8s\n").await;
    scene.fleet.sim.away().await.unwrap();
    // Large enough that what is deferred together is many messages.
    scene.send(300, 4_000).await;
    // The first few may have been put off by themselves, and have found room.
    scene.worker_counts("larkfire_envelopes_deferral_failures_total", 200).await;
    broker.control(&["clear_policy", "limit"]).await;
    // What the queues have taken is in hand twice, and all of it is put off again.
    scene.worker_counts("larkfire_envelopes_deferred_total", 300).await;
    scene.fleet.sim.back().await.unwrap();
    scene.account("partly nacked").await;
}

/// A broker of the test's own, where what was put off twice comes back as soon as what was put off once.
async fn hasty_broker() -> BrokerNode {
    let broker = BrokerNode::start().await;
    // It listens before it can be told anything.
    broker.control(&["await_startup"]).await;
    let soon = r#"{"message-ttl":5000}"#;
    broker.control(&["set_policy", "--apply-to", "queues", "soon", r"\.retry\.(30s|2m|10m)$", soon]).await;
    broker
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_and_is_replayed_from_the_spool_too_is_delivered() {
    let _turn = turn::shared().await;
    let mut scene =
        Scene::start("delivery:\n  hold: 6s\nqueue:\n  publish_timeout: 500ms\nspool:\n  dir: spool\n").await;
    scene.fleet.sim.away().await.unwrap();
    scene.ingest().broker.stall_named(PUBLISHING, Direction::ToClient);
    scene.send(50, 0).await;
    scene.ingest().broker.restore();
    wait_until(PATIENCE, "the replay", async || {
        let replayed = scene.ingest().counted("larkfire_spool_records_total{outcome=\"replayed\"}").await;
        if replayed >= 50 { Ok(()) } else { Err(replayed) }
    })
    .await;
    scene.worker_counts("larkfire_envelopes_deferred_total", 50).await;
    scene.fleet.sim.back().await.unwrap();
    scene.account("stored and replayed").await;
}
