//! A test alert is delivered like any other, and is not kept for later if it cannot be.

use std::time::Duration;

use config::Locale;
use feishu_sim::{Fault, Lasting};
use jiff::SignedDuration;
use jiff::Timestamp;
use model::envelope::{Envelope, EnvelopeId};
use queue::{MessageDestination, Reason, Settlement};
use runtime::clock::Clock;
use worker::test_alert;

use crate::harness::{EAGER, Harness, TOKEN, envelope};

fn test_of(receiver: &str) -> Envelope<'static> {
    sent_at(receiver, Clock::system().now())
}

fn sent_at(receiver: &str, now: Timestamp) -> Envelope<'static> {
    test_alert::envelope(receiver, "ann@host", Locale::En, EnvelopeId::new(now, [9; 10]), now)
}

#[tokio::test]
async fn a_test_alert_is_delivered_and_says_that_nothing_is_wrong() {
    let mut harness = Harness::set(EAGER).await;
    let tag = harness.deliver(&test_of("default"));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let card = harness.sim.records(TOKEN)[0].message().unwrap().to_string();
    for part in ["the receiver default is told of alerts", "A test by ann@host", "Nothing is wrong"] {
        assert!(card.contains(part), "{part:?} is missing in {card}");
    }
}

#[tokio::test]
async fn a_test_alert_that_nobody_waits_for_any_more_is_delivered_to_nobody() {
    let mut harness = Harness::set(EAGER).await;
    let before = |seconds| Clock::system().now() - SignedDuration::from_secs(seconds);
    let late = sent_at("default", before(61));
    let tag = harness.deliver(&late);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(harness.sim.totals().accepted, 0);
    assert!(harness.shows("larkfire_alerts_total{outcome=\"superseded\"} 1"));

    let waited_for = test_alert::lasting(sent_at("default", before(61)), Duration::from_mins(5));
    let waited_for = Envelope { id: EnvelopeId::new(before(61), [8; 10]), ..waited_for };
    let tag = harness.deliver(&waited_for);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(harness.sim.totals().accepted, 1, "somebody waits for this one");
}

#[tokio::test]
async fn a_test_alert_that_cannot_be_delivered_dies_at_once_with_the_reason() {
    let wrong_secret = Fault::Refusal { code: 19021, msg: "sign match fail".to_owned() };
    for (fault, code) in [(Fault::ServerError { status: 503 }, None), (wrong_secret, Some(19021))] {
        let mut harness = Harness::set(EAGER).await;
        harness.sim.fault(TOKEN, &fault, Lasting::UntilCleared).unwrap();
        let tag = harness.deliver(&test_of("default"));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
        let [dead] = &harness.queue.published()[..] else { panic!("not one dead letter") };
        let failure = dead.headers.failure.as_ref().unwrap();
        assert_eq!(dead.to, MessageDestination::DeadLetters);
        assert_eq!((failure.reason, failure.code), (Reason::GaveUp, code));
    }
}

#[tokio::test]
async fn a_test_alert_finds_out_at_once_that_a_broken_receiver_was_mended() {
    let mut harness = Harness::set(EAGER).await;
    let wrong_secret = Fault::Refusal { code: 19021, msg: "sign match fail".to_owned() };
    harness.sim.fault(TOKEN, &wrong_secret, Lasting::Times(2)).unwrap();
    let tag = harness.deliver(&envelope("default", 1));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert!(matches!(harness.queue.published()[0].to, MessageDestination::Deferred { .. }));

    let tag = harness.deliver(&test_of("default"));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(harness.sim.totals().accepted, 1, "it did not wait for the pause of minutes to be over");
    assert!(harness.shows("larkfire_receiver_broken{receiver=\"default\"} 0"));
}
