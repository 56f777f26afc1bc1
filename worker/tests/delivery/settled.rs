//! Messages are settled when all of their envelopes are, and not before.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use queue::{DeadLetterId, Headers, MessageDestination, Reason, Replay, Settlement};
use testkit::http;
use testkit::wait_until::wait_until;

use crate::harness::{EAGER, Harness, OTHER_TOKEN, PATIENT, TOKEN, WITHIN, envelope, line, title};

/// Whom the folds mention that have owners.
const OWNERS: [&str; 3] = ["all", "b0b", "ou_ann1"];

#[tokio::test]
async fn a_delivered_envelope_is_settled_and_counted() {
    let mut harness = Harness::set(EAGER).await;
    let tag = harness.deliver(&envelope("default", 1));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let delivered = harness.sim.records(TOKEN);
    assert_eq!(title(&delivered[0]), "[CRITICAL] Alert1 · <at id=all></at>");
    assert_eq!(delivered[0].mentioned, Vec::<String>::new(), "no text may mention anybody");
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 1"));
    assert!(harness.shows("larkfire_feishu_requests_total{receiver=\"default\",verdict=\"ok\"} 1"));
    assert!(harness.shows("larkfire_cards_delivered_total{receiver=\"default\"} 1"));
    wait_until(WITHIN, "nothing in flight", async || {
        harness.shows("larkfire_envelopes_in_flight 0").then_some(()).ok_or("in flight")
    })
    .await;
}

#[tokio::test]
async fn an_envelope_goes_to_the_receiver_it_names() {
    let mut harness = Harness::set(EAGER).await;
    let tags = [harness.deliver(&envelope("other", 1)), harness.deliver(&envelope("nobody", 2))];
    for tag in tags {
        harness.fate(tag).await;
    }
    assert_eq!(harness.sim.records(OTHER_TOKEN).len(), 1);
    assert_eq!(harness.sim.records(TOKEN).len(), 1);
}

#[tokio::test]
async fn what_waits_for_a_receiver_goes_onto_one_card() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::Times(1)).unwrap();
    let body: Vec<u8> = (1..=9).flat_map(|index| line(&envelope("default", index))).collect();
    let tags = [harness.queue.deliver(body, Headers::default()), harness.deliver(&envelope("default", 10))];
    for tag in tags {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let accepted = harness.sim.accepted();
    assert_eq!(accepted.len(), 1, "those that came while it failed travel with the others");
    let card = accepted[0].message().unwrap().to_string();
    for index in 1..=10 {
        assert!(card.contains(&format!("Alert{index}")), "Alert{index} is missing in {card}");
    }
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 10"));
}

#[tokio::test]
async fn what_a_card_only_counts_is_summarised_and_not_delivered() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::Times(1)).unwrap();
    let mut crowd = envelope("default", 1);
    let pod = crowd.alerts[0].clone();
    crowd.alerts = (0..2_000)
        .map(|index| {
            let name = format!("{:x}", 0x1234_5678_9abc_u64 * (index + 7)).repeat(2);
            let mut alert = pod.clone();
            alert.labels = [("alertname".into(), "Crash".into()), ("pod".into(), name.clone().into())]
                .into_iter()
                .collect();
            alert.fingerprint = model::alert::Fingerprint::of_pairs([("pod", name.as_str())]).into_owned();
            alert
        })
        .collect();
    let body: Vec<u8> =
        model::envelope::encode(&crowd).unwrap().iter().flat_map(|line| line.bytes.to_vec()).collect();
    let tag = harness.queue.deliver(body, Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let cards = harness.sim.accepted();
    assert_eq!(cards.len(), 1, "those that came while it failed travel with the others");
    let card = cards[0].message().unwrap().to_string();
    let (before, after) = card.split_once(" of 2000 listed; the other ").unwrap();
    let listed: u64 = before.rsplit('"').next().unwrap().parse().unwrap();
    assert!(after.contains("larkfire cards show "), "{after}");
    assert!((300..1_900).contains(&listed), "{listed}");
    for (outcome, alerts) in [("delivered", listed), ("summarised", 2_000 - listed)] {
        let line = format!("larkfire_alerts_total{{outcome=\"{outcome}\"}} {alerts}");
        assert!(harness.shows(&line), "{line}");
    }
}

#[tokio::test]
async fn without_the_database_envelopes_with_the_same_alert_wait_together_and_are_delivered_by_one_card() {
    let mut harness = Harness::without_database(EAGER).await;
    harness.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::Times(1)).unwrap();
    let first = envelope("default", 1);
    let mut twin = first.clone();
    twin.id = first.id.part(1);
    let tags = [harness.deliver(&first), harness.deliver(&twin)];
    for tag in tags {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let accepted = harness.sim.accepted();
    assert_eq!(accepted.len(), 1);
    assert_eq!(title(&accepted[0]), "[CRITICAL] Alert1 · <at id=all></at>", "one alert, not two");
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 1"));
    assert!(harness.shows("larkfire_alerts_total{outcome=\"duplicate\"} 1"));
}

#[tokio::test]
async fn a_line_nobody_can_read_is_buried_as_its_bytes_and_the_rest_is_delivered() {
    let mut harness = Harness::set(EAGER).await;
    let body = [line(&envelope("default", 1)), b"{\"v\":9}\n".to_vec(), b"\xff\xfe\n".to_vec()].concat();
    let tag = harness.queue.deliver(body, Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(harness.sim.totals().accepted, 1);
    let dead = harness.queue.published();
    assert!(dead.iter().all(|message| message.to == MessageDestination::DeadLetters));
    assert_eq!(
        dead.iter().map(|message| message.body.clone()).collect::<Vec<_>>(),
        [Bytes::from_static(b"{\"v\":9}"), Bytes::from_static(b"\xff\xfe"),]
    );
    let failure = dead[0].headers.failure.as_ref().unwrap();
    assert_eq!(failure.reason, Reason::Undecodable);
    assert!(failure.message.contains("wire version 9"), "{}", failure.message);
    assert!(harness.shows("larkfire_dead_letters_total{reason=\"undecodable\"} 2"));
}

#[tokio::test]
async fn an_empty_message_does_not_vanish() {
    let mut harness = Harness::set(EAGER).await;
    let tag = harness.queue.deliver(Bytes::new(), Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(harness.queue.published().len(), 1);
}

#[tokio::test]
async fn a_message_is_given_back_if_one_of_its_envelopes_cannot_be_settled() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &sensitive(), Lasting::Times(1)).unwrap();
    harness.queue.set_down(true);
    let body = [line(&envelope("default", 1)), line(&envelope("other", 2))].concat();
    let tag = harness.queue.deliver(body.clone(), Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::GivenBack { tag });
    assert_eq!(harness.sim.records(OTHER_TOKEN).len(), 1, "the other envelope is delivered all the same");

    // Delivered again, the rest of it is delivered: nothing is lost by having been half settled, and nothing twice.
    let again = harness.queue.deliver(body, Headers::default());
    assert_eq!(harness.fate(again).await, Settlement::Done { tag: again });
    assert_eq!(harness.sim.totals().accepted, 2);
    for line in ["larkfire_alerts_total{outcome=\"delivered\"} 2", "larkfire_alerts_redelivered_total 1"] {
        assert!(harness.shows(line), "{line}: each is counted once, as delivered");
    }
}

/// Something about the text, which no other form of it mends.
fn sensitive() -> Fault {
    Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() }
}

#[tokio::test]
async fn a_slow_receiver_does_not_hold_up_another() {
    let mut harness = Harness::set(PATIENT).await;
    harness.sim.fault(TOKEN, &Fault::NeverAnswer, Lasting::UntilCleared).unwrap();
    // Many more than it may hold of the window.
    for index in 1..=200 {
        harness.deliver(&envelope("default", index));
    }
    let tag = harness.deliver(&envelope("other", 201));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert!(harness.sim.totals().faulted <= 1, "nobody has waited for the first, which is not answered");
    let parked = harness.queue.published();
    assert!(!parked.is_empty() && parked.iter().all(|message| message.headers.attempt == 0));
}

#[tokio::test]
async fn while_the_queue_takes_nothing_the_receiver_is_not_hammered() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &sensitive(), Lasting::UntilCleared).unwrap();
    harness.queue.set_down(true);
    let began = Instant::now();
    let tag = harness.deliver(&envelope("default", 1));
    assert_eq!(harness.fate(tag).await, Settlement::GivenBack { tag });
    assert!(began.elapsed() >= Duration::from_secs(1), "it would come again after {:?}", began.elapsed());
}

#[tokio::test]
async fn every_golden_card_is_accepted_by_a_strict_bot_and_mentions_nobody() {
    let mut harness = Harness::set(EAGER).await;
    let mut delivered = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).unwrap() {
        let golden = std::fs::read(entry.unwrap().path()).unwrap();
        let golden: serde_json::Value = serde_json::from_slice(&golden).unwrap();
        // Several are about the same alert: each is to be shown all the same.
        let replay = Some(Replay { letter: DeadLetterId(delivered), forced: true });
        let headers = Headers { replay, ..Headers::default() };
        let tag = harness.queue.deliver(golden["envelope"].to_string(), headers);
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
        delivered += 1;
    }
    let accepted = harness.sim.accepted();
    assert_eq!(i64::try_from(accepted.len()), Ok(delivered));
    for record in accepted {
        assert!(record.card().is_some() && record.mentioned.is_empty(), "{record:?}");
        assert!(record.body_bytes <= worker::feishu::BODY_BYTES_MAX);
    }
}

/// Folds are cards of many envelopes, so their cards are sent as they are.
#[tokio::test]
async fn every_golden_fold_is_accepted_by_a_strict_bot_and_mentions_its_owners_only() {
    let bot = OWNERS.into_iter().fold(BotSettings::new(TOKEN), BotSettings::known_id).no_limits();
    let sim = FeishuSim::start(SimSettings::new([bot])).await.unwrap();
    let webhook = sim.webhook_url(TOKEN);
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden_folds")).unwrap() {
        let path = entry.unwrap().path();
        let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let messages = [
            serde_json::json!({ "msg_type": "interactive", "card": golden["card"] }),
            serde_json::json!({ "msg_type": "text", "content": { "text": golden["text"] } }),
        ];
        let name = path.file_name().unwrap().to_string_lossy();
        let is_owned = name.starts_with("owned") || name.starts_with("worded");
        for message in messages {
            sim.clear();
            let answer = http::post_json(&webhook, &message).await.unwrap().json();
            assert_eq!(answer["code"], 0, "{}: {answer}", path.display());
            let [record] = &sim.accepted()[..] else { panic!("not one message") };
            let mentioned: BTreeSet<&str> = record.mentioned.iter().map(String::as_str).collect();
            let expected = if is_owned { BTreeSet::from(OWNERS) } else { BTreeSet::new() };
            assert!(mentioned.is_subset(&expected), "{}: {mentioned:?}", path.display());
            // A text names some of them without calling them.
            assert_eq!(mentioned.contains("ou_ann1"), is_owned, "{}: {mentioned:?}", path.display());
            assert!(record.body_bytes <= worker::feishu::BODY_BYTES_MAX);
        }
    }
}
