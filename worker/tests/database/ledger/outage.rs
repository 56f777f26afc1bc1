//! The database is away.

use std::time::Duration;

use config::{ClientTls, DatabaseConfig, Secret};
use testkit::chaos_proxy::{ChaosProxy, Direction};
use testkit::wait_until::wait_until;
use worker::ledger::Decision::{Defer, Deliver, Duplicate};
use worker::ledger::Occasion::{New, Resolved, Unsure};
use worker::ledger::{Event, Standing, find_by_fingerprint};

use super::harness::{Harness, Worker, at, firing, resolved};

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn a_ledger_without_its_database_tells_once_by_its_cache(harness: &Harness) {
    let (proxy, worker) = behind_a_proxy(harness).await;
    proxy.cut();
    let first = [firing("a", 1, 1)];
    assert_eq!(worker.ledger.observe(&first).await, [Deliver(New)]);
    let twin = [firing("a", 2, 2)];
    assert_eq!(worker.ledger.observe(&twin).await, [Deliver(Unsure)], "claimed here only");
    assert_eq!(worker.ledger.confirm(&[first[0], twin[0]]).await, [Standing::Mine; 2]);
    worker.ledger.delivered(&first).await;
    assert_eq!(worker.ledger.confirm(&twin).await, [Standing::Duplicate]);
    assert_eq!(worker.ledger.observe(&[firing("a", 3, 3)]).await, [Duplicate]);
    let over = [resolved("a", 4, 4)];
    assert_eq!(worker.ledger.observe(&over).await, [Deliver(Resolved)]);
    assert_eq!(worker.ledger.confirm(&first).await, [Standing::Superseded]);
    assert_eq!(worker.ledger.observe(&[firing("a", 5, 5)]).await, [Defer { until: at(364) }]);
    assert_eq!(worker.counted("bypassed_alerts_total"), 4, "all but the one the cache was sure of");
    assert_eq!(worker.counted("unrecorded_alerts_total"), 0);
}

/// Waits until the worker writes to its database again: what it has observed of this event is found there.
async fn until_used_again(worker: &Worker, event: &Event<'_>) {
    wait_until(PATIENCE, "the database", async || {
        worker.ledger.observe(&[*event]).await;
        let found = find_by_fingerprint(&worker.store, event.fingerprint).await;
        found.map_err(|error| error.to_string())?.pop().ok_or_else(String::new)
    })
    .await;
}

/// A server behind a proxy that breaks.
async fn behind_a_proxy(harness: &Harness) -> (ChaosProxy, Worker) {
    let proxy = ChaosProxy::start(harness.database.server()).await;
    let url = harness.database.url_at(proxy.address());
    let timeout = Duration::from_millis(500);
    let config =
        DatabaseConfig { url: Some(Secret::new(url)), tls: ClientTls::default(), connections: 4, timeout };
    let worker = harness.worker_with(&config);
    worker.store.migrate().await.expect("a schema");
    (proxy, worker)
}

pub(crate) async fn what_was_delivered_during_an_outage_is_recorded_after_it(harness: &Harness) {
    let (proxy, worker) = behind_a_proxy(harness).await;
    let before = [firing("before", 1, 1)];
    assert_eq!(worker.ledger.observe(&before).await, [Deliver(New)]);
    proxy.cut();
    worker.ledger.delivered(&before).await;
    let during = [firing("during", 2, 2)];
    assert_eq!(worker.ledger.observe(&during).await, [Deliver(New)]);
    worker.ledger.delivered(&during).await;
    proxy.restore();
    wait_until(PATIENCE, "the record of what was delivered", async || {
        // Whatever is asked next writes first what was delivered meanwhile.
        worker.ledger.observe(&[firing("after", 3, 3)]).await;
        let delivered = async |name| {
            let entries =
                find_by_fingerprint(&worker.store, name).await.map_err(|error| error.to_string())?;
            Ok::<_, String>(entries.iter().any(|entry| entry.delivered.is_some()))
        };
        match (delivered("before").await?, delivered("during").await?) {
            (true, true) => Ok(()),
            so_far => Err(format!("{so_far:?}")),
        }
    })
    .await;
    let twins = [firing("before", 4, 4), firing("during", 4, 4)];
    assert_eq!(harness.worker().ledger.observe(&twins).await, [Duplicate, Duplicate]);
}

pub(crate) async fn a_stalled_database_costs_one_deadline_and_no_alert(harness: &Harness) {
    let (proxy, worker) = behind_a_proxy(harness).await;
    proxy.stall(Direction::Both);
    for number in 1..50 {
        let name = number.to_string();
        let events = [firing(&name, 1, number)];
        let decided = tokio::time::timeout(PATIENCE, worker.ledger.observe(&events)).await;
        assert_eq!(decided.expect("an answer"), [Deliver(New)]);
    }
    assert_eq!(worker.counted("bypassed_alerts_total"), 49);
}

pub(crate) async fn an_envelope_taken_in_hand_without_the_database_is_not_left_to_a_dead_worker(
    harness: &Harness,
) {
    let claims = [firing("a", 1, 1)];
    assert_eq!(harness.worker().ledger.observe(&claims).await, [Deliver(New)], "by a worker that dies now");
    let (proxy, worker) = behind_a_proxy(harness).await;
    proxy.cut();
    worker.ledger.observe(&claims).await;
    proxy.restore();
    until_used_again(&worker, &firing("b", 1, 2)).await;
    // The row says that the dead worker has the envelope in hand.
    assert_eq!(worker.ledger.confirm(&claims).await, [Standing::Mine]);
}

pub(crate) async fn what_was_delivered_during_an_outage_is_recorded_before_the_process_ends(
    harness: &Harness,
) {
    let (proxy, worker) = behind_a_proxy(harness).await;
    proxy.cut();
    let during = [firing("a", 1, 1)];
    worker.ledger.observe(&during).await;
    worker.ledger.delivered(&during).await;
    proxy.restore();
    worker.ledger.finish().await;
    assert_eq!(harness.worker().ledger.observe(&[firing("a", 2, 2)]).await, [Duplicate]);
    assert_eq!(worker.counted("unrecorded_alerts_total"), 0);
}

pub(crate) async fn a_process_ends_without_a_database_that_stays_away_and_says_what_was_not_recorded(
    harness: &Harness,
) {
    let (proxy, worker) = behind_a_proxy(harness).await;
    proxy.cut();
    let during = [firing("a", 1, 1), firing("b", 1, 1)];
    worker.ledger.observe(&during).await;
    worker.ledger.delivered(&during).await;
    tokio::time::timeout(PATIENCE, worker.ledger.finish()).await.expect("an end");
    assert_eq!(worker.counted("unrecorded_alerts_total"), 2);
    worker.ledger.finish().await;
    assert_eq!(worker.counted("unrecorded_alerts_total"), 2, "each is counted once");
}

pub(crate) async fn of_two_envelopes_that_claim_the_same_by_different_books_one_is_delivered(
    harness: &Harness,
) {
    let in_the_database = [firing("a", 1, 1)];
    let in_memory = [firing("a", 2, 2)];
    assert_eq!(
        harness.worker().ledger.observe(&in_the_database).await,
        [Deliver(New)],
        "by a worker that dies now"
    );
    let (proxy, worker) = behind_a_proxy(harness).await;
    proxy.cut();
    assert_eq!(worker.ledger.observe(&in_memory).await, [Deliver(New)]);
    // What the dead worker had in hand comes here. It must not be let go for a claim the database knows nothing of.
    assert_eq!(worker.ledger.observe(&in_the_database).await, [Deliver(Unsure)]);
    proxy.restore();
    until_used_again(&worker, &firing("b", 1, 3)).await;
    let standings = worker.ledger.confirm(&[in_memory[0], in_the_database[0]]).await;
    assert_eq!(standings, [Standing::Duplicate, Standing::Mine]);
}
