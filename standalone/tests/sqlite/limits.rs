//! What the embedded queue refuses, and that its file does not grow for ever.

use std::time::Duration;

use queue::{Consumer, Headers, Message, MessageDestination, PublishError, Publisher, Subscription};
use queue_sqlite::{Limits, OpenError};
use testkit::queue_conformance::{Engine, PATIENCE, Session, alert, close, publish_all, take};

use crate::engine::{SqliteEngine, SqliteSession};

fn large(bytes: usize) -> Message {
    let to = MessageDestination::Alerts { shard_key: 1 };
    Message { to, body: vec![b'x'; bytes].into(), headers: Headers::default() }
}

/// Publishes until it is refused; how many it took.
async fn fill(session: &SqliteSession) -> usize {
    let publisher = session.publisher();
    for taken in 0..10_000 {
        match publisher.publish(vec![large(16 * 1024)]).await {
            Ok(()) => {}
            Err(PublishError::Refused(reason)) => {
                assert!(reason.contains("full"), "{reason}");
                return taken;
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("it was never full")
}

/// Takes and settles so many messages.
async fn empty(session: &SqliteSession, mut count: usize) {
    let mut consumer = session.consumer(Subscription::Alerts);
    while count > 0 {
        let batch = tokio::time::timeout(PATIENCE, consumer.receive()).await.expect("a batch");
        for delivery in batch.expect("no stop") {
            count -= 1;
            delivery.settle();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_and_takes_again_once_there_is_room() {
    let limits = Limits { stored_bytes_max: 4 * 1024 * 1024, ..Limits::default() };
    let engine = SqliteEngine::with(limits);
    let session = engine.open().await;
    let first = fill(&session).await;
    assert!(first > 100, "only {first} of 16 KiB fit into 4 MiB");
    // Settling needs no room, or a full queue could never be emptied.
    empty(&session, first).await;
    // Until the settlements are on disk it may still be full.
    let again = async {
        while session.publisher().publish(vec![large(16 * 1024)]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("there is room again");
    close(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_keeps_its_size_while_messages_come_and_go() {
    let engine = SqliteEngine::with(Limits::default());
    let session = engine.open().await;
    let mut sizes = Vec::new();
    for _round in 0..4 {
        for _message in 0..20 {
            session.publisher().publish((0..10).map(|_| large(16 * 1024)).collect()).await.expect("room");
        }
        empty(&session, 200).await;
        sizes.push(std::fs::metadata(engine.file()).expect("a file").len());
    }
    let first = sizes[0];
    let last = sizes[3];
    assert!(last <= first.max(4 * 1024 * 1024) * 2, "it grew: {sizes:?}");
    close(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_freed_after_a_burst_go_back_to_the_disk() {
    let engine = SqliteEngine::with(Limits::default());
    let session = engine.open().await;
    for _part in 0..64 {
        session.publisher().publish((0..64).map(|_| large(16 * 1024)).collect()).await.expect("room");
    }
    empty(&session, 64 * 64).await;
    close(session).await;
    let mut connection = engine.connection().await;
    let pages: i64 =
        sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut connection).await.expect("a number");
    assert!(pages * 4096 < 40 * 1024 * 1024, "{pages} pages of a burst of 64 MiB are left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused_in_words_that_help() {
    let engine = SqliteEngine::with(Limits::default());
    let session = engine.open().await;
    let second = engine.try_open().await.err().expect("a refusal");
    assert!(matches!(second, OpenError::InUse(_)));
    assert!(second.to_string().contains("in use by another larkfire"), "{second}");
    close(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_later_version_is_left_alone() {
    let engine = SqliteEngine::with(Limits::default());
    close(engine.open().await).await;
    let mut connection = engine.connection().await;
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut connection).await.expect("a changed version");
    let refusal = loop {
        match engine.try_open().await {
            Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
            other => break other.err().expect("a refusal"),
        }
    };
    assert!(matches!(refusal, OpenError::Newer { found: 99, known: 2, .. }), "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_hand_has_a_limit() {
    let engine = SqliteEngine::with(Limits { in_hand_max: 8, ..Limits::default() });
    let session = engine.open().await;
    publish_all(&session.publisher(), 0..20).await;
    let mut consumer = session.consumer(Subscription::Alerts);
    let in_hand = take(&mut consumer, 8).await;
    let more = tokio::time::timeout(Duration::from_millis(200), consumer.receive()).await;
    assert!(more.is_err(), "a ninth was handed out");
    for (_, delivery) in in_hand {
        delivery.settle();
    }
    let rest = take(&mut consumer, 12 - 4).await;
    assert_eq!(rest[0].0, [8]);
    drop(rest);
    session.publisher().publish(vec![alert(20)]).await.expect("room");
    close(session).await;
}
