//! A test alert is told like any other, and is not kept for later if it cannot be.

use feishu_sim::{Fault, Lasting};
use jiff::Timestamp;
use shared::config::Locale;
use shared::envelope::{Envelope, EnvelopeId};
use shared::queue::{Destination, Reason, Settlement};
use worker::test_alert;

use crate::stage::{EAGER, Stage, TOKEN, envelope};

fn test_of(receiver: &str) -> Envelope<'static> {
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    test_alert::envelope(receiver, "ann@host", Locale::En, EnvelopeId::new(now, [9; 10]), now)
}

#[tokio::test]
async fn a_test_alert_is_told_and_says_that_nothing_is_wrong() {
    let mut stage = Stage::set(EAGER).await;
    let tag = stage.deliver(&test_of("default"));
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    let card = stage.sim.records(TOKEN)[0].message().unwrap().to_string();
    for part in ["the receiver default is told of alerts", "ann@host", "Nothing is wrong"] {
        assert!(card.contains(part), "{part:?} is missing in {card}");
    }
}

#[tokio::test]
async fn a_test_alert_that_cannot_be_told_dies_at_once_with_the_reason() {
    let wrong_secret = Fault::Refusal { code: 19021, msg: "sign match fail".to_owned() };
    for (fault, code) in [(Fault::ServerError { status: 503 }, None), (wrong_secret, Some(19021))] {
        let mut stage = Stage::set(EAGER).await;
        stage.sim.fault(TOKEN, &fault, Lasting::UntilCleared).unwrap();
        let tag = stage.deliver(&test_of("default"));
        assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
        let [dead] = &stage.queue.published()[..] else { panic!("not one dead letter") };
        let failure = dead.headers.failure.as_ref().unwrap();
        assert_eq!(dead.to, Destination::Dead);
        assert_eq!((failure.reason, failure.code), (Reason::GaveUp, code));
    }
}

#[tokio::test]
async fn a_test_alert_finds_out_at_once_that_a_broken_receiver_was_mended() {
    let mut stage = Stage::set(EAGER).await;
    let wrong_secret = Fault::Refusal { code: 19021, msg: "sign match fail".to_owned() };
    stage.sim.fault(TOKEN, &wrong_secret, Lasting::Times(2)).unwrap();
    let tag = stage.deliver(&envelope("default", 1));
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert!(matches!(stage.queue.published()[0].to, Destination::Parked { .. }));

    let tag = stage.deliver(&test_of("default"));
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert_eq!(stage.sim.totals().accepted, 1, "it did not wait for the pause of minutes to be over");
    assert!(stage.shows("larkfire_receiver_broken{receiver=\"default\"} 0"));
}
