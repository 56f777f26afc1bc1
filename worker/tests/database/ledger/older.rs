//! Workers of an older version beside ours: they know nothing of the columns that have been added since.

use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use worker::ledger::Decision::{Defer, Deliver, Duplicate};
use worker::ledger::Event;
use worker::ledger::Occasion::{New, Resolved};

use crate::databases::Database;

use super::harness::{Harness, at, event, firing, resolved};

/// Does something to the database past the workers on it.
async fn execute(harness: &Harness, sql: &str) {
    let url = harness.database.url();
    let sql = AssertSqlSafe(sql.to_owned());
    match harness.database {
        Database::MariaDb(_) => {
            let mut connection = MySqlConnection::connect(&url).await.expect("a connection");
            connection.execute(sql).await.expect("a statement");
        }
        Database::Postgres(_) => {
            let mut connection = PgConnection::connect(&url).await.expect("a connection");
            connection.execute(sql).await.expect("a statement");
        }
        Database::Sqlite(_) => {
            let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
            connection.execute(sql).await.expect("a statement");
        }
    }
}

pub(crate) async fn what_an_older_worker_writes_is_read_and_its_rows_are_written(harness: &Harness) {
    let worker = harness.worker();
    worker.store.migrate().await.expect("a schema");
    let delivered = at(30).as_millisecond();
    let bytes = |hex| harness.database.bytes(hex);
    let alert = bytes("61");
    let at_receiver = bytes("6f7073");
    let id = bytes("018bcfe5680071018101010101010101");
    let columns = "fingerprint, receiver, told_instance, told_status, told_seen, told_at, told_envelope, \
        claim_instance, claim_status, claim_seen, claim_until, claim_envelope, claim_holder, touched_at, previous, version";
    execute(
        harness,
        &format!(
            "INSERT INTO larkfire_ledger ({columns}) VALUES ({alert}, {at_receiver}, {}, 0, {delivered}, {delivered}, {id}, \
             NULL, NULL, NULL, NULL, NULL, NULL, {delivered}, 0, 1)",
            at(0).as_millisecond()
        ),
    )
    .await;
    harness.set_clock(100);
    assert_eq!(worker.ledger.observe(&[firing("a", 40, 1)]).await, [Duplicate]);
    let over = [Event { ends_at: Some(at(95)), ..resolved("a", 100, 2) }];
    assert_eq!(worker.ledger.observe(&over).await, [Deliver(Resolved)]);
    worker.ledger.delivered(&over).await;
    harness.set_clock(105);
    assert_eq!(harness.worker().ledger.observe(&[firing("a", 104, 3)]).await, [Defer { until: at(460) }]);
    // It says that another firing is over, and leaves when the first one was.
    let instance = at(1_000).as_millisecond();
    let seen = at(1_160).as_millisecond();
    let older = format!("told_instance = {instance}, told_status = 1, told_seen = {seen}, version = 3");
    execute(harness, &format!("UPDATE larkfire_ledger SET {older} WHERE fingerprint = {alert}")).await;
    harness.set_clock(1_105);
    let started = |seconds, event: Event<'static>| Event { starts_at: Some(at(seconds)), ..event };
    let late = started(1_000, event("a", model::alert::Status::Firing, 1_104, 4));
    assert_eq!(harness.worker().ledger.observe(&[late]).await, [Defer { until: at(1_460) }]);
    let again = started(1_101, firing("a", 1_104, 5));
    assert_eq!(harness.worker().ledger.observe(&[again]).await, [Deliver(New)]);
}

pub(crate) async fn a_schema_that_was_brought_up_to_date_by_half_is_finished(harness: &Harness) {
    let worker = harness.worker();
    let first = [firing("a", 1, 1)];
    worker.ledger.observe(&first).await;
    worker.ledger.delivered(&first).await;
    for change in ["ALTER TABLE larkfire_ledger DROP COLUMN told_edge, DROP COLUMN claim_edge", "SELECT 1"] {
        execute(harness, change).await;
        execute(harness, "DELETE FROM larkfire_schema").await;
        let next = harness.worker();
        next.store.migrate().await.expect("a schema");
        assert_eq!(next.ledger.observe(&[firing("a", 2, 2)]).await, [Duplicate], "after {change}");
        assert_eq!(next.counted("bypassed_alerts_total"), 0, "after {change}");
    }
}
