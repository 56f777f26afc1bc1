//! What somebody has taken on is not told again, until it is over or told anew.

use worker::ledger::Decision::{Known, Tell};
use worker::ledger::Occasion::{New, Reminder, Resolved, Returned};

use crate::stage::{RECEIVER, Stage, firing, resolved};

/// An hour: longer than `repeat_after`.
const HOUR: i64 = 3_600;

pub(crate) async fn what_somebody_has_taken_on_gets_no_reminders_until_it_is_over(stage: &Stage) {
    let (worker, other) = (stage.worker(), stage.worker());
    let first = [firing("a", 1, 1), firing("b", 1, 1)];
    assert_eq!(worker.ledger.observe(&first).await, [Tell(New), Tell(New)]);
    worker.ledger.told(&first).await;
    assert_eq!(
        other.ledger.acknowledge(RECEIVER, &["a", "unknown"], "ou_ann").await.expect("the database is there"),
        1
    );
    stage.set_clock(HOUR);
    let again = [firing("a", HOUR, 2), firing("b", HOUR, 2)];
    assert_eq!(worker.ledger.observe(&again).await, [Known, Tell(Reminder)]);
    worker.ledger.told(&again[1..]).await;
    assert_eq!(other.ledger.observe(&[firing("a", 2 * HOUR, 3)]).await, [Known], "nor another worker's");

    stage.set_clock(2 * HOUR);
    let over = [resolved("a", 2 * HOUR, 4)];
    assert_eq!(worker.ledger.observe(&over).await, [Tell(Resolved)], "that it is over is told");
    worker.ledger.told(&over).await;
    stage.set_clock(3 * HOUR);
    let back = [firing("a", 3 * HOUR, 5)];
    assert_eq!(worker.ledger.observe(&back).await, [Tell(Returned)]);
    worker.ledger.told(&back).await;
    assert_eq!(
        worker.ledger.observe(&[firing("a", 5 * HOUR, 6)]).await,
        [Tell(Reminder)],
        "it is nobody's now"
    );
}

pub(crate) async fn what_nobody_looks_after_any_more_is_told_again(stage: &Stage) {
    let worker = stage.worker();
    let first = [firing("a", 1, 1)];
    worker.ledger.observe(&first).await;
    worker.ledger.told(&first).await;
    worker.ledger.acknowledge(RECEIVER, &["a"], "ou_ann").await.expect("the database is there");
    assert_eq!(worker.ledger.observe(&[firing("a", HOUR, 2)]).await, [Known]);
    worker.ledger.unacknowledge(RECEIVER, &["a"]).await.expect("the database is there");
    assert_eq!(worker.ledger.observe(&[firing("a", 2 * HOUR, 3)]).await, [Tell(Reminder)]);
}
