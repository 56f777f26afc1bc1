//! The rows themselves.

use model::alert::Status;
use worker::ledger::Decision::{Deliver, Duplicate};
use worker::ledger::Occasion::New;
use worker::ledger::{Event, find_by_envelope, find_by_fingerprint};

use super::harness::{Harness, RECEIVER, at, envelope, firing, resolved};

const DAY: i64 = 24 * 60 * 60;

pub(crate) async fn names_that_differ_in_case_or_length_are_different_alerts(harness: &Harness) {
    let worker = harness.worker();
    let long = ["x".repeat(64), "x".repeat(65), "x".repeat(66)];
    let names = ["a", "A", "a ", "ä", &long[0], &long[1], &long[2]];
    let mut events: Vec<_> = names.iter().map(|name| firing(name, 1, 1)).collect();
    events.push(Event { receiver: "Ops", ..events[0] });
    assert_eq!(worker.ledger.observe(&events).await, vec![Deliver(New); events.len()]);
    let twins: Vec<_> = events.iter().map(|event| Event { envelope: envelope(2), ..*event }).collect();
    assert_eq!(harness.worker().ledger.observe(&twins).await, vec![Duplicate; events.len()]);
    assert_eq!(find_by_fingerprint(&worker.store, &long[1]).await.expect("an answer").len(), 1);
}

pub(crate) async fn what_nobody_has_touched_is_forgotten_and_the_rest_is_not(harness: &Harness) {
    let worker = harness.worker();
    let names: Vec<_> = (0..1_200).map(|number| number.to_string()).collect();
    let events: Vec<_> = names.iter().map(|name| firing(name, 1, 1)).collect();
    worker.ledger.observe(&events).await;
    harness.set_clock(6 * DAY);
    worker.ledger.delivered(&events[..5]).await;
    harness.set_clock(7 * DAY);
    assert_eq!(worker.ledger.clean().await.expect("an answer"), 0, "nothing is too old yet");
    harness.set_clock(7 * DAY + 1);
    assert_eq!(worker.ledger.clean().await.expect("an answer"), 1_195);
    assert_eq!(worker.counted("cleaned_rows_total"), 1_195);
    let left = find_by_envelope(&worker.store, envelope(1)).await.expect("an answer");
    assert_eq!(left.len(), 5);
}

pub(crate) async fn an_operator_finds_an_alert_and_an_envelope(harness: &Harness) {
    let worker = harness.worker();
    let first = [firing("a", 1, 1), Event { receiver: "dev", ..firing("a", 1, 1) }, firing("b", 1, 1)];
    worker.ledger.observe(&first).await;
    harness.set_clock(5);
    worker.ledger.delivered(&first).await;
    harness.set_clock(9);
    worker.ledger.observe(&[resolved("a", 8, 2)]).await;

    let alert = find_by_fingerprint(&worker.store, "a").await.expect("an answer");
    let receivers: Vec<_> = alert.iter().map(|entry| entry.receiver.as_str()).collect();
    assert_eq!(receivers, ["dev", RECEIVER]);
    let delivered = alert[1].delivered.expect("it was delivered");
    let claim = alert[1].claim.expect("claimed");
    assert_eq!(
        (delivered.envelope, delivered.at, delivered.state.status),
        (envelope(1), at(5), Status::Firing)
    );
    assert_eq!((delivered.state.instance, delivered.state.seen), (at(0), at(1)));
    assert_eq!((claim.envelope, claim.state.status), (envelope(2), Status::Resolved));
    assert_eq!((claim.until, alert[1].touched_at), (at(9 + 15 * 60), at(9)));

    let by_first = find_by_envelope(&worker.store, envelope(1)).await.expect("an answer");
    let by_second = find_by_envelope(&worker.store, envelope(2)).await.expect("an answer");
    assert_eq!((by_first.len(), by_second.as_slice()), (3, &alert[1..]));
    assert!(find_by_envelope(&worker.store, envelope(3)).await.expect("an answer").is_empty());
}
