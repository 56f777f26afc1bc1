//! What is parked, buried and given back.

use std::time::Duration;

use config::DeliveryConfig;
use feishu_sim::{Fault, Lasting};
use jiff::{SignedDuration, Timestamp};
use queue::{DeferStep, Failure, FailureMarks, Headers, MessageDestination, Reason, Settlement};
use runtime::clock::Clock;
use testkit::wait_until::wait_until;
use tokio::time::Instant;

use crate::harness::{EAGER, Harness, OTHER_TOKEN, PARKING, TOKEN, WITHIN, envelope, line};

#[tokio::test]
async fn a_refusal_inside_a_200_is_buried_with_its_code_and_message() {
    let mut harness = Harness::set(EAGER).await;
    let refusal = Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() };
    harness.sim.fault(TOKEN, &refusal, Lasting::Times(1)).unwrap();
    let envelope = envelope("default", 1);
    let headers = Headers { traceparent: Some("00-trace".to_owned()), ..Headers::default() };
    let tag = harness.queue.deliver(line(&envelope), headers);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });

    let [dead] = &harness.queue.published()[..] else { panic!("not one dead letter") };
    let failure = dead.headers.failure.as_ref().unwrap();
    assert_eq!(dead.to, MessageDestination::DeadLetters);
    assert_eq!((failure.reason, failure.code, failure.attempts), (Reason::Refused, Some(11248), 1));
    assert_eq!((failure.message.as_str(), failure.receiver.as_str()), ("sensitive content", "default"));
    assert_eq!(dead.headers.traceparent.as_deref(), Some("00-trace"));
    let card = dead.body.strip_prefix(&line(&envelope)[..]).expect("the envelope as it came");
    let card: serde_json::Value = serde_json::from_slice(card).unwrap();
    assert_eq!(card["card"]["header"]["title"]["content"], "[CRITICAL] Alert1 · <at id=all></at>");
    assert!(harness.shows("larkfire_dead_letters_total{reason=\"refused\"} 1"));
    assert!(harness.shows("larkfire_alerts_total{outcome=\"dead_lettered\"} 1"));
}

#[tokio::test]
async fn what_fails_in_every_form_is_buried() {
    let mut harness = Harness::set(EAGER).await;
    for (code, requests) in [(11246, 2), (19036, 3)] {
        let refusal = Fault::Refusal { code, msg: "no".to_owned() };
        harness.sim.clear();
        harness.sim.fault(TOKEN, &refusal, Lasting::Times(requests)).unwrap();
        let tag = harness.deliver(&envelope("default", 1));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
        assert_eq!(harness.sim.totals().accepted, 0, "{code}");
        let failure = harness.queue.published().last().unwrap().headers.failure.clone().unwrap();
        assert_eq!((failure.code, failure.attempts), (Some(code), requests), "{code}");
    }
}

#[tokio::test]
async fn what_fails_in_place_is_parked_and_the_next_is_not_even_tried() {
    let mut harness = Harness::set(PARKING).await;
    harness.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::UntilCleared).unwrap();
    for index in [1, 2] {
        let tag = harness.deliver(&envelope("default", index));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }

    let published = harness.queue.published();
    for (message, index) in published.iter().zip([1, 2]) {
        let shard_key = envelope("default", index).shard_key();
        assert_eq!(message.to, MessageDestination::Deferred { shard_key, step: DeferStep::Seconds5 });
    }
    let attempts: Vec<_> = published.iter().map(|message| message.headers.attempt).collect();
    assert_eq!(attempts, [1, 0], "what was not tried does not wait longer each time");
    let failures: Vec<_> = published.iter().filter_map(|message| message.headers.failure.as_ref()).collect();
    assert!(failures.iter().all(|failure| failure.reason == Reason::Unavailable));
    assert_eq!(failures.iter().map(|failure| failure.attempts).collect::<Vec<_>>(), [3, 0]);
    assert_eq!(failures[0].message, "HTTP 503 without a JSON answer");
    assert_eq!(harness.sim.totals().faulted, 3, "the second was not sent to a receiver that is away");
    assert!(harness.shows("larkfire_envelopes_deferred_total{receiver=\"default\"} 2"));
}

/// It is delivered again, to whomever: published by us as well it would be there twice.
#[tokio::test]
async fn what_came_by_a_connection_that_broke_is_not_published_onwards() {
    let mut harness = Harness::set(PARKING).await;
    harness.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::UntilCleared).unwrap();
    harness.deliver(&envelope("default", 1));
    let sim = &harness.sim;
    wait_until(WITHIN, "the first attempt", async || {
        if sim.totals().faulted > 0 { Ok(()) } else { Err(sim.totals()) }
    })
    .await;
    harness.queue.cut();
    let tag = harness.deliver(&envelope("default", 2));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });

    let bodies: Vec<_> = harness.queue.published().into_iter().map(|message| message.body).collect();
    assert_eq!(bodies, [line(&envelope("default", 2))]);
    assert!(harness.shows("larkfire_envelopes_deferred_total{receiver=\"default\"} 1"));
}

#[tokio::test]
async fn each_parking_is_longer_and_remembers_the_first_failure() {
    let mut harness = Harness::set(DeliveryConfig { attempts_in_place: 1, ..PARKING }).await;
    harness.sim.fault(TOKEN, &Fault::Reset, Lasting::UntilCleared).unwrap();
    let first = Clock::system().now() - SignedDuration::from_hours(1);
    let before = failure(first, 3);
    let headers = Headers { attempt: 2, failure: Some(before), ..Headers::default() };
    let tag = harness.queue.deliver(line(&envelope("default", 1)), headers);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let parked = &harness.queue.published()[0];
    assert!(
        matches!(parked.to, MessageDestination::Deferred { step: DeferStep::Minutes2, .. }),
        "{:?}",
        parked.to
    );
    let failure = parked.headers.failure.as_ref().unwrap();
    assert_eq!((parked.headers.attempt, failure.attempts, failure.first_failed_at), (3, 4, first));
}

#[tokio::test]
async fn patience_ends_with_a_dead_letter() {
    let mut harness = Harness::set(DeliveryConfig { attempts_in_place: 1, ..PARKING }).await;
    harness.sim.fault(TOKEN, &Fault::ServerError { status: 500 }, Lasting::UntilCleared).unwrap();
    let long_ago = Timestamp::from_second(1_700_000_000).unwrap();
    let headers = Headers { attempt: 9, failure: Some(failure(long_ago, 12)), ..Headers::default() };
    let tag = harness.queue.deliver(line(&envelope("default", 1)), headers);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let dead = &harness.queue.published()[0];
    let failure = dead.headers.failure.as_ref().unwrap();
    assert_eq!(dead.to, MessageDestination::DeadLetters);
    assert_eq!((failure.reason, failure.attempts, failure.first_failed_at), (Reason::GaveUp, 13, long_ago));
}

#[tokio::test]
async fn a_pause_too_long_to_wait_for_in_hand_is_spent_parked_and_not_counted() {
    let mut harness = Harness::set(EAGER).await;
    harness
        .sim
        .fault(TOKEN, &Fault::TooManyRequests { reset_seconds: Some(540) }, Lasting::Times(1))
        .unwrap();
    let tag = harness.deliver(&envelope("default", 1));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let parked = &harness.queue.published()[0];
    assert!(
        matches!(parked.to, MessageDestination::Deferred { step: DeferStep::Minutes10, .. }),
        "{:?}",
        parked.to
    );
    assert_eq!(parked.headers.attempt, 0);
    assert_eq!(parked.headers.failure.as_ref().unwrap().attempts, 0);
}

#[tokio::test]
async fn an_envelope_that_waits_for_another_attempt_is_given_back_at_the_stop() {
    let mut harness = Harness::set(EAGER).await;
    harness
        .sim
        .fault(TOKEN, &Fault::TooManyRequests { reset_seconds: Some(60) }, Lasting::UntilCleared)
        .unwrap();
    let waiting = harness.deliver(&envelope("default", 1));
    let delivered = harness.deliver(&envelope("other", 2));
    harness.fate(delivered).await;
    wait_until(WITHIN, "the throttling", async || {
        (harness.sim.totals().faulted > 0).then_some(()).ok_or("not sent yet")
    })
    .await;

    let began = Instant::now();
    let drained = harness.lifecycle.drain(Duration::from_secs(20)).await;
    assert_eq!(drained, runtime::lifecycle::Drain::Clean);
    assert!(began.elapsed() < Duration::from_secs(5), "it slept on for {:?}", began.elapsed());
    assert_eq!(harness.fate(waiting).await, Settlement::GivenBack { tag: waiting });
    assert_eq!(harness.sim.records(OTHER_TOKEN).len(), 1);
}

#[tokio::test]
async fn what_is_in_hand_at_the_stop_is_finished() {
    let mut harness = Harness::set(EAGER).await;
    let body: Vec<u8> = (1..=50).flat_map(|index| line(&envelope("default", index))).collect();
    let tag = harness.queue.deliver(body, Headers::default());
    harness.sim.wait_for_accepted(1, WITHIN).await.unwrap();
    assert_eq!(harness.lifecycle.drain(Duration::from_secs(20)).await, runtime::lifecycle::Drain::Clean);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 50"));
}

fn failure(first_failed_at: Timestamp, attempts: u32) -> Failure {
    Failure {
        reason: Reason::Unavailable,
        receiver: "default".to_owned(),
        code: None,
        message: "before".to_owned(),
        attempts,
        first_failed_at,
        last_failed_at: first_failed_at,
        marks: FailureMarks::default(),
    }
}
