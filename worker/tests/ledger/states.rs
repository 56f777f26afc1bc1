//! Which states of an alert are told.

use worker::ledger::Decision::{Known, Stale, Tell};
use worker::ledger::Occasion::{Forced, New, Reminder, Resolved, Returned};
use worker::ledger::{Event, Standing};

use crate::stage::{Stage, firing, resolved};

pub(crate) async fn a_state_is_told_once_whoever_sends_it(stage: &Stage) {
    let (one, other) = (stage.worker(), stage.worker());
    let first = [firing("a", 1, 1)];
    assert_eq!(one.ledger.observe(&first).await, [Tell(New)]);
    assert_eq!(other.ledger.observe(&[firing("a", 2, 2)]).await, [Known], "claimed by the first");
    assert_eq!(one.ledger.confirm(&first).await, [Standing::Mine]);
    one.ledger.told(&first).await;
    assert_eq!(one.ledger.observe(&first).await, [Known], "delivered again after the record");
    assert_eq!(other.ledger.observe(&[firing("a", 300, 3)]).await, [Known]);
    let over = [resolved("a", 400, 4)];
    assert_eq!(other.ledger.observe(&over).await, [Tell(Resolved)]);
    other.ledger.told(&over).await;
    assert_eq!(one.ledger.observe(&[firing("a", 430, 5)]).await, [Stale], "a replica is late");
    assert_eq!(one.ledger.observe(&[resolved("a", 415, 6)]).await, [Known]);
    assert_eq!(one.ledger.observe(&[firing("a", 500, 7)]).await, [Tell(Returned)]);
}

pub(crate) async fn a_firing_alert_is_told_again_after_repeat_after(stage: &Stage) {
    let worker = stage.worker();
    let first = [firing("a", 1, 1)];
    worker.ledger.observe(&first).await;
    stage.set_clock(7_200);
    worker.ledger.told(&first).await;
    assert_eq!(worker.ledger.observe(&[firing("a", 7_199, 2)]).await, [Known], "it waited behind an outage");
    assert_eq!(worker.ledger.observe(&[firing("a", 7_200 + 3_299, 3)]).await, [Known]);
    let reminder = [firing("a", 7_200 + 3_300, 4)];
    assert_eq!(worker.ledger.observe(&reminder).await, [Tell(Reminder)]);
    assert_eq!(stage.worker().ledger.observe(&[firing("a", 7_200 + 3_310, 5)]).await, [Known]);
    assert_eq!(worker.ledger.confirm(&reminder).await, [Standing::Mine]);
    stage.set_clock(10_600);
    worker.ledger.told(&reminder).await;
    assert_eq!(worker.ledger.observe(&[firing("a", 10_700, 6)]).await, [Known]);
}

pub(crate) async fn repeats_are_answered_without_the_database(stage: &Stage) {
    let (one, other) = (stage.worker(), stage.worker());
    let first = [firing("a", 1, 1)];
    one.ledger.observe(&first).await;
    one.ledger.told(&first).await;
    for number in 2..62 {
        assert_eq!(one.ledger.observe(&[firing("a", i64::from(number), number)]).await, [Known]);
    }
    assert_eq!(one.counted("cache_hits_total"), 60);
    assert_eq!(one.ledger.observe(&[firing("a", 62, 62)]).await, [Known], "more than a jitter later");
    assert_eq!(one.counted("cache_hits_total"), 60, "that is worth a note in the database");
    assert_eq!(other.ledger.observe(&[resolved("a", 1, 63)]).await, [Stale], "and others learn of it");
}

pub(crate) async fn alerts_in_one_batch_are_decided_one_after_the_other(stage: &Stage) {
    let worker = stage.worker();
    let told = [firing("b", 1, 1)];
    worker.ledger.observe(&told).await;
    worker.ledger.told(&told).await;
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
    assert_eq!(decided, [Tell(New), Known, Known, Tell(Resolved), Tell(Resolved), Stale, Stale]);
    let standing = worker.ledger.confirm(&[batch[0], batch[4], batch[3]]).await;
    assert_eq!(standing, [Standing::Stale, Standing::Mine, Standing::Mine]);
}

pub(crate) async fn one_envelope_in_one_batch_twice_is_told_once(stage: &Stage) {
    let worker = stage.worker();
    let copies = [firing("a", 1, 1), firing("a", 1, 1)];
    assert_eq!(worker.ledger.observe(&copies).await, [Tell(New), Known]);
    assert_eq!(worker.ledger.confirm(&copies).await, [Standing::Mine, Standing::Known]);
}

pub(crate) async fn forced_events_are_told_whatever_is_known(stage: &Stage) {
    let worker = stage.worker();
    let (first, over) = ([firing("a", 1, 1)], [resolved("a", 100, 2)]);
    let forced = [Event { forced: true, ..firing("a", 1, 1) }];
    for told in [first, over] {
        worker.ledger.observe(&told).await;
        worker.ledger.told(&told).await;
    }
    assert_eq!(worker.ledger.observe(&forced).await, [Tell(Forced)]);
    assert_eq!(worker.ledger.confirm(&forced).await, [Standing::Mine]);
    worker.ledger.told(&forced).await;
    assert_eq!(worker.ledger.observe(&[resolved("a", 101, 3)]).await, [Known], "it is still resolved");
}
