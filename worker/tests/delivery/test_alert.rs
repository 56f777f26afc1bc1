//! A test alert is delivered like any other, and is not kept for later if it cannot be.

use config::Locale;
use feishu_sim::{Fault, Lasting};
use jiff::Timestamp;
use model::envelope::{Envelope, EnvelopeId};
use queue::{MessageDestination, Reason, Settlement};
use worker::test_alert;

use crate::harness::{EAGER, Harness, TOKEN, envelope};

fn test_of(receiver: &str) -> Envelope<'static> {
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    test_alert::envelope(receiver, "ann@host", Locale::En, EnvelopeId::new(now, [9; 10]), now)
}

#[tokio::test]
async fn a_test_alert_is_delivered_and_says_that_nothing_is_wrong() {
    let mut harness = Harness::set(EAGER).await;
    let tag = harness.deliver(&test_of("default"));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let card = harness.sim.records(TOKEN)[0].message().unwrap().to_string();
    for part in ["the receiver default is told of alerts", "ann@host", "Nothing is wrong"] {
        assert!(card.contains(part), "{part:?} is missing in {card}");
    }
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
