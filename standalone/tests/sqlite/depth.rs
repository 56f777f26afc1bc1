//! The depth the metrics show is what lies in the file.

use queue::{DeferStep, Headers, Message, MessageDestination, Publisher, Subscription};
use testkit::queue_conformance::{Engine, PATIENCE, Session, alert, body, close, publish_all, take};
use testkit::wait_until::wait_until;

use crate::engine::{SqliteEngine, SqliteSession};

/// Waits for this many messages in the queues `alerts`, `deferred` and `dead_letters`.
async fn wait_for_depth(session: &SqliteSession, expected: [i64; 3]) {
    wait_until(PATIENCE, &format!("a depth of {expected:?}"), async || {
        let depth =
            ["alerts", "deferred", "dead_letters"].map(|queue| session.metrics.stored_messages(queue).get());
        if depth == expected { Ok(()) } else { Err(depth) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_depth_follows_what_is_stored_settled_and_returned() {
    let engine = SqliteEngine::new();
    let session = engine.open().await;
    let message = |to| Message { to, body: body(9), headers: Headers::default() };
    let parked = MessageDestination::Deferred { shard_key: 0, step: DeferStep::Seconds5 };
    publish_all(&session.publisher(), [1, 2]).await;
    session
        .publisher()
        .publish(vec![message(MessageDestination::DeadLetters), message(parked)])
        .await
        .expect("a publish");
    wait_for_depth(&session, [2, 1, 1]).await;

    let mut consumer = session.consumer(Subscription::Alerts);
    for (_, delivery) in take(&mut consumer, 2).await {
        delivery.settle();
    }
    wait_for_depth(&session, [0, 1, 1]).await;
    // Its pause over, what was parked lies with the alerts.
    wait_for_depth(&session, [1, 0, 1]).await;

    drop(consumer);
    close(session).await;
    let session = engine.open().await;
    wait_for_depth(&session, [1, 0, 1]).await;
    session.publisher().publish(vec![alert(3)]).await.expect("a publish");
    wait_for_depth(&session, [2, 0, 1]).await;
}
