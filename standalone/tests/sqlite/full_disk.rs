//! A full disk: what is settled still goes, and nothing is stored before the ballast is back.
//!
//! A disk cannot be filled without mounting one. What SQLite says of it can be had by other means: a trigger
//! makes every deletion need more pages than the file may have.

use std::path::PathBuf;

use queue::{PublishError, Publisher, Subscription};
use queue_sqlite::Limits;
use testkit::queue_conformance::{Engine, PATIENCE, Session, alert, close, publish_all, take};
use testkit::wait_until::wait_until;

use crate::engine::{SqliteEngine, SqliteSession};

const MIB: u64 = 1024 * 1024;

fn engine() -> SqliteEngine {
    SqliteEngine::with(Limits { stored_bytes_max: 4 * MIB, ..Limits::default() })
}

fn ballast(engine: &SqliteEngine) -> PathBuf {
    engine.file().with_file_name("queue.ballast")
}

fn ballast_bytes(engine: &SqliteEngine) -> u64 {
    std::fs::metadata(ballast(engine)).expect("a ballast").len()
}

async fn execute(engine: &SqliteEngine, sql: &'static str) {
    let mut connection = engine.connection().await;
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("a statement that works");
}

/// From now on deletions find the disk full.
async fn fill(engine: &SqliteEngine) {
    execute(
        engine,
        "CREATE TABLE filler (bytes BLOB);
         CREATE TRIGGER fill BEFORE DELETE ON alerts BEGIN INSERT INTO filler VALUES (zeroblob(8388608)); END;",
    )
    .await;
}

async fn settle(session: &SqliteSession, count: usize) {
    let mut consumer = session.consumer(Subscription::Alerts);
    for (_, delivery) in take(&mut consumer, count).await {
        delivery.settle();
    }
}

async fn wait_for_readiness(session: &SqliteSession, expected: &[&str]) {
    wait_until(PATIENCE, &format!("{expected:?} to be unmet"), async || {
        let unmet = session.lifecycle().readiness.unmet();
        if unmet == expected { Ok(()) } else { Err(unmet) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_without_room_spend_the_ballast_and_nothing_is_stored_until_it_is_back() {
    let engine = engine();
    let session = engine.open().await;
    wait_for_readiness(&session, &[]).await;
    assert_eq!(ballast_bytes(&engine), 8 * MIB);
    publish_all(&session.publisher(), 0..4).await;
    fill(&engine).await;

    settle(&session, 4).await;
    wait_for_readiness(&session, &["queue"]).await;
    assert_eq!(ballast_bytes(&engine), 0);
    // The file itself has room for it: the refusal is ours.
    let refused = session.publisher().publish(vec![alert(4)]).await;
    assert!(
        matches!(&refused, Err(PublishError::Refused(why)) if why.contains("disk is full")),
        "{refused:?}"
    );

    execute(&engine, "DROP TRIGGER fill").await;
    wait_for_readiness(&session, &[]).await;
    assert_eq!(ballast_bytes(&engine), 8 * MIB);
    publish_all(&session.publisher(), [5]).await;
    close(session).await;

    let session = engine.open().await;
    let left = take(&mut session.consumer(Subscription::Alerts), 1).await;
    assert_eq!(left.iter().map(|(ids, _)| ids[0]).collect::<Vec<_>>(), [5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_ballast_is_laid_again_by_the_next_process() {
    let engine = engine();
    close(engine.open().await).await;
    std::fs::write(ballast(&engine), []).expect("a spent ballast");
    let session = engine.open().await;
    wait_for_readiness(&session, &[]).await;
    assert_eq!(ballast_bytes(&engine), 8 * MIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_ballast_the_queue_works_all_the_same() {
    let engine = engine();
    std::fs::create_dir(ballast(&engine)).expect("something in its place");
    let session = engine.open().await;
    wait_for_readiness(&session, &[]).await;
    publish_all(&session.publisher(), 0..2).await;
    settle(&session, 2).await;
    close(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_at_its_own_limit_is_not_ready_and_keeps_the_ballast() {
    let engine = engine();
    let session = engine.open().await;
    execute(
        &engine,
        "CREATE TABLE filler (bytes BLOB); INSERT INTO filler VALUES (zeroblob(4 * 1024 * 1024 - 200000));",
    )
    .await;
    // Pages it has are used up by what it takes; then it is refused.
    while session.publisher().publish((0..100).map(alert).collect()).await.is_ok() {}
    wait_for_readiness(&session, &["queue"]).await;
    assert_eq!(ballast_bytes(&engine), 8 * MIB);
    // Nobody settles or publishes: it finds out by itself that there is room.
    execute(&engine, "DELETE FROM filler").await;
    wait_for_readiness(&session, &[]).await;
    publish_all(&session.publisher(), [1]).await;
}
