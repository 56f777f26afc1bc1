//! One alert that Feishu will not have does not take the others on its card with it.

use feishu_sim::{Fault, Lasting};
use queue::{Headers, MessageDestination, Settlement};

use crate::harness::{EAGER, Harness, TOKEN, envelope, line};

/// Refuses what is sent until the halving has come down to a single alert out of 20: 20, 10, 5, 2, 1.
const REFUSALS: u32 = 5;

fn refusal() -> Fault {
    Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() }
}

#[tokio::test]
async fn of_many_envelopes_on_a_card_only_the_refused_one_is_buried() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &refusal(), Lasting::Times(REFUSALS)).unwrap();
    let body: Vec<u8> = (1..=20).flat_map(|index| line(&envelope("default", index))).collect();
    let tag = harness.queue.deliver(body, Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let dead = harness.queue.published();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].to, MessageDestination::DeadLetters);
    assert!(dead[0].body.starts_with(line(&envelope("default", 1)).trim_ascii_end()));
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 19"));
    assert!(harness.shows("larkfire_alerts_total{outcome=\"dead_lettered\"} 1"));
}

#[tokio::test]
async fn of_one_envelope_only_the_refused_alert_is_buried() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &refusal(), Lasting::Times(REFUSALS)).unwrap();
    let mut group = envelope("default", 1);
    group.alerts.extend((2..=20).flat_map(|index| envelope("default", index).alerts));
    let tag = harness.deliver(&group);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let dead = harness.queue.published();
    assert_eq!(dead.len(), 1);
    group.alerts.truncate(1);
    assert!(dead[0].body.starts_with(line(&group).trim_ascii_end()));
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 19"));
    assert!(harness.shows("larkfire_envelopes_in_flight 0"));
}

#[tokio::test]
async fn a_half_that_would_have_to_wait_too_long_is_parked_like_anything_else() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &refusal(), Lasting::Times(1)).unwrap();
    let pause = Fault::TooManyRequests { reset_seconds: Some(540) };
    harness.sim.fault(TOKEN, &pause, Lasting::UntilCleared).unwrap();
    let body: Vec<u8> = (1..=4).flat_map(|index| line(&envelope("default", index))).collect();
    let tag = harness.queue.deliver(body, Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let parked = harness.queue.published();
    assert!(
        parked.iter().all(|message| matches!(message.to, MessageDestination::Deferred { .. })),
        "{parked:?}"
    );
    assert_eq!(parked.len(), 4, "both halves: the one that was sent, and the one behind it");
}

#[tokio::test]
async fn a_receiver_that_refuses_everything_does_not_get_every_alert_by_itself() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &refusal(), Lasting::UntilCleared).unwrap();
    let mut group = envelope("default", 1);
    group.alerts.extend((2..=80).flat_map(|index| envelope("default", index).alerts));
    let tag = harness.deliver(&group);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert!(harness.shows("larkfire_alerts_total{outcome=\"dead_lettered\"} 80"));
    assert!(harness.sim.totals().faulted < 40, "{} requests", harness.sim.totals().faulted);
}
