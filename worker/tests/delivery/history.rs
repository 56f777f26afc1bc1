//! Every outcome leaves its row of history: found by the alert's name, with what delivered it or why nothing did.

use std::collections::BTreeMap;

use feishu_sim::{Fault, Lasting};
use jiff::SignedDuration;
use model::alert::Status;
use model::envelope::Envelope;
use queue::{Headers, Settlement};
use worker::history::HistoryEntry;

use crate::harness::{EAGER, Harness, OTHER_TOKEN, PARKING, TOKEN, envelope, line};

/// The same once more, in an envelope of its own.
fn again(before: &Envelope<'static>, part: u32) -> Envelope<'static> {
    Envelope { id: before.id.part(part), ..before.clone() }
}

/// What became of the alerts of this name, the newest first.
fn of<'e>(entries: &'e [HistoryEntry], name: &str) -> Vec<(&'static str, &'e HistoryEntry)> {
    let named = entries.iter().filter(|entry| entry.name == name);
    named.map(|entry| (entry.outcome.as_str(), entry)).collect()
}

async fn settle(harness: &mut Harness, envelope: &Envelope<'_>) {
    let tag = harness.deliver(envelope);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
}

#[tokio::test]
async fn what_was_delivered_and_what_was_known_by_that_is_written_down() {
    let mut harness = Harness::set(EAGER).await;
    // The sender's name for a receiver is not ours.
    let first = envelope("team-a", 1);
    settle(&mut harness, &first).await;
    for part in 1..=3 {
        settle(&mut harness, &again(&first, part)).await;
    }
    let mut over = again(&first, 4);
    over.alerts[0].status = Status::Resolved;
    over.received_at += SignedDuration::from_mins(5);
    settle(&mut harness, &over).await;
    // It fired before it was over, and comes late.
    settle(&mut harness, &again(&first, 5)).await;
    let card_count = harness.sim.totals().accepted;
    let entries = harness.history().await;
    let found = of(&entries, "Alert1");
    let outcomes: BTreeMap<_, _> = found.iter().map(|(outcome, entry)| (*outcome, *entry)).collect();
    assert_eq!(outcomes.keys().copied().collect::<Vec<_>>(), ["delivered", "duplicate", "superseded"]);
    assert_eq!((found.len(), card_count), (4, 2), "twice delivered: {found:#?}");
    assert!(entries.iter().all(|entry| entry.receiver == "default"), "{entries:#?}");
    let duplicate = outcomes["duplicate"];
    assert_eq!((duplicate.times, duplicate.envelope, duplicate.by), (3, first.id.part(3), Some(first.id)));
    assert_eq!(duplicate.labels["severity"], "critical");
    let superseded = outcomes["superseded"];
    assert_eq!((superseded.by, superseded.envelope), (Some(over.id), first.id.part(5)));
    assert_eq!(superseded.reason.as_deref(), Some("a newer state was delivered"));
    for (_, delivered) in found.iter().filter(|(outcome, _)| *outcome == "delivered") {
        assert_eq!((delivered.receiver.as_str(), delivered.bot.as_deref()), ("default", Some("default")));
        assert!(delivered.card.is_some());
    }
}

#[tokio::test]
async fn each_card_has_a_name_of_its_own() {
    let mut harness = Harness::set(EAGER).await;
    for index in 1..=3 {
        settle(&mut harness, &envelope("default", index)).await;
    }
    let entries = harness.history().await;
    let mut cards: Vec<_> = entries.iter().map(|entry| entry.card.clone()).collect();
    cards.sort_unstable();
    cards.dedup();
    assert_eq!(cards.len(), 3, "{entries:#?}");
}

#[tokio::test]
async fn what_is_on_a_card_in_a_newer_copy_says_by_which_envelope() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::Times(1)).unwrap();
    let older = envelope("default", 1);
    let mut newer = again(&older, 1);
    newer.received_at += SignedDuration::from_secs(1);
    newer.alerts[0].status = Status::Resolved;
    let body = [line(&older), line(&newer)].concat();
    let tag = harness.queue.deliver(body, Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let entries = harness.history().await;
    let outcomes: Vec<_> = of(&entries, "Alert1").into_iter().map(|(outcome, _)| outcome).collect();
    assert!(outcomes.contains(&"delivered") && outcomes.len() == 2, "{entries:#?}");
}

#[tokio::test]
async fn what_was_refused_for_good_says_why() {
    let mut harness = Harness::set(EAGER).await;
    let refusal = Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() };
    harness.sim.fault(TOKEN, &refusal, Lasting::Times(1)).unwrap();
    settle(&mut harness, &envelope("default", 1)).await;
    let entries = harness.history().await;
    let [("dead_lettered", dead)] = &of(&entries, "Alert1")[..] else { panic!("{entries:#?}") };
    assert_eq!((dead.code, dead.attempts), (Some(11248), 1));
    assert_eq!(dead.reason.as_deref(), Some("refused: sensitive content"));
}

#[tokio::test]
async fn what_is_put_aside_says_why_and_until_when() {
    let mut harness = Harness::set(PARKING).await;
    harness.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::UntilCleared).unwrap();
    settle(&mut harness, &envelope("default", 1)).await;
    settle(&mut harness, &envelope("other", 2)).await;
    assert_eq!(harness.sim.records(OTHER_TOKEN).len(), 1);
    let entries = harness.history().await;
    let [("deferred", deferred)] = &of(&entries, "Alert1")[..] else { panic!("{entries:#?}") };
    assert!(deferred.until.is_some_and(|until| until > deferred.at), "{deferred:?}");
    assert!(deferred.reason.as_ref().is_some_and(|reason| reason.contains("503")), "{deferred:?}");
    assert_eq!(of(&entries, "Alert2")[0].0, "delivered");
}

#[tokio::test]
async fn what_a_card_only_counts_is_found_by_its_name_and_the_card() {
    let mut harness = Harness::set(EAGER).await;
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
    let entries = harness.history().await;
    let found = of(&entries, "Crash");
    let summarised = found.iter().filter(|(outcome, _)| *outcome == "summarised").count();
    assert_eq!(found.len(), 2_000);
    assert!((100..1_700).contains(&summarised), "{summarised}");
}
