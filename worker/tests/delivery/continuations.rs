//! What one card cannot list goes onto further ones, by setting.

use config::DeliveryConfig;
use feishu_sim::{Fault, Lasting};
use model::alert::Fingerprint;
use queue::{Headers, Settlement};

use crate::harness::{EAGER, Harness, TOKEN, envelope, title};

const ALERTS: usize = 1_500;

/// A message with so many alerts that have nothing in common by which they could be folded.
fn crowd() -> Vec<u8> {
    let mut crowd = envelope("default", 1);
    let pod = crowd.alerts[0].clone();
    let alert = |index: usize| {
        let name = format!("{:x}", 0x1234_5678_9abc_usize * (index + 7)).repeat(2);
        let mut alert = pod.clone();
        let labels = [("alertname".into(), "Crash".into()), ("pod".into(), name.clone().into())];
        alert.labels = labels.into_iter().collect();
        alert.fingerprint = Fingerprint::of_pairs([("pod", name.as_str())]).into_owned();
        alert
    };
    crowd.alerts = (0..ALERTS).map(alert).collect();
    model::envelope::encode(&crowd).unwrap().iter().flat_map(|line| line.bytes.to_vec()).collect()
}

/// A worker to which all of them have been delivered once it was away for a moment, so that they go onto one card.
async fn delivered(continuation_cards: usize, faults: &[Fault]) -> Harness {
    let mut harness = Harness::set(DeliveryConfig { continuation_cards, ..EAGER }).await;
    harness.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::Times(1)).unwrap();
    for fault in faults {
        harness.sim.fault(TOKEN, fault, Lasting::Times(1)).unwrap();
    }
    let tag = harness.queue.deliver(crowd(), Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    harness
}

fn assert_outcomes(harness: &Harness, delivered: usize) {
    for (outcome, alerts) in [("delivered", delivered), ("summarised", ALERTS - delivered)] {
        let line = format!("larkfire_alerts_total{{outcome=\"{outcome}\"}} {alerts}");
        assert!(harness.shows(&line), "{line}");
    }
}

/// How many the cards say that they list, and their titles.
fn cards(harness: &Harness) -> (usize, Vec<String>) {
    let accepted = harness.sim.accepted();
    let listed = accepted.iter().map(|record| {
        let card = record.message().unwrap().to_string();
        let Some((before, _)) = card.split_once(" listed; the other ") else {
            assert!(card.contains("Everything is listed."), "{card}");
            let title = title(record);
            let words = title.rsplit("] ").next().unwrap_or_default();
            let count = words.split(' ').find_map(|word| word.trim_start_matches('×').parse().ok());
            return count.unwrap_or(0_usize);
        };
        before.rsplit('"').next().unwrap().split(' ').next().unwrap().parse().unwrap()
    });
    (listed.sum(), accepted.iter().map(title).collect())
}

#[tokio::test]
async fn what_one_card_cannot_list_is_listed_on_further_ones() {
    let harness = delivered(3, &[]).await;
    let (listed, titles) = cards(&harness);
    assert_eq!(listed, ALERTS, "{titles:?}");
    assert!((3..=4).contains(&titles.len()), "{titles:?}");
    assert!(!titles[0].contains("PART") && titles[1].starts_with("[PART 2 · "), "{titles:?}");
    assert_outcomes(&harness, ALERTS);
    let first = harness.sim.accepted()[0].message().unwrap().to_string();
    assert!(first.contains(" on the next card, or else: larkfire cards show "), "{first}");
}

#[tokio::test]
async fn there_are_only_as_many_further_cards_as_are_set_and_the_rest_is_summarised() {
    let harness = delivered(1, &[]).await;
    let (listed, titles) = cards(&harness);
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!((600..ALERTS).contains(&listed), "{listed}");
    assert_outcomes(&harness, listed);
    let last = harness.sim.accepted()[1].message().unwrap().to_string();
    assert!(last.contains("; the other ") && !last.contains("on the next card"), "{last}");
}

#[tokio::test]
async fn a_further_card_that_is_not_taken_is_not_tried_again_and_its_alerts_are_summarised() {
    let faults = [Fault::SlowAnswer { after_ms: 1 }, Fault::ServerError { status: 503 }];
    let mut harness = delivered(3, &faults).await;
    let (listed, titles) = cards(&harness);
    assert_eq!(titles.len(), 1, "{titles:?}");
    assert_outcomes(&harness, listed);
    let tag = harness.deliver(&envelope("default", 2));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(harness.sim.accepted().len(), 2, "what is new is delivered as ever");
}

#[tokio::test]
async fn a_later_card_of_a_storm_says_what_is_new_since_the_one_before() {
    let mut harness = delivered(0, &[]).await;
    let mut more = envelope("default", 2);
    more.alerts.extend(envelope("default", 3).alerts);
    let tag = harness.deliver(&more);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let cards = harness.sim.accepted();
    let first = cards[0].message().unwrap().to_string();
    assert!(!first.contains(" since "), "{first}");
    let second = cards[1].message().unwrap().to_string();
    let (_, news) = second.split_once("+2 since ").unwrap();
    assert!(news.contains(" · 1502 alerts and 0 ends on 2 cards since "), "{second}");
}
