//! What one bot does not take another does at once; only when none takes any does the receiver wait.

use std::time::Duration;

use config::{BrokenReceiver, DeliveryConfig, ReceiverDestination, Secret};
use feishu_sim::{Fault, Lasting};
use queue::{MessageDestination as To, Reason, Settlement};
use testkit::ports::free_address;

use super::{BOTS, bot_of, harness, ops, shown, strict_group};
use crate::harness::{EAGER, Harness, PARKING, envelope};

fn refusal(code: i64) -> Fault {
    Fault::Refusal { code, msg: "no".to_owned() }
}

async fn tell(harness: &mut Harness, indices: std::ops::RangeInclusive<u8>) {
    for index in indices {
        let tag = harness.deliver(&envelope("ops", index));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
}

#[tokio::test]
async fn one_broken_and_one_throttled_the_third_tells_everything_at_once() {
    let hour = Duration::from_hours(1).as_secs();
    for throttled in [refusal(11232), Fault::TooManyRequests { reset_seconds: Some(hour) }] {
        let mut harness = harness(EAGER).await;
        harness.sim.fault(BOTS[0], &throttled, Lasting::UntilCleared).unwrap();
        harness.sim.fault(BOTS[1], &refusal(19001), Lasting::UntilCleared).unwrap();
        tell(&mut harness, 1..=2).await;
        assert!(harness.sim.accepted().iter().all(|record| bot_of(record) == 2));
        assert_eq!(shown(&harness.sim, 1..=2), [1, 1]);
        assert_eq!(harness.queue.published().len(), 0, "nothing was put aside");
        for metric in [
            "larkfire_receiver_broken{receiver=\"ops\"} 0",
            "larkfire_receiver_broken{receiver=\"ops/1\"} 0",
            "larkfire_receiver_broken{receiver=\"ops/2\"} 1",
        ] {
            assert!(harness.shows(metric), "{metric}");
        }
        assert_eq!(harness.sim.records(BOTS[1]).len(), 1, "it is left alone");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_one_bots_trouble() {
    let mut harness = harness(EAGER).await;
    harness.sim.fault(BOTS[0], &refusal(19021), Lasting::UntilCleared).unwrap();
    tell(&mut harness, 1..=2).await;
    assert_eq!(harness.sim.records(BOTS[0]).len(), 2, "signed anew once, by the same bot");
    assert_eq!(shown(&harness.sim, 1..=2), [1, 1]);
}

#[tokio::test]
async fn a_bot_that_cannot_be_connected_to_is_passed_over_at_once() {
    let sim = strict_group().await;
    let mut config = ops(&sim);
    let ReceiverDestination::Bots { bots, .. } = &mut config.destination else { panic!("several") };
    bots[0].webhook_url = Secret::new(format!("http://{}/open-apis/bot/v2/hook/x", free_address()));
    let mut harness = Harness::with(sim, vec![config], EAGER);
    tell(&mut harness, 1..=4).await;
    assert_eq!(harness.sim.accepted().iter().map(bot_of).collect::<Vec<_>>(), [1, 2, 1, 2]);
    assert!(harness.shows("larkfire_feishu_requests_total{receiver=\"ops/1\",verdict=\"unreachable\"} 1"));
}

#[tokio::test]
async fn what_may_have_arrived_is_shown_again_by_one_of_them_and_not_at_once() {
    let mut harness = harness(EAGER).await;
    harness.sim.fault(BOTS[0], &Fault::LostAnswer, Lasting::Times(1)).unwrap();
    tell(&mut harness, 1..=1).await;
    let [first, again] = &harness.sim.accepted()[..] else { panic!("not shown twice") };
    let pause = again.at.duration_since(first.at).unsigned_abs();
    assert!(pause >= Duration::from_secs(1), "{pause:?}");
}

#[tokio::test]
async fn a_bot_that_hangs_is_left_out_and_another_tells() {
    let delivery = DeliveryConfig { request_timeout: Duration::from_millis(300), ..EAGER };
    let mut harness = harness(delivery).await;
    harness.sim.fault(BOTS[0], &Fault::NeverAnswer, Lasting::UntilCleared).unwrap();
    tell(&mut harness, 1..=3).await;
    assert_eq!(harness.sim.records(BOTS[0]).len(), 1, "and is left out after that");
    assert_eq!(shown(&harness.sim, 1..=3), [1, 1, 1]);
    assert_eq!(harness.queue.published().len(), 0);
}

#[tokio::test]
async fn a_bad_card_is_no_bots_fault_and_goes_to_none_of_the_others() {
    let mut harness = harness(EAGER).await;
    harness.sim.fault(BOTS[0], &refusal(11248), Lasting::Times(1)).unwrap();
    tell(&mut harness, 1..=1).await;
    let [dead] = &harness.queue.published()[..] else { panic!("not one dead letter") };
    let failure = dead.headers.failure.as_ref().unwrap();
    assert_eq!(
        (dead.to, failure.reason, failure.receiver.as_str()),
        (To::DeadLetters, Reason::Refused, "ops")
    );
    assert_eq!(BOTS.map(|token| harness.sim.records(token).len()), [1, 0, 0]);

    harness.sim.fault(BOTS[1], &refusal(11246), Lasting::Times(1)).unwrap();
    tell(&mut harness, 2..=2).await;
    assert_eq!(BOTS.map(|token| harness.sim.records(token).len()), [1, 2, 0], "repaired, by the same bot");
    assert_eq!(harness.sim.totals().accepted, 1);
}

#[tokio::test]
async fn when_the_group_takes_no_more_no_bot_is_tried_meanwhile() {
    let mut harness = harness(EAGER).await;
    harness.sim.fault(BOTS[0], &refusal(11233), Lasting::Times(1)).unwrap();
    tell(&mut harness, 1..=1).await;
    let requests: Vec<_> =
        BOTS.iter().flat_map(|token| harness.sim.records(token)).map(|record| record.at).collect();
    let [one, other] = &requests[..] else { panic!("{requests:?}") };
    let pause = other.duration_since(*one).unsigned_abs();
    assert!(pause >= Duration::from_millis(500), "{pause:?}");
    assert!(harness.shows("larkfire_budget_holds_total 1"));
}

#[tokio::test]
async fn all_broken_their_alerts_are_parked_or_buried_as_those_of_one_bot() {
    let buried = DeliveryConfig { broken_receiver: BrokenReceiver::DeadLetter, ..EAGER };
    for (delivery, reason) in [(EAGER, Reason::Unavailable), (buried, Reason::Refused)] {
        let mut harness = harness(delivery).await;
        for token in BOTS {
            harness.sim.fault(token, &refusal(19001), Lasting::UntilCleared).unwrap();
        }
        tell(&mut harness, 1..=2).await;
        let onwards = harness.queue.published();
        let [first, second] = &onwards[..] else { panic!("{onwards:?}") };
        for (message, tried) in [(first, 3), (second, 0)] {
            let failure = message.headers.failure.as_ref().unwrap();
            assert_eq!((failure.reason, failure.receiver.as_str()), (reason, "ops"));
            assert_eq!(failure.attempts, tried);
            assert_eq!(matches!(message.to, To::Deferred { .. }), reason == Reason::Unavailable);
        }
        assert_eq!(first.headers.failure.as_ref().unwrap().code, Some(19001));
        assert_eq!(harness.sim.totals().faulted, 3, "one request to each");
        assert!(harness.shows("larkfire_receiver_broken{receiver=\"ops\"} 1"));
    }
}

#[tokio::test]
async fn all_away_their_alerts_are_parked_as_those_of_one_bot() {
    let mut harness = harness(PARKING).await;
    harness.sim.away().await.unwrap();
    tell(&mut harness, 1..=1).await;
    let [parked] = &harness.queue.published()[..] else { panic!("not one parking") };
    assert!(matches!(parked.to, To::Deferred { .. }));
    let failure = parked.headers.failure.as_ref().unwrap();
    assert_eq!((failure.reason, failure.receiver.as_str()), (Reason::Unavailable, "ops"));
}

#[tokio::test]
async fn two_broken_and_one_throttled_the_receiver_waits_for_that_one() {
    let delivery = DeliveryConfig { broken_receiver: BrokenReceiver::DeadLetter, ..EAGER };
    let mut harness = harness(delivery).await;
    harness.sim.fault(BOTS[0], &refusal(11232), Lasting::Times(1)).unwrap();
    for token in [BOTS[1], BOTS[2]] {
        harness.sim.fault(token, &refusal(19001), Lasting::UntilCleared).unwrap();
    }
    tell(&mut harness, 1..=1).await;
    assert_eq!(harness.sim.accepted().iter().map(bot_of).collect::<Vec<_>>(), [0]);
    assert_eq!(harness.queue.published().len(), 0, "nothing was buried");
    assert!(harness.shows("larkfire_receiver_broken{receiver=\"ops\"} 0"));
}
