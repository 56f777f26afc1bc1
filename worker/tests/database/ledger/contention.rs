//! Many workers, many alerts.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio_util::task::TaskTracker;
use worker::ledger::Decision::{Deliver, Duplicate};
use worker::ledger::Occasion::New;
use worker::ledger::{Decision, Event};

use super::harness::{Harness, firing};

const WORKERS: u32 = 8;
const ALERTS: usize = 300;

fn names(count: usize) -> Arc<Vec<String>> {
    Arc::new((0..count).map(|number| format!("alert-{number}")).collect())
}

/// How many of them are to be delivered.
fn delivered(decisions: &[Decision]) -> usize {
    decisions.iter().filter(|decision| matches!(decision, Deliver(_))).count()
}

pub(crate) async fn eight_workers_claim_each_alert_once(harness: &Harness) {
    let names = names(ALERTS);
    let tasks = TaskTracker::new();
    let running: Vec<_> = (0..WORKERS)
        .map(|number| {
            let worker = harness.worker();
            let names = Arc::clone(&names);
            tasks.spawn(async move {
                let mut claimed = vec![0; names.len()];
                // Batches that overlap, in an order of each worker's own: nobody may wait in a circle.
                for batch in 0..6 {
                    let place = |step: usize| (step * 7 + batch * 50 + number as usize * 37) % names.len();
                    let places: Vec<_> = (0..100).map(place).collect();
                    let id = 1 + number * 6 + u32::try_from(batch).expect("few batches");
                    let events: Vec<_> = places.iter().map(|place| firing(&names[*place], 1, id)).collect();
                    let decisions = worker.ledger.observe(&events).await;
                    let mine: Vec<Event<'_>> = (events.iter().zip(&decisions))
                        .filter_map(|(event, decision)| matches!(decision, Deliver(_)).then_some(*event))
                        .collect();
                    for (place, decision) in places.iter().zip(&decisions) {
                        claimed[*place] += u32::from(matches!(decision, Deliver(_)));
                    }
                    if batch % 2 == 0 {
                        worker.ledger.delivered(&mine).await;
                    }
                }
                assert_eq!(worker.counted("bypassed_alerts_total"), 0, "the database was asked for each");
                claimed
            })
        })
        .collect();
    let claimed = join_all(running).await.into_iter().map(|claimed| claimed.expect("a worker ends well"));
    let sums = claimed.reduce(|sums, claimed| sums.iter().zip(claimed).map(|(sum, one)| sum + one).collect());
    assert_eq!(sums.expect("workers"), vec![1; ALERTS], "each alert is claimed by one worker, once");
}

pub(crate) async fn ten_workers_start_on_an_empty_database_together(harness: &Harness) {
    let names = names(10);
    let tasks = TaskTracker::new();
    let running = (0..10_u32).map(|number| {
        let worker = harness.worker();
        let names = Arc::clone(&names);
        tasks.spawn(async move {
            let events: Vec<_> = names.iter().map(|name| firing(name, 1, number)).collect();
            worker.store.migrate().await.expect("a schema");
            delivered(&worker.ledger.observe(&events).await)
        })
    });
    let claimed = join_all(running.collect::<Vec<_>>()).await;
    let claimed: usize = claimed.into_iter().map(|claimed| claimed.expect("a worker ends well")).sum();
    assert_eq!(claimed, 10);
}

pub(crate) async fn a_batch_larger_than_a_statement_is_decided_whole(harness: &Harness) {
    let one = harness.worker();
    let other = harness.worker();
    let names = names(1_300);
    let events: Vec<_> = names.iter().map(|name| firing(name, 1, 1)).collect();
    assert_eq!(one.ledger.observe(&events).await, vec![Deliver(New); 1_300]);
    one.ledger.delivered(&events[..700]).await;
    let twins: Vec<_> = names.iter().map(|name| firing(name, 2, 2)).collect();
    assert_eq!(other.ledger.observe(&twins).await, vec![Duplicate; 1_300]);
    one.ledger.release(&events).await;
    assert_eq!(delivered(&other.ledger.observe(&twins).await), 600);
    assert_eq!(one.counted("bypassed_alerts_total") + other.counted("bypassed_alerts_total"), 0);
}
