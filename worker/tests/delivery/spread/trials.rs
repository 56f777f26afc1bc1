//! A test of one of the bots is shown by that one, or dies with its reason.

use std::time::Duration;

use config::{Locale, Secret};
use feishu_sim::{Fault, Lasting};
use model::envelope::{Envelope, EnvelopeId};
use queue::{MessageDestination, Reason, Settlement};
use runtime::clock::Clock;
use testkit::wait_until::wait_until;
use worker::feishu::limits::bot_budget;
use worker::test_alert;

use super::{BOTS, bot_of, harness};
use crate::harness::{EAGER, WITHIN, envelope};

fn test_of_bot(bot: usize, count: u32) -> Envelope<'static> {
    let now = Clock::system().now();
    let id = EnvelopeId::new(now, [9; 10]).part(count);
    test_alert::of_bot(test_alert::envelope("ops", "ann@host", Locale::En, id, now), bot)
}

#[tokio::test]
async fn each_bot_is_tested_by_itself_and_one_that_refuses_is_found() {
    let mut harness = harness(EAGER).await;
    let wrong = Fault::Refusal { code: 19001, msg: "token".to_owned() };
    harness.sim.fault(BOTS[1], &wrong, Lasting::UntilCleared).unwrap();
    for (count, bot) in (1..).zip([3, 2, 1]) {
        let tag = harness.deliver(&test_of_bot(bot, count));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(harness.sim.accepted().iter().map(bot_of).collect::<Vec<_>>(), [2, 0]);
    let [dead] = &harness.queue.published()[..] else { panic!("not one dead letter") };
    let failure = dead.headers.failure.as_ref().unwrap();
    assert_eq!(
        (dead.to, failure.reason, failure.code),
        (MessageDestination::DeadLetters, Reason::GaveUp, Some(19001))
    );
    assert!(harness.shows("larkfire_receiver_broken{receiver=\"ops/2\"} 1"));

    // Mended, a test finds that out at once, and it takes its turns again.
    harness.sim.clear_faults(BOTS[1]).unwrap();
    let tag = harness.deliver(&test_of_bot(2, 4));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert!(harness.shows("larkfire_receiver_broken{receiver=\"ops/2\"} 0"));
    for index in 1..=3 {
        let tag = harness.deliver(&envelope("ops", index));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let turns: Vec<_> = harness.sim.accepted().iter().map(bot_of).collect();
    assert_eq!(turns, [2, 0, 1, 2, 0, 1]);
}

#[tokio::test]
async fn a_test_does_not_wait_for_a_bot_that_was_told_to_slow_down_for_long() {
    let mut harness = harness(EAGER).await;
    let throttled = Fault::TooManyRequests { reset_seconds: Some(600) };
    harness.sim.fault(BOTS[0], &throttled, Lasting::Times(1)).unwrap();
    let tag = harness.deliver(&envelope("ops", 1));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let tag = harness.deliver(&test_of_bot(1, 1));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let [dead] = &harness.queue.published()[..] else { panic!("not one dead letter") };
    let failure = dead.headers.failure.as_ref().unwrap();
    assert!(failure.message.contains("may send again in"), "{}", failure.message);
}

#[tokio::test]
async fn a_test_that_comes_while_an_alert_waits_for_its_slot_goes_out_through_its_own_bot() {
    let mut harness = harness(EAGER).await;
    let wrong = Fault::Refusal { code: 19001, msg: "token".to_owned() };
    harness.sim.fault(BOTS[1], &wrong, Lasting::UntilCleared).unwrap();
    // So many that the group takes no other at once.
    for index in 1..=5 {
        let tag = harness.deliver(&envelope("ops", index));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let waiting = harness.deliver(&envelope("ops", 6));
    let tests: Vec<_> = (1..=20).map(|count| harness.deliver(&test_of_bot(2, count))).collect();
    for tag in tests.iter().copied().chain([waiting]) {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(harness.queue.published().len(), tests.len(), "each has failed, as its bot does");
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 6"));
}

#[tokio::test]
async fn a_test_ends_although_its_bot_is_held_after_an_attempt_that_failed() {
    let mut harness = harness(EAGER).await;
    // It fails as often as it is tried, so nothing depends on how soon the hold is there.
    let overloaded = Fault::ServerError { status: 503 };
    harness.sim.fault(BOTS[0], &overloaded, Lasting::UntilCleared).unwrap();
    let alert = harness.deliver(&envelope("ops", 1));
    wait_until(WITHIN, "an attempt that failed", async || {
        if harness.sim.totals().faulted > 0 { Ok(()) } else { Err("none yet") }
    })
    .await;
    let held = bot_budget(&Secret::new(harness.sim.webhook_url(BOTS[0])));
    harness.budget_elsewhere().hold(&held, Duration::from_mins(10)).await;
    let test = harness.deliver(&test_of_bot(1, 1));
    for tag in [test, alert] {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let [dead] = &harness.queue.published()[..] else { panic!("not one dead letter") };
    assert_eq!(dead.headers.failure.as_ref().unwrap().reason, Reason::GaveUp);
    // What may have arrived is not kept back for ten minutes beside bots that are free.
    assert_eq!(harness.sim.accepted().iter().map(bot_of).collect::<Vec<_>>(), [1]);
}
