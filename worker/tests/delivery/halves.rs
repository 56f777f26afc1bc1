//! One alert that Feishu will not have does not take the others on its card with it.

use feishu_sim::{Fault, Lasting};
use shared::queue::{Destination, Headers, Settlement};

use crate::stage::{EAGER, Stage, TOKEN, envelope, line};

/// Refuses what is sent until the halving has come down to a single alert out of 20: 20, 10, 5, 2, 1.
const REFUSALS: u32 = 5;

fn refusal() -> Fault {
    Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() }
}

#[tokio::test]
async fn of_many_envelopes_on_a_card_only_the_refused_one_is_buried() {
    let mut stage = Stage::set(EAGER).await;
    stage.sim.fault(TOKEN, &refusal(), Lasting::Times(REFUSALS)).unwrap();
    let body: Vec<u8> = (1..=20).flat_map(|index| line(&envelope("default", index))).collect();
    let tag = stage.queue.deliver(body, Headers::default());
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    let dead = stage.queue.published();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].to, Destination::Dead);
    assert!(dead[0].body.starts_with(line(&envelope("default", 1)).trim_ascii_end()));
    assert!(stage.shows("larkfire_alerts_total{outcome=\"told\"} 19"));
    assert!(stage.shows("larkfire_alerts_total{outcome=\"dead\"} 1"));
}

#[tokio::test]
async fn of_one_envelope_only_the_refused_alert_is_buried() {
    let mut stage = Stage::set(EAGER).await;
    stage.sim.fault(TOKEN, &refusal(), Lasting::Times(REFUSALS)).unwrap();
    let mut group = envelope("default", 1);
    group.alerts.extend((2..=20).flat_map(|index| envelope("default", index).alerts));
    let tag = stage.deliver(&group);
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    let dead = stage.queue.published();
    assert_eq!(dead.len(), 1);
    group.alerts.truncate(1);
    assert!(dead[0].body.starts_with(line(&group).trim_ascii_end()));
    assert!(stage.shows("larkfire_alerts_total{outcome=\"told\"} 19"));
    assert!(stage.shows("larkfire_in_flight_envelopes 0"));
}

#[tokio::test]
async fn a_half_that_would_have_to_wait_too_long_is_parked_like_anything_else() {
    let mut stage = Stage::set(EAGER).await;
    stage.sim.fault(TOKEN, &refusal(), Lasting::Times(1)).unwrap();
    let pause = Fault::TooManyRequests { reset_seconds: Some(540) };
    stage.sim.fault(TOKEN, &pause, Lasting::UntilCleared).unwrap();
    let body: Vec<u8> = (1..=4).flat_map(|index| line(&envelope("default", index))).collect();
    let tag = stage.queue.deliver(body, Headers::default());
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    let parked = stage.queue.published();
    assert!(parked.iter().all(|message| matches!(message.to, Destination::Parked { .. })), "{parked:?}");
    assert_eq!(parked.len(), 4, "both halves: the one that was sent, and the one behind it");
}

#[tokio::test]
async fn a_receiver_that_refuses_everything_does_not_get_every_alert_by_itself() {
    let mut stage = Stage::set(EAGER).await;
    stage.sim.fault(TOKEN, &refusal(), Lasting::UntilCleared).unwrap();
    let mut group = envelope("default", 1);
    group.alerts.extend((2..=80).flat_map(|index| envelope("default", index).alerts));
    let tag = stage.deliver(&group);
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert!(stage.shows("larkfire_alerts_total{outcome=\"dead\"} 80"));
    assert!(stage.sim.totals().faulted < 40, "{} requests", stage.sim.totals().faulted);
}
