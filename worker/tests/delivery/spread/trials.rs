//! A test of one of the bots is shown by that one, or dies with its reason.

use feishu_sim::{Fault, Lasting};
use jiff::Timestamp;
use shared::config::Locale;
use shared::envelope::{Envelope, EnvelopeId};
use shared::queue::{Destination, Reason, Settlement};
use worker::test_alert;

use super::{BOTS, bot_of, stage};
use crate::stage::{EAGER, envelope};

fn test_of_bot(bot: usize, count: u32) -> Envelope<'static> {
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let id = EnvelopeId::new(now, [9; 10]).part(count);
    test_alert::of_bot(test_alert::envelope("ops", "ann@host", Locale::En, id, now), bot)
}

#[tokio::test]
async fn each_bot_is_tested_by_itself_and_one_that_refuses_is_found() {
    let mut stage = stage(EAGER).await;
    let wrong = Fault::Refusal { code: 19001, msg: "token".to_owned() };
    stage.sim.fault(BOTS[1], &wrong, Lasting::UntilCleared).unwrap();
    for (count, bot) in (1..).zip([3, 2, 1]) {
        let tag = stage.deliver(&test_of_bot(bot, count));
        assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(stage.sim.accepted().iter().map(bot_of).collect::<Vec<_>>(), [2, 0]);
    let [dead] = &stage.queue.published()[..] else { panic!("not one dead letter") };
    let failure = dead.headers.failure.as_ref().unwrap();
    assert_eq!((dead.to, failure.reason, failure.code), (Destination::Dead, Reason::GaveUp, Some(19001)));
    assert!(stage.shows("larkfire_receiver_broken{receiver=\"ops/2\"} 1"));

    // Mended, a test finds that out at once, and it takes its turns again.
    stage.sim.clear_faults(BOTS[1]).unwrap();
    let tag = stage.deliver(&test_of_bot(2, 4));
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert!(stage.shows("larkfire_receiver_broken{receiver=\"ops/2\"} 0"));
    for index in 1..=3 {
        let tag = stage.deliver(&envelope("ops", index));
        assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    }
    let turns: Vec<_> = stage.sim.accepted().iter().map(bot_of).collect();
    assert_eq!(turns, [2, 0, 1, 2, 0, 1]);
}

#[tokio::test]
async fn a_test_does_not_wait_for_a_bot_that_was_told_to_slow_down_for_long() {
    let mut stage = stage(EAGER).await;
    let throttled = Fault::TooManyRequests { reset_seconds: Some(600) };
    stage.sim.fault(BOTS[0], &throttled, Lasting::Times(1)).unwrap();
    let tag = stage.deliver(&envelope("ops", 1));
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    let tag = stage.deliver(&test_of_bot(1, 1));
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    let [dead] = &stage.queue.published()[..] else { panic!("not one dead letter") };
    let failure = dead.headers.failure.as_ref().unwrap();
    assert!(failure.message.contains("may send again in"), "{}", failure.message);
}
