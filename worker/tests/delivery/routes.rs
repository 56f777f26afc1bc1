//! Alerts that go different ways, on those ways: delivered, parked, buried and sent again, each receiver by itself.

use feishu_sim::{Fault, Lasting, Record};
use model::envelope::{Envelope, decode};
use queue::{DeadLetterId, Headers, Message, MessageDestination, Reason, Replay, Settlement};
use testkit::wait_until::wait_until;

use crate::harness::{EAGER, Harness, OTHER_TOKEN, PARKING, TOKEN, WITHIN, envelope, line};

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
fn delivered(records: &[Record]) -> Vec<u8> {
    let text: String =
        records.iter().filter_map(Record::message).map(|message| message.to_string()).collect();
    (1..=3).filter(|index| text.contains(&format!("Alert{index}"))).collect()
}

fn receiver_of(message: &Message) -> String {
    decode(message.body.split(|byte| *byte == b'\n').next().unwrap()).unwrap().receiver.into_owned()
}

/// Hands the message out again after each pause, until it is not parked any more.
async fn delivered_in_the_end(harness: &mut Harness, mut message: Message) {
    wait_until(WITHIN, "what was parked is delivered", async || {
        let before = harness.queue.published().len();
        let tag = harness.queue.deliver(message.body.clone(), message.headers.clone());
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
        let Some(again) = harness.queue.published().get(before).cloned() else { return Ok(()) };
        message = again;
        Err("parked again")
    })
    .await;
}

#[tokio::test]
async fn alerts_of_one_envelope_are_delivered_where_their_routes_lead_and_copies_are_counted() {
    let mut harness = Harness::routed(BOTH, EAGER).await;
    let tag = harness.deliver(&group());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(delivered(&harness.sim.records(TOKEN)), [1, 3]);
    assert_eq!(delivered(&harness.sim.records(OTHER_TOKEN)), [1, 2]);
    // Three came, four were delivered.
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 4"));
    assert!(harness.shows("larkfire_alerts_copied_total 1"));

    let tag = harness.deliver(&group());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert!(harness.shows("larkfire_alerts_redelivered_total 3"), "the same message again is no news");
    assert!(harness.shows("larkfire_alerts_copied_total 1"));
    assert_eq!(harness.sim.totals().accepted, 2);
}

#[tokio::test]
async fn a_receiver_named_by_the_sender_is_taken_at_its_word() {
    let mut harness = Harness::routed("[{ receiver: other }]", EAGER).await;
    let tag = harness.deliver(&envelope("default", 1));
    harness.fate(tag).await;
    assert_eq!((harness.sim.records(TOKEN).len(), harness.sim.records(OTHER_TOKEN).len()), (1, 0));
}

#[tokio::test]
async fn parts_of_one_envelope_that_were_parked_come_back_each_to_its_own_receiver() {
    let mut harness = Harness::routed(BOTH, PARKING).await;
    for token in [TOKEN, OTHER_TOKEN] {
        harness.sim.fault(token, &Fault::ServerError { status: 503 }, Lasting::Times(3)).unwrap();
    }
    let tag = harness.deliver(&group());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let parked = harness.queue.published();
    let mut receivers: Vec<_> = parked.iter().map(receiver_of).collect();
    receivers.sort_unstable();
    assert_eq!(receivers, ["default", "other"]);
    assert!(parked.iter().all(|message| matches!(message.to, MessageDestination::Deferred { .. })));
    assert_eq!(harness.sim.totals().accepted, 0);

    // One after the other: the second is not taken for a repetition of the first.
    harness.sim.clear();
    for message in parked {
        delivered_in_the_end(&mut harness, message).await;
    }
    assert_eq!(delivered(&harness.sim.records(TOKEN)), [1, 3]);
    assert_eq!(delivered(&harness.sim.records(OTHER_TOKEN)), [1, 2]);
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 4"));
    assert!(harness.shows("larkfire_alerts_copied_total 1"));
}

#[tokio::test]
async fn what_was_parked_for_a_receiver_that_is_gone_goes_by_the_routes_again() {
    let mut harness = Harness::routed(BOTH, EAGER).await;
    let tag = harness.deliver(&envelope("gone-since", 2));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(delivered(&harness.sim.records(OTHER_TOKEN)), [2]);
}

#[tokio::test]
async fn what_died_for_one_receiver_is_replayed_to_that_one_only() {
    let mut harness = Harness::routed(BOTH, EAGER).await;
    let refusal = Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() };
    harness.sim.fault(OTHER_TOKEN, &refusal, Lasting::Times(1)).unwrap();
    let tag = harness.deliver(&envelope("of-alertmanager", 1));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let [dead] = &harness.queue.published()[..] else { panic!("not one dead letter") };
    let failure = dead.headers.failure.as_ref().unwrap();
    assert_eq!((failure.reason, failure.receiver.as_str()), (Reason::Refused, "other"));
    assert_eq!(receiver_of(dead), "other");
    assert_eq!(delivered(&harness.sim.records(TOKEN)), [1]);

    let letter = dead.body.split_inclusive(|byte| *byte == b'\n').next().unwrap().to_vec();
    let replay = Some(Replay { letter: DeadLetterId(1), forced: true });
    let tag = harness.queue.deliver(letter, Headers { replay, ..Headers::default() });
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(harness.sim.records(OTHER_TOKEN).len(), 2, "the refused one and the replay");
    assert_eq!(harness.sim.records(TOKEN).len(), 1, "even forced, it goes to nobody else");
}

#[tokio::test]
async fn what_is_for_nobody_is_buried_and_the_rest_of_its_envelope_delivered() {
    let mut harness =
        Harness::routed_to(["ops", "shop"], "[{ match: alertname=\"Alert1\", receiver: ops }]", EAGER).await;
    let tag = harness.deliver(&group());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let [dead] = &harness.queue.published()[..] else { panic!("not one dead letter") };
    assert_eq!(dead.headers.failure.as_ref().unwrap().reason, Reason::NoReceiver);
    assert_eq!(decode(dead.body.trim_ascii_end()).unwrap().alerts.len(), 2);
    assert_eq!(delivered(&harness.sim.records(TOKEN)), [1]);
    for line in [
        "larkfire_alerts_total{outcome=\"delivered\"} 1",
        "larkfire_alerts_total{outcome=\"dead_lettered\"} 2",
    ] {
        assert!(harness.shows(line), "{line}");
    }
    assert!(harness.shows("larkfire_alerts_copied_total 0"));
}

#[tokio::test]
async fn a_parted_message_that_was_not_settled_comes_again_and_is_counted_once() {
    let mut harness = Harness::routed(BOTH, EAGER).await;
    let refusal = Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() };
    // The card of two alerts, and each of them alone.
    harness.sim.fault(OTHER_TOKEN, &refusal, Lasting::Times(3)).unwrap();
    harness.queue.set_down(true);
    let tag = harness.deliver(&group());
    assert_eq!(harness.fate(tag).await, Settlement::GivenBack { tag });
    assert!(
        harness.shows("larkfire_alerts_copied_total 0"),
        "a message given back counts when it comes again"
    );

    harness.queue.set_down(false);
    let tag = harness.queue.deliver(line(&group()), Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(delivered(&harness.sim.records(TOKEN)), [1, 3]);
    for line in [
        "larkfire_alerts_copied_total 1",
        "larkfire_alerts_total{outcome=\"delivered\"} 4",
        "larkfire_alerts_total{outcome=\"duplicate\"} 0",
        "larkfire_alerts_redelivered_total 2",
    ] {
        assert!(harness.shows(line), "{line}: the default got it the first time, and counted then");
    }
}
