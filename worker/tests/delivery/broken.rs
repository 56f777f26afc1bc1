//! A receiver whose settings are wrong refuses everything until somebody changes them.

use config::{BrokenReceiver, DeliveryConfig};
use feishu_sim::{Fault, Lasting};
use queue::{DeadLetterId, Headers, MessageDestination, Reason, Replay, Settlement};

use crate::harness::{EAGER, Harness, OTHER_TOKEN, TOKEN, envelope, line};

fn refusal(code: i64) -> Fault {
    Fault::Refusal { code, msg: "no".to_owned() }
}

#[tokio::test]
async fn its_alerts_wait_parked_and_it_is_shown() {
    for (code, requests) in [(19001, 1), (19007, 1), (19022, 1), (19024, 1), (19021, 2)] {
        let mut harness = Harness::set(EAGER).await;
        harness.sim.fault(TOKEN, &refusal(code), Lasting::UntilCleared).unwrap();
        for index in [1, 2] {
            let tag = harness.deliver(&envelope("default", index));
            assert_eq!(harness.fate(tag).await, Settlement::Done { tag }, "{code}");
        }
        let parked = harness.queue.published();
        assert!(
            parked.iter().all(|message| matches!(message.to, MessageDestination::Deferred { .. })),
            "{code}: {parked:?}"
        );
        assert_eq!(parked[0].headers.failure.as_ref().unwrap().code, Some(code));
        assert_eq!(harness.sim.totals().faulted, requests, "{code}: the second alert was not sent");
        assert!(harness.shows("larkfire_receiver_broken{receiver=\"default\"} 1"), "{code}");
        assert!(harness.shows("larkfire_receiver_broken{receiver=\"other\"} 0"), "{code}");

        let tag = harness.deliver(&envelope("other", 3));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag }, "{code}");
        assert_eq!(harness.sim.records(OTHER_TOKEN).len(), 1, "{code}: nobody else is concerned");
    }
}

#[tokio::test]
async fn its_alerts_are_buried_at_once_where_that_is_asked_for() {
    let delivery = DeliveryConfig { broken_receiver: BrokenReceiver::DeadLetter, ..EAGER };
    let mut harness = Harness::set(delivery).await;
    harness.sim.fault(TOKEN, &refusal(19001), Lasting::UntilCleared).unwrap();
    for index in [1, 2] {
        let tag = harness.deliver(&envelope("default", index));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let dead = harness.queue.published();
    assert!(dead.iter().all(|message| message.to == MessageDestination::DeadLetters), "{dead:?}");
    let reasons = dead.iter().map(|message| message.headers.failure.as_ref().unwrap().reason);
    assert!(reasons.eq([Reason::Refused; 2]));
    assert!(harness.shows("larkfire_alerts_total{outcome=\"dead_lettered\"} 2"));
}

#[tokio::test]
async fn a_replay_finds_out_at_once_that_it_was_mended_and_dies_of_what_is_still_wrong() {
    for on_broken in [BrokenReceiver::Wait, BrokenReceiver::DeadLetter] {
        let mut harness = Harness::set(DeliveryConfig { broken_receiver: on_broken, ..EAGER }).await;
        harness.sim.fault(TOKEN, &refusal(19001), Lasting::Times(2)).unwrap();
        let first = harness.deliver(&envelope("default", 1));
        assert_eq!(harness.fate(first).await, Settlement::Done { tag: first });

        // Of two replays the first comes too early: it is tried, and refused as before.
        for (requests, accepted) in [(2, 0), (3, 1)] {
            let replay = Replay { letter: DeadLetterId(7), forced: false };
            let headers = Headers { replay: Some(replay), ..Headers::default() };
            let tag = harness.queue.deliver(line(&envelope("default", 2)), headers);
            assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
            let sent = harness.sim.records(TOKEN).len();
            assert_eq!((sent, harness.sim.totals().accepted), (requests, accepted), "{on_broken:?}");
            let last = harness.queue.published().pop().unwrap();
            if accepted == 0 {
                assert_eq!(last.headers.failure.as_ref().unwrap().attempts, 1, "it was tried");
            }
            // Parked and back it waits like all others.
            if accepted == 0 && on_broken == BrokenReceiver::Wait {
                let back = harness.queue.deliver(last.body.clone(), last.headers.clone());
                assert_eq!(harness.fate(back).await, Settlement::Done { tag: back });
                assert_eq!(harness.sim.records(TOKEN).len(), requests, "not tried again");
            }
        }
        assert!(harness.shows("larkfire_receiver_broken{receiver=\"default\"} 0"));
    }
}
