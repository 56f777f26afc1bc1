//! What a queue does when nothing is wrong with it, and when those who use it stop or die.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use queue::{
    Consumer, DeadLetterId, DeferStep, Delivery, Failure, FailureMarks, Headers, Message, MessageDestination,
    Publisher, Reason, Replay, Subscription,
};
use runtime::lifecycle::Drain;
use tokio::time::Instant;

use super::messages::{alert, body, publish_all, take};
use super::{Engine, PATIENCE, Session, close};

/// Numbers in the order they came; everything settled.
fn settle(taken: Vec<(Vec<usize>, Delivery)>) -> Vec<usize> {
    let settle = |(numbers, delivery): (Vec<usize>, Delivery)| {
        delivery.settle();
        numbers
    };
    taken.into_iter().flat_map(settle).collect()
}

/// One publish after another, and many in one, come out in their order.
pub async fn order_is_kept_within_a_shard(engine: &impl Engine) {
    let session = engine.open().await;
    let publisher = session.publisher();
    for number in 0..20 {
        publish_all(&publisher, [number]).await;
    }
    publish_all(&publisher, 20..500).await;
    let mut consumer = session.consumer(Subscription::Alerts);
    let numbers = settle(take(&mut consumer, 500).await);
    assert_eq!(numbers, (0..500).collect::<Vec<_>>());
    close(session).await;
}

/// What was settled does not come again, not even after a restart of ours; what was not, does.
pub async fn settled_messages_are_gone_for_good(engine: &impl Engine) {
    let session = engine.open().await;
    publish_all(&session.publisher(), 0..50).await;
    settle(take(&mut session.consumer(Subscription::Alerts), 50).await);
    close(session).await;
    let session = engine.open().await;
    publish_all(&session.publisher(), [50]).await;
    let numbers = settle(take(&mut session.consumer(Subscription::Alerts), 1).await);
    assert_eq!(numbers, [50], "something settled came again");
    close(session).await;
}

/// A delivery that is dropped comes again, to the same consumer.
pub async fn unsettled_messages_are_delivered_again(engine: &impl Engine) {
    let session = engine.open().await;
    // One by one, so that each is a delivery of its own.
    for number in 0..10 {
        publish_all(&session.publisher(), [number]).await;
    }
    let mut consumer = session.consumer(Subscription::Alerts);
    let mut settled = BTreeSet::new();
    for (numbers, delivery) in take(&mut consumer, 10).await {
        if numbers[0] % 2 == 0 {
            delivery.settle();
            settled.extend(numbers);
        } else {
            drop(delivery);
        }
    }
    assert_eq!(settled, BTreeSet::from([0, 2, 4, 6, 8]));
    let again: BTreeSet<_> = settle(take(&mut consumer, 5).await).into_iter().collect();
    assert_eq!(again, BTreeSet::from([1, 3, 5, 7, 9]));
    close(session).await;
}

/// A consumer that goes away with messages in hand: another one gets them.
pub async fn a_consumer_that_dies_gives_its_messages_back(engine: &impl Engine) {
    let session = engine.open().await;
    publish_all(&session.publisher(), 0..30).await;
    let mut dying = session.consumer(Subscription::Alerts);
    let in_hand = take(&mut dying, 1).await;
    drop((dying, in_hand));
    let mut other = session.consumer(Subscription::Alerts);
    let all: BTreeSet<_> = settle(take(&mut other, 30).await).into_iter().collect();
    assert_eq!(all, (0..30).collect());
    close(session).await;
}

/// Many callers at once: however their messages are put together, each line comes out whole and once.
pub async fn concurrent_publishes_come_out_whole(engine: &impl Engine) {
    let session = engine.open().await;
    let publisher = session.publisher();
    let outcomes = join_all((0..1000).map(|number| publisher.publish(vec![alert(number)]))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let mut numbers = settle(take(&mut session.consumer(Subscription::Alerts), 1000).await);
    numbers.sort_unstable();
    assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
    close(session).await;
}

/// A parked message is away for its pause, then comes to the workers, with its headers.
pub async fn a_parked_message_returns_after_its_pause(engine: &impl Engine) {
    let session = engine.open().await;
    let headers = Headers {
        attempt: 4,
        failure: Some(failure()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        replay: Some(Replay { letter: DeadLetterId(7), forced: true }),
    };
    let to = MessageDestination::Deferred { shard_key: 7, step: DeferStep::Seconds5 };
    let parked = Message { to, body: body(1), headers: headers.clone() };
    let began = Instant::now();
    session.publisher().publish(vec![parked]).await.expect("a publish to a healthy queue");
    publish_all(&session.publisher(), [2]).await;
    let mut consumer = session.consumer(Subscription::Alerts);
    let mut taken = take(&mut consumer, 2).await;
    let waited = began.elapsed();
    assert!(
        waited + Duration::from_millis(100) > DeferStep::Seconds5.pause(),
        "it was away for {waited:?} only"
    );
    let (numbers, delivery) = taken.pop().expect("two came");
    assert_eq!((numbers, &delivery.headers), (vec![1], &headers), "the parked one comes last, as it left");
    delivery.settle();
    settle(taken);
    close(session).await;
}

/// What is deferred for a receiver that takes messages again comes back long before its pause ends, in its order.
pub async fn what_is_called_back_returns_before_its_pause(engine: &impl Engine) {
    let session = engine.open().await;
    let publisher = session.publisher();
    let deferred = |number: usize, step: DeferStep| {
        let headers = Headers { failure: Some(failure()), ..Headers::default() };
        let to = MessageDestination::Deferred { shard_key: 7, step };
        Message { to, body: body(number), headers }
    };
    // More than an engine moves at once.
    let messages = (0..2_500).map(|number| deferred(number, DeferStep::Minutes10));
    publisher.publish(messages.collect()).await.expect("a publish to a healthy queue");
    let later = deferred(2_500, DeferStep::Minutes2);
    publisher.publish(vec![later]).await.expect("a publish to a healthy queue");
    publisher.recall(&failure().receiver);
    let mut consumer = session.consumer(Subscription::Alerts);
    let mut numbers = Vec::new();
    while numbers.len() <= 2_500 {
        let taken = take(&mut consumer, 1).await;
        assert_eq!(taken[0].1.headers.failure, Some(failure()), "it comes as it left");
        numbers.extend(settle(taken));
    }
    assert_eq!(numbers, (0..=2_500).collect::<Vec<_>>());
    close(session).await;
}

/// Dead letters are kept apart, with the reason.
pub async fn dead_letters_keep_their_reason(engine: &impl Engine) {
    let session = engine.open().await;
    let headers = Headers {
        attempt: 2,
        failure: Some(failure()),
        traceparent: None,
        replay: Some(Replay { letter: DeadLetterId(8), forced: false }),
    };
    let dead = Message { to: MessageDestination::DeadLetters, body: body(3), headers: headers.clone() };
    session.publisher().publish(vec![dead]).await.expect("a publish to a healthy queue");
    let press = Message { to: MessageDestination::Interactions, body: body(4), headers: Headers::default() };
    session.publisher().publish(vec![press]).await.expect("a publish to a healthy queue");
    for (which, number, expected) in
        [(Subscription::Dead, 3, headers), (Subscription::Interactions, 4, Headers::default())]
    {
        let (numbers, delivery) = take(&mut session.consumer(which), 1).await.pop().expect("one came");
        assert_eq!((numbers, &delivery.headers), (vec![number], &expected));
        delivery.settle();
    }
    close(session).await;
}

/// After the stop nothing new is handed out, and what is in hand can still be settled.
pub async fn shutdown_drains_what_is_in_hand(engine: &impl Engine) {
    let session = engine.open().await;
    for number in 0..10 {
        publish_all(&session.publisher(), [number]).await;
    }
    let mut consumer = session.consumer(Subscription::Alerts);
    let mut taken = take(&mut consumer, 10).await;
    let kept = taken.split_off(5);
    session.lifecycle().stop.cancel();
    let after = tokio::time::timeout(PATIENCE, consumer.receive()).await.expect("an answer after the stop");
    assert!(after.is_none(), "work was handed out after the stop");
    let lifecycle = session.lifecycle().clone();
    let (drained, ()) = tokio::join!(lifecycle.drain(PATIENCE), async {
        settle(taken);
        drop(kept);
    });
    assert_eq!(drained, Drain::Clean);
    drop((consumer, session));
    let session = engine.open().await;
    let mut consumer = session.consumer(Subscription::Alerts);
    let mut again = settle(take(&mut consumer, 5).await);
    again.sort_unstable();
    assert_eq!(again, [5, 6, 7, 8, 9], "exactly what was not settled comes again");
    close(session).await;
}

fn failure() -> Failure {
    Failure {
        reason: Reason::Unavailable,
        receiver: "default".to_owned(),
        code: Some(11232),
        message: "too many requests".to_owned(),
        attempts: 4,
        first_failed_at: Timestamp::UNIX_EPOCH,
        last_failed_at: Timestamp::UNIX_EPOCH,
        marks: FailureMarks { gave_way: true, ..FailureMarks::default() },
    }
}
