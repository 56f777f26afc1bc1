//! The database is away.

use std::net::SocketAddr;
use std::time::Duration;

use shared::config::{DatabaseConfig, Secret};
use testkit::chaos_proxy::{ChaosProxy, Direction};
use testkit::mariadb::mysql_url;
use testkit::wait_until::wait_until;
use worker::ledger::Decision::{Known, Stale, Tell};
use worker::ledger::Occasion::{New, Resolved, Unsure};
use worker::ledger::{Standing, find_by_fingerprint};

use crate::stage::{Stage, Worker, firing, resolved};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_without_its_database_tells_once_by_its_cache() {
    let stage = Stage::mysql().await;
    let (proxy, worker) = behind_a_proxy(&stage).await;
    proxy.cut();
    let first = [firing("a", 1, 1)];
    assert_eq!(worker.ledger.observe(&first).await, [Tell(New)]);
    let twin = [firing("a", 2, 2)];
    assert_eq!(worker.ledger.observe(&twin).await, [Tell(Unsure)], "claimed here only");
    assert_eq!(worker.ledger.confirm(&[first[0], twin[0]]).await, [Standing::Mine; 2]);
    worker.ledger.told(&first).await;
    assert_eq!(worker.ledger.confirm(&twin).await, [Standing::Known]);
    assert_eq!(worker.ledger.observe(&[firing("a", 3, 3)]).await, [Known]);
    let over = [resolved("a", 4, 4)];
    assert_eq!(worker.ledger.observe(&over).await, [Tell(Resolved)]);
    assert_eq!(worker.ledger.confirm(&first).await, [Standing::Stale]);
    assert_eq!(worker.ledger.observe(&[firing("a", 5, 5)]).await, [Stale]);
    assert_eq!(worker.counted("bypassed_alerts_total"), 4, "all but the one the cache was sure of");
    assert_eq!(worker.counted("unrecorded_alerts_total"), 0);
}

/// MariaDB behind a proxy that breaks.
async fn behind_a_proxy(stage: &Stage) -> (ChaosProxy, Worker) {
    let server: SocketAddr = mysql_url()
        .rsplit('@')
        .next()
        .and_then(|address| address.parse().ok())
        .expect("a test database server with an address in numbers");
    let proxy = ChaosProxy::start(server).await;
    let url = stage.server().expect("a server").url_at(proxy.address());
    let timeout = Duration::from_millis(500);
    let config = DatabaseConfig { url: Some(Secret::new(url)), connections: 4, timeout };
    let worker = stage.worker_with(&config);
    worker.store.migrate().await.expect("a schema");
    (proxy, worker)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_during_an_outage_is_recorded_after_it() {
    let stage = Stage::mysql().await;
    let (proxy, worker) = behind_a_proxy(&stage).await;
    let before = [firing("before", 1, 1)];
    assert_eq!(worker.ledger.observe(&before).await, [Tell(New)]);
    proxy.cut();
    worker.ledger.told(&before).await;
    let during = [firing("during", 2, 2)];
    assert_eq!(worker.ledger.observe(&during).await, [Tell(New)]);
    worker.ledger.told(&during).await;
    proxy.restore();
    wait_until(PATIENCE, "the record of what was told", async || {
        // Whatever is asked next writes first what was told meanwhile.
        worker.ledger.observe(&[firing("after", 3, 3)]).await;
        let told = async |name| {
            let entries =
                find_by_fingerprint(&worker.store, name).await.map_err(|error| error.to_string())?;
            Ok::<_, String>(entries.iter().any(|entry| entry.told.is_some()))
        };
        match (told("before").await?, told("during").await?) {
            (true, true) => Ok(()),
            so_far => Err(format!("{so_far:?}")),
        }
    })
    .await;
    let twins = [firing("before", 4, 4), firing("during", 4, 4)];
    assert_eq!(stage.worker().ledger.observe(&twins).await, [Known, Known]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_database_costs_one_deadline_and_no_alert() {
    let stage = Stage::mysql().await;
    let (proxy, worker) = behind_a_proxy(&stage).await;
    proxy.stall(Direction::Both);
    for number in 1..50 {
        let name = number.to_string();
        let events = [firing(&name, 1, number)];
        let decided = tokio::time::timeout(PATIENCE, worker.ledger.observe(&events)).await;
        assert_eq!(decided.expect("an answer"), [Tell(New)]);
    }
    assert_eq!(worker.counted("bypassed_alerts_total"), 49);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_taken_in_hand_without_the_database_is_not_left_to_a_dead_worker() {
    let stage = Stage::mysql().await;
    let claims = [firing("a", 1, 1)];
    assert_eq!(stage.worker().ledger.observe(&claims).await, [Tell(New)], "by a worker that dies now");
    let (proxy, worker) = behind_a_proxy(&stage).await;
    proxy.cut();
    worker.ledger.observe(&claims).await;
    proxy.restore();
    wait_until(PATIENCE, "the database", async || {
        worker.ledger.observe(&[firing("b", 1, 2)]).await;
        find_by_fingerprint(&worker.store, "b")
            .await
            .map_err(|error| error.to_string())?
            .pop()
            .ok_or_else(String::new)
    })
    .await;
    // The row says that the dead worker has the envelope in hand.
    assert_eq!(worker.ledger.confirm(&claims).await, [Standing::Mine]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_during_an_outage_is_recorded_before_the_process_ends() {
    let stage = Stage::mysql().await;
    let (proxy, worker) = behind_a_proxy(&stage).await;
    proxy.cut();
    let during = [firing("a", 1, 1)];
    worker.ledger.observe(&during).await;
    worker.ledger.told(&during).await;
    proxy.restore();
    worker.ledger.finish().await;
    assert_eq!(stage.worker().ledger.observe(&[firing("a", 2, 2)]).await, [Known]);
    assert_eq!(worker.counted("unrecorded_alerts_total"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_ends_without_a_database_that_stays_away_and_says_what_was_not_recorded() {
    let stage = Stage::mysql().await;
    let (proxy, worker) = behind_a_proxy(&stage).await;
    proxy.cut();
    let during = [firing("a", 1, 1), firing("b", 1, 1)];
    worker.ledger.observe(&during).await;
    worker.ledger.told(&during).await;
    tokio::time::timeout(PATIENCE, worker.ledger.finish()).await.expect("an end");
    assert_eq!(worker.counted("unrecorded_alerts_total"), 2);
    worker.ledger.finish().await;
    assert_eq!(worker.counted("unrecorded_alerts_total"), 2, "each is counted once");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_envelopes_that_claim_the_same_by_different_books_one_is_told() {
    let stage = Stage::mysql().await;
    let (in_the_database, in_memory) = ([firing("a", 1, 1)], [firing("a", 2, 2)]);
    assert_eq!(
        stage.worker().ledger.observe(&in_the_database).await,
        [Tell(New)],
        "by a worker that dies now"
    );
    let (proxy, worker) = behind_a_proxy(&stage).await;
    proxy.cut();
    assert_eq!(worker.ledger.observe(&in_memory).await, [Tell(New)]);
    // What the dead worker had in hand comes here. It must not be let go for a claim the database knows nothing of.
    assert_eq!(worker.ledger.observe(&in_the_database).await, [Tell(Unsure)]);
    proxy.restore();
    wait_until(PATIENCE, "the database", async || {
        worker.ledger.observe(&[firing("b", 1, 3)]).await;
        find_by_fingerprint(&worker.store, "b")
            .await
            .map_err(|error| error.to_string())?
            .pop()
            .ok_or_else(String::new)
    })
    .await;
    let standings = worker.ledger.confirm(&[in_memory[0], in_the_database[0]]).await;
    assert_eq!(standings, [Standing::Known, Standing::Mine]);
}
