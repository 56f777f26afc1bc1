//! Which states of an alert are delivered.

use worker::ledger::Decision::{Copy, Defer, Deliver, Duplicate, Superseded};
use worker::ledger::Occasion::{Forced, New, Reminder, Resolved, Returned};
use worker::ledger::{Event, Standing};

use super::harness::{Harness, at, firing, resolved};

pub(crate) async fn a_state_is_delivered_once_whoever_sends_it(harness: &Harness) {
    let one = harness.worker();
    let other = harness.worker();
    let first = [firing("a", 1, 1)];
    assert_eq!(one.ledger.observe(&first).await, [Deliver(New)]);
    assert_eq!(other.ledger.observe(&[firing("a", 2, 2)]).await, [Duplicate], "claimed by the first");
    assert_eq!(one.ledger.confirm(&first).await, [Standing::Mine]);
    one.ledger.delivered(&first).await;
    assert_eq!(one.ledger.observe(&first).await, [Copy], "delivered again after the record");
    harness.set_clock(430);
    assert_eq!(other.ledger.observe(&[firing("a", 300, 3)]).await, [Duplicate]);
    let over = [resolved("a", 400, 4)];
    assert_eq!(other.ledger.observe(&over).await, [Deliver(Resolved)]);
    other.ledger.delivered(&over).await;
    let deferred = Defer { until: at(760) };
    assert_eq!(one.ledger.observe(&[firing("a", 430, 5)]).await, [deferred], "a replica may be late");
    assert_eq!(one.ledger.observe(&[firing("a", 399, 5)]).await, [Superseded], "a replica is late");
    assert_eq!(one.ledger.observe(&[resolved("a", 415, 6)]).await, [Duplicate]);
    harness.set_clock(500);
    assert_eq!(one.ledger.observe(&[firing("a", 500, 7)]).await, [Deliver(Returned)]);
}

pub(crate) async fn a_firing_alert_is_delivered_again_after_repeat_after(harness: &Harness) {
    let worker = harness.worker();
    let first = [firing("a", 1, 1)];
    worker.ledger.observe(&first).await;
    harness.set_clock(7_200);
    worker.ledger.delivered(&first).await;
    assert_eq!(
        worker.ledger.observe(&[firing("a", 7_199, 2)]).await,
        [Duplicate],
        "it waited behind an outage"
    );
    assert_eq!(
        worker.ledger.observe(&[firing("a", 7_200 + 3_300, 3)]).await,
        [Duplicate],
        "no clock says so yet"
    );
    harness.set_clock(7_200 + 3_310);
    assert_eq!(worker.ledger.observe(&[firing("a", 7_200 + 3_299, 3)]).await, [Duplicate]);
    let reminder = [firing("a", 7_200 + 3_300, 4)];
    assert_eq!(worker.ledger.observe(&reminder).await, [Deliver(Reminder)]);
    assert_eq!(harness.worker().ledger.observe(&[firing("a", 7_200 + 3_310, 5)]).await, [Duplicate]);
    assert_eq!(worker.ledger.confirm(&reminder).await, [Standing::Mine]);
    harness.set_clock(10_600);
    worker.ledger.delivered(&reminder).await;
    assert_eq!(worker.ledger.observe(&[firing("a", 10_700, 6)]).await, [Duplicate]);
}

pub(crate) async fn repeats_are_answered_without_the_database(harness: &Harness) {
    let one = harness.worker();
    let other = harness.worker();
    let first = [firing("a", 1, 1)];
    one.ledger.observe(&first).await;
    one.ledger.delivered(&first).await;
    harness.set_clock(62);
    for number in 2..62 {
        assert_eq!(one.ledger.observe(&[firing("a", i64::from(number), number)]).await, [Duplicate]);
    }
    assert_eq!(one.counted("cache_hits_total"), 60);
    assert_eq!(one.ledger.observe(&[firing("a", 62, 62)]).await, [Duplicate], "more than a jitter later");
    assert_eq!(one.counted("cache_hits_total"), 60, "that is worth a note in the database");
    assert_eq!(other.ledger.observe(&[resolved("a", 1, 63)]).await, [Superseded], "and others learn of it");
}

pub(crate) async fn alerts_in_one_batch_are_decided_one_after_the_other(harness: &Harness) {
    let worker = harness.worker();
    let delivered = [firing("b", 1, 1)];
    worker.ledger.observe(&delivered).await;
    worker.ledger.delivered(&delivered).await;
    let batch = [
        firing("a", 1, 2),
        firing("b", 30, 2),
        firing("a", 2, 3),
        resolved("b", 20, 4),
        resolved("a", 3, 4),
        firing("b", 31, 5),
        firing("a", 4, 5),
    ];
    let decided = worker.ledger.observe(&batch).await;
    let late = |seconds| Defer { until: at(seconds) };
    assert_eq!(
        decided,
        [Deliver(New), Duplicate, Duplicate, Deliver(Resolved), Deliver(Resolved), late(380), late(363)]
    );
    let standing = worker.ledger.confirm(&[batch[0], batch[4], batch[3]]).await;
    assert_eq!(standing, [Standing::Superseded, Standing::Mine, Standing::Mine]);
}

pub(crate) async fn one_envelope_in_one_batch_twice_is_delivered_once(harness: &Harness) {
    let worker = harness.worker();
    let copies = [firing("a", 1, 1), firing("a", 1, 1)];
    assert_eq!(worker.ledger.observe(&copies).await, [Deliver(New), Copy]);
    assert_eq!(worker.ledger.confirm(&copies[..1]).await, [Standing::Mine]);
    worker.ledger.delivered(&copies[..1]).await;
    assert_eq!(worker.ledger.confirm(&copies[1..]).await, [Standing::Copy]);
}

pub(crate) async fn forced_events_are_delivered_whatever_is_known(harness: &Harness) {
    let worker = harness.worker();
    let first = [firing("a", 1, 1)];
    let over = [resolved("a", 100, 2)];
    let forced = [Event { forced: true, ..firing("a", 1, 1) }];
    harness.set_clock(101);
    for delivered in [first, over] {
        worker.ledger.observe(&delivered).await;
        worker.ledger.delivered(&delivered).await;
    }
    assert_eq!(worker.ledger.observe(&forced).await, [Deliver(Forced)]);
    assert_eq!(worker.ledger.confirm(&forced).await, [Standing::Mine]);
    worker.ledger.delivered(&forced).await;
    assert_eq!(worker.ledger.observe(&[resolved("a", 101, 3)]).await, [Duplicate], "it is still resolved");
}

pub(crate) async fn what_is_superseded_by_more_than_the_jitter_is_counted(harness: &Harness) {
    let one = harness.worker();
    let other = harness.worker();
    harness.set_clock(500);
    let over = [resolved("a", 400, 1)];
    one.ledger.observe(&over).await;
    one.ledger.delivered(&over).await;
    for (worker, counted) in [(&one, [1, 0]), (&other, [1, 0])] {
        let late = [firing("a", 399, 2), firing("a", 30, 3)];
        assert_eq!(worker.ledger.observe(&late).await, [Superseded, Superseded]);
        let names = ["superseded_by_more_than_jitter_total", "times_ahead_total"];
        assert_eq!(names.map(|name| worker.counted(name)), counted);
    }
    one.ledger.observe(&[firing("b", 561, 4)]).await;
    assert_eq!(one.counted("times_ahead_total"), 1);
}

pub(crate) async fn a_firing_soon_after_its_end_is_delivered_by_whoever_gets_it_later(harness: &Harness) {
    let one = harness.worker();
    let other = harness.worker();
    harness.set_clock(120);
    let over = [Event { ends_at: Some(at(30)), ..resolved("a", 100, 1) }];
    one.ledger.observe(&over).await;
    one.ledger.delivered(&over).await;
    let back = [firing("a", 113, 2), firing("b", 113, 2)];
    assert_eq!(other.ledger.observe(&back).await, [Defer { until: at(220) }, Deliver(New)]);
    harness.set_clock(220);
    assert_eq!(one.ledger.observe(&back[..1]).await, [Deliver(Returned)]);
    assert_eq!(one.ledger.confirm(&back[..1]).await, [Standing::Mine]);
    one.ledger.delivered(&back[..1]).await;
    assert_eq!(harness.worker().ledger.observe(&over).await, [Superseded], "the end before it");
}
