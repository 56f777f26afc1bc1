//! What somebody has taken on is not delivered again, until it is over or delivered anew.

use worker::ledger::Decision::{Deliver, Duplicate};
use worker::ledger::Occasion::{New, Reminder, Resolved, Returned};

use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, query_as};

use crate::databases::Database;

use super::harness::{Harness, RECEIVER, firing, resolved};

/// An hour: longer than `repeat_after`.
const HOUR: i64 = 3_600;

pub(crate) async fn what_somebody_has_taken_on_gets_no_reminders_until_it_is_over(harness: &Harness) {
    let worker = harness.worker();
    let other = harness.worker();
    let first = [firing("a", 1, 1), firing("b", 1, 1)];
    assert_eq!(worker.ledger.observe(&first).await, [Deliver(New), Deliver(New)]);
    worker.ledger.delivered(&first).await;
    assert_eq!(
        other.ledger.acknowledge(RECEIVER, &["a", "unknown"], "ou_ann").await.expect("the database is there"),
        1
    );
    harness.set_clock(HOUR);
    let again = [firing("a", HOUR, 2), firing("b", HOUR, 2)];
    assert_eq!(worker.ledger.observe(&again).await, [Duplicate, Deliver(Reminder)]);
    worker.ledger.delivered(&again[1..]).await;
    harness.set_clock(2 * HOUR);
    assert_eq!(other.ledger.observe(&[firing("a", 2 * HOUR, 3)]).await, [Duplicate], "nor another worker's");
    let over = [resolved("a", 2 * HOUR, 4)];
    assert_eq!(worker.ledger.observe(&over).await, [Deliver(Resolved)], "that it is over is delivered");
    worker.ledger.delivered(&over).await;
    harness.set_clock(3 * HOUR);
    let back = [firing("a", 3 * HOUR, 5)];
    assert_eq!(worker.ledger.observe(&back).await, [Deliver(Returned)]);
    worker.ledger.delivered(&back).await;
    harness.set_clock(5 * HOUR);
    assert_eq!(
        worker.ledger.observe(&[firing("a", 5 * HOUR, 6)]).await,
        [Deliver(Reminder)],
        "it is nobody's now"
    );
}

pub(crate) async fn what_nobody_looks_after_any_more_is_delivered_again(harness: &Harness) {
    let worker = harness.worker();
    let first = [firing("a", 1, 1)];
    worker.ledger.observe(&first).await;
    worker.ledger.delivered(&first).await;
    worker.ledger.acknowledge(RECEIVER, &["a"], "ou_ann").await.expect("the database is there");
    harness.set_clock(HOUR);
    assert_eq!(worker.ledger.observe(&[firing("a", HOUR, 2)]).await, [Duplicate]);
    harness.set_clock(2 * HOUR);
    worker.ledger.unacknowledge(RECEIVER, &["a"]).await.expect("the database is there");
    assert_eq!(worker.ledger.observe(&[firing("a", 2 * HOUR, 3)]).await, [Deliver(Reminder)]);
}

pub(crate) async fn a_repeat_of_what_somebody_has_taken_on_is_one_write(harness: &Harness) {
    let worker = harness.worker();
    let first = [firing("a", 1, 1)];
    worker.ledger.observe(&first).await;
    worker.ledger.delivered(&first).await;
    worker.ledger.acknowledge(RECEIVER, &["a"], "ou_ann").await.expect("the database is there");
    for (number, hours) in (2..).zip(1..4) {
        harness.set_clock(hours * HOUR);
        let (_, before) = versions(harness).await;
        assert_eq!(worker.ledger.observe(&[firing("a", hours * HOUR, number)]).await, [Duplicate]);
        let (previous, now) = versions(harness).await;
        assert_eq!(previous, before, "it was written more than once");
        assert_ne!(now, before, "it is known to have been heard of");
        assert_eq!(worker.ledger.observe(&[firing("a", hours * HOUR + 1, number)]).await, [Duplicate]);
        assert_eq!(versions(harness).await, (previous, now), "so soon again it is not written at all");
    }
}

/// Of the one row: the version its last write has replaced, and its version.
async fn versions(harness: &Harness) -> (i64, i64) {
    let sql = "SELECT previous, version FROM larkfire_ledger";
    let url = harness.database.url();
    let found = match harness.database {
        Database::MariaDb(_) => {
            let mut connection = MySqlConnection::connect(&url).await.expect("a connection");
            query_as(sql).fetch_one(&mut connection).await
        }
        Database::Postgres(_) => {
            let mut connection = PgConnection::connect(&url).await.expect("a connection");
            query_as(sql).fetch_one(&mut connection).await
        }
        Database::Sqlite(_) => {
            let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
            query_as(sql).fetch_one(&mut connection).await
        }
    };
    found.expect("there is one row")
}
