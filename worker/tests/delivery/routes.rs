//! Alerts that go different ways, on those ways: told, parked, buried and sent again, each receiver by itself.

use feishu_sim::{Fault, Lasting, Record};
use shared::envelope::{Envelope, decode};
use shared::queue::{Destination, Headers, LetterId, Message, Reason, Replay, Settlement};
use testkit::wait_until::wait_until;

use crate::stage::{EAGER, OTHER_TOKEN, PARKING, Stage, TOKEN, WITHIN, envelope, line};

/// The first alert goes to both, the second to `other`, anything else to the default.
const BOTH: &str = r#"[{ match: alertname="Alert1", receivers: [default, other] },
    { match: alertname="Alert2", receiver: other }]"#;

/// One envelope with three alerts, for whomever the routes say.
fn group() -> Envelope<'static> {
    let mut group = envelope("of-alertmanager", 1);
    group.alerts.extend([2, 3].into_iter().flat_map(|index| envelope("", index).alerts));
    group
}

/// Which of the three alerts are on the cards.
fn told(records: &[Record]) -> Vec<u8> {
    let text: String =
        records.iter().filter_map(Record::message).map(|message| message.to_string()).collect();
    (1..=3).filter(|index| text.contains(&format!("Alert{index}"))).collect()
}

fn receiver_of(message: &Message) -> String {
    decode(message.body.split(|byte| *byte == b'\n').next().unwrap()).unwrap().receiver.into_owned()
}

/// Hands the message out again after each pause, until it is not parked any more.
async fn told_in_the_end(stage: &mut Stage, mut message: Message) {
    wait_until(WITHIN, "what was parked is told", async || {
        let before = stage.queue.published().len();
        let tag = stage.queue.deliver(message.body.clone(), message.headers.clone());
        assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
        let Some(again) = stage.queue.published().get(before).cloned() else { return Ok(()) };
        message = again;
        Err("parked again")
    })
    .await;
}

#[tokio::test]
async fn alerts_of_one_envelope_are_told_where_their_routes_lead_and_copies_are_counted() {
    let mut stage = Stage::routed(BOTH, EAGER).await;
    let tag = stage.deliver(&group());
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert_eq!(told(&stage.sim.records(TOKEN)), [1, 3]);
    assert_eq!(told(&stage.sim.records(OTHER_TOKEN)), [1, 2]);
    // Three came, four were told.
    assert!(stage.shows("larkfire_alerts_total{outcome=\"told\"} 4"));
    assert!(stage.shows("larkfire_alerts_copied_total 1"));

    let tag = stage.deliver(&group());
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert!(stage.shows("larkfire_redelivered_alerts_total 3"), "the same message again is no news");
    assert!(stage.shows("larkfire_alerts_copied_total 1"));
    assert_eq!(stage.sim.totals().accepted, 2);
}

#[tokio::test]
async fn a_receiver_named_by_the_sender_is_taken_at_its_word() {
    let mut stage = Stage::routed("[{ receiver: other }]", EAGER).await;
    let tag = stage.deliver(&envelope("default", 1));
    stage.fate(tag).await;
    assert_eq!((stage.sim.records(TOKEN).len(), stage.sim.records(OTHER_TOKEN).len()), (1, 0));
}

#[tokio::test]
async fn parts_of_one_envelope_that_were_parked_come_back_each_to_its_own_receiver() {
    let mut stage = Stage::routed(BOTH, PARKING).await;
    for token in [TOKEN, OTHER_TOKEN] {
        stage.sim.fault(token, &Fault::ServerError { status: 503 }, Lasting::Times(3)).unwrap();
    }
    let tag = stage.deliver(&group());
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    let parked = stage.queue.published();
    let mut receivers: Vec<_> = parked.iter().map(receiver_of).collect();
    receivers.sort_unstable();
    assert_eq!(receivers, ["default", "other"]);
    assert!(parked.iter().all(|message| matches!(message.to, Destination::Parked { .. })));
    assert_eq!(stage.sim.totals().accepted, 0);

    // One after the other: the second is not taken for a repetition of the first.
    stage.sim.clear();
    for message in parked {
        told_in_the_end(&mut stage, message).await;
    }
    assert_eq!(told(&stage.sim.records(TOKEN)), [1, 3]);
    assert_eq!(told(&stage.sim.records(OTHER_TOKEN)), [1, 2]);
    assert!(stage.shows("larkfire_alerts_total{outcome=\"told\"} 4"));
    assert!(stage.shows("larkfire_alerts_copied_total 1"));
}

#[tokio::test]
async fn what_was_parked_for_a_receiver_that_is_gone_goes_by_the_routes_again() {
    let mut stage = Stage::routed(BOTH, EAGER).await;
    let tag = stage.deliver(&envelope("gone-since", 2));
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert_eq!(told(&stage.sim.records(OTHER_TOKEN)), [2]);
}

#[tokio::test]
async fn what_died_for_one_receiver_is_replayed_to_that_one_only() {
    let mut stage = Stage::routed(BOTH, EAGER).await;
    let refusal = Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() };
    stage.sim.fault(OTHER_TOKEN, &refusal, Lasting::Times(1)).unwrap();
    let tag = stage.deliver(&envelope("of-alertmanager", 1));
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    let [dead] = &stage.queue.published()[..] else { panic!("not one dead letter") };
    let failure = dead.headers.failure.as_ref().unwrap();
    assert_eq!((failure.reason, failure.receiver.as_str()), (Reason::Refused, "other"));
    assert_eq!(receiver_of(dead), "other");
    assert_eq!(told(&stage.sim.records(TOKEN)), [1]);

    let letter = dead.body.split_inclusive(|byte| *byte == b'\n').next().unwrap().to_vec();
    let replay = Some(Replay { letter: LetterId(1), forced: true });
    let tag = stage.queue.deliver(letter, Headers { replay, ..Headers::default() });
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert_eq!(stage.sim.records(OTHER_TOKEN).len(), 2, "the refused one and the replay");
    assert_eq!(stage.sim.records(TOKEN).len(), 1, "even forced, nobody else is told");
}

#[tokio::test]
async fn what_is_for_nobody_is_buried_and_the_rest_of_its_envelope_told() {
    let mut stage =
        Stage::routed_to(["ops", "shop"], "[{ match: alertname=\"Alert1\", receiver: ops }]", EAGER).await;
    let tag = stage.deliver(&group());
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    let [dead] = &stage.queue.published()[..] else { panic!("not one dead letter") };
    assert_eq!(dead.headers.failure.as_ref().unwrap().reason, Reason::NoReceiver);
    assert_eq!(decode(dead.body.trim_ascii_end()).unwrap().alerts.len(), 2);
    assert_eq!(told(&stage.sim.records(TOKEN)), [1]);
    for line in ["larkfire_alerts_total{outcome=\"told\"} 1", "larkfire_alerts_total{outcome=\"dead\"} 2"] {
        assert!(stage.shows(line), "{line}");
    }
    assert!(stage.shows("larkfire_alerts_copied_total 0"));
}

#[tokio::test]
async fn a_parted_message_that_was_not_settled_comes_again_and_is_counted_once() {
    let mut stage = Stage::routed(BOTH, PARKING).await;
    stage.sim.fault(OTHER_TOKEN, &Fault::ServerError { status: 503 }, Lasting::Times(3)).unwrap();
    stage.queue.set_down(true);
    let tag = stage.deliver(&group());
    assert_eq!(stage.fate(tag).await, Settlement::GivenBack { tag });
    assert!(stage.shows("larkfire_alerts_copied_total 0"), "a message given back counts when it comes again");

    stage.queue.set_down(false);
    let tag = stage.queue.deliver(line(&group()), Headers::default());
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert_eq!(told(&stage.sim.records(TOKEN)), [1, 3]);
    assert!(stage.shows("larkfire_alerts_copied_total 1"));
    assert!(stage.shows("larkfire_alerts_total{outcome=\"known\"} 2"), "the default was told the first time");
}
