//! The machine's clock is set back while something is parked.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use queue::{DeferStep, Headers, Message, MessageDestination, Publisher, Subscription};
use runtime::clock::Clock;
use testkit::queue_conformance::{Engine, Session, body, close, take};

use crate::engine::SqliteEngine;

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_not_longer_for_a_clock_that_is_set_back() {
    let minutes = Arc::new(AtomicI64::new(0));
    let watch = Arc::clone(&minutes);
    let truth = Clock::system();
    let clock = Clock::from_fn(move || {
        let set_by = SignedDuration::from_mins(watch.load(Ordering::SeqCst));
        truth.now().checked_add(set_by).expect("a time of this century")
    });
    let engine = SqliteEngine::by_clock(clock);
    let session = engine.open().await;
    let to = MessageDestination::Deferred { shard_key: 0, step: DeferStep::Seconds5 };
    let parked = Message { to, body: body(1), headers: Headers::default() };
    session.publisher().publish(vec![parked]).await.expect("a publish");
    minutes.store(-10, Ordering::SeqCst);
    for (numbers, delivery) in take(&mut session.consumer(Subscription::Alerts), 1).await {
        assert_eq!(numbers, [1]);
        delivery.settle();
    }
    close(session).await;
}
