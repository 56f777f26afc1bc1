//! The end of alerts goes onto their cards.

use config::ResolvedNews;
use feishu_sim::{Call, Fault, Lasting, Verdict};
use testkit::wait_until::wait_until;

use super::harness::{APP, Tenant, firing, header, over};
use crate::harness::{EAGER, PARKING, WITHIN};

#[tokio::test]
async fn an_alert_and_its_end_are_one_card_and_a_word_that_it_is_over() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    hand.tell(&[&over(2, &["DiskFull"])]).await;
    let sent = tenant.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(header(&sent[0].card().unwrap()), ("red", "[CRITICAL] DiskFull"));
    let card = tenant.now_shown(&sent[0]);
    assert_eq!(header(&card), ("green", "[RESOLVED] DiskFull"));
    assert!(card.to_string().contains("🟢 **Resolved"), "{card}");
    let replies = wait_until(WITHIN, "a reply", async || {
        let accepted = tenant.sim.accepted();
        let replies: Vec<_> =
            accepted.into_iter().filter(|record| record.call == Some(Call::Reply)).collect();
        if replies.is_empty() { Err("none") } else { Ok(replies) }
    })
    .await;
    assert_eq!(replies[0].parent_id, sent[0].message_id);
    assert_eq!(replies[0].message().unwrap()["content"], r#"{"text":"[RESOLVED] DiskFull"}"#);
    assert!(hand.metric("larkfire_alerts_total{outcome=\"delivered\"} 2"));
    assert!(hand.metric("larkfire_card_updates_total{outcome=\"shown\"} 1"));
}

#[tokio::test]
async fn many_ends_are_one_update_and_a_card_is_over_when_all_of_it_is() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A", "B"]), &firing(2, &["C", "D"])]).await;
    hand.tell(&[&over(3, &["A"]), &over(4, &["C"]), &over(5, &["D"])]).await;
    let sent = tenant.sent();
    let card = tenant.now_shown(&sent[0]);
    assert_eq!(header(&card), ("red", "[CRITICAL] B"));
    assert!(card.to_string().contains("1 firing, 3 resolved"), "{card}");
    assert_eq!((sent.len(), tenant.count(Call::Update, &Verdict::Updated)), (1, 1));
    assert_eq!(tenant.count(Call::Reply, &Verdict::Accepted), 0);
    hand.tell(&[&over(6, &["B"])]).await;
    assert_eq!(header(&tenant.now_shown(&sent[0])).0, "green");
    assert_eq!(tenant.sent().len(), 1);
}

#[tokio::test]
async fn how_people_learn_that_a_card_is_over_is_a_setting() {
    for (resolved, replies, messages) in [(ResolvedNews::Update, 0, 1), (ResolvedNews::New, 0, 2)] {
        let mut tenant = Tenant::new(EAGER).await;
        tenant.resolved = resolved;
        let mut hand = tenant.hand();
        hand.tell(&[&firing(1, &["A"])]).await;
        hand.tell(&[&over(2, &["A"])]).await;
        hand.stop().await;
        assert_eq!(tenant.count(Call::Update, &Verdict::Updated), 1);
        assert_eq!(tenant.count(Call::Reply, &Verdict::Accepted), replies, "{resolved:?}");
        assert_eq!(tenant.count(Call::Send, &Verdict::Accepted), messages, "{resolved:?}");
    }
}

#[tokio::test]
async fn the_end_of_what_was_on_a_recalled_card_is_delivered_on_a_new_one() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A", "B"])]).await;
    let first = tenant.sent().remove(0);
    assert!(tenant.sim.recall(first.message_id.as_deref().unwrap()));
    hand.tell(&[&over(2, &["A"])]).await;
    hand.tell(&[&over(3, &["B"])]).await;
    let titles: Vec<_> =
        tenant.sent().iter().map(|record| header(&record.card().unwrap()).1.to_owned()).collect();
    assert_eq!(titles, ["[CRITICAL] A, B", "[RESOLVED] A", "[RESOLVED] B"]);
    assert!(hand.metric("larkfire_card_updates_total{outcome=\"lost\"} 1"));
}

#[tokio::test]
async fn an_end_counts_as_delivered_only_once_feishu_has_taken_the_update() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    tenant.sim.fault_call(APP, Call::Update, &Fault::Reset, Lasting::UntilCleared).unwrap();
    let tag = hand.deliver(&[&over(2, &["A"])]);
    wait_until(WITHIN, "two attempts", async || {
        let attempts = tenant.count(Call::Update, &Verdict::Faulted);
        if attempts >= 2 { Ok(()) } else { Err(attempts) }
    })
    .await;
    assert!(!hand.is_settled(tag) && hand.metric("larkfire_alerts_total{outcome=\"delivered\"} 1"));
    // What is new is not held up by that.
    hand.tell(&[&firing(3, &["B"])]).await;
    tenant.sim.clear_call_faults(APP).unwrap();
    hand.fate(tag).await;
    assert_eq!(header(&tenant.now_shown(&tenant.sent()[0])).0, "green");
    assert_eq!(tenant.sent().len(), 2);
}

#[tokio::test]
async fn an_end_that_cannot_be_delivered_for_long_waits_parked() {
    let tenant = Tenant::new(PARKING).await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    tenant.sim.fault_call(APP, Call::Update, &Fault::Reset, Lasting::UntilCleared).unwrap();
    let end = over(2, &["A"]);
    hand.tell(&[&end]).await;
    assert!(hand.metric("larkfire_envelopes_deferred_total{receiver=\"default\"} 1"));
    tenant.sim.clear_call_faults(APP).unwrap();
    // It comes back from its pause.
    hand.tell(&[&end]).await;
    assert_eq!(header(&tenant.now_shown(&tenant.sent()[0])).0, "green");
}

#[tokio::test]
async fn what_fires_again_gets_a_new_card_and_its_end_goes_onto_that() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    let mut again = firing(3, &["A"]);
    again.alerts[0].starts_at = Some(again.received_at);
    let mut end = over(4, &["A"]);
    end.alerts[0].starts_at = again.alerts[0].starts_at;
    for envelope in [firing(1, &["A"]), over(2, &["A"]), again, end] {
        hand.tell(&[&envelope]).await;
    }
    let sent = tenant.sent();
    assert_eq!(sent.len(), 2);
    for record in &sent {
        assert_eq!(header(&record.card().unwrap()).0, "red");
        assert_eq!(header(&tenant.now_shown(record)).0, "green");
    }
    assert_eq!(tenant.count(Call::Update, &Verdict::Updated), 2);
}

#[tokio::test]
async fn the_end_of_a_storm_is_delivered_on_a_new_card() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    let names: Vec<_> = (0..600).map(|index| format!("A{index}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let storm: Vec<_> = names.chunks(60).zip(1..).map(|(names, index)| firing(index, names)).collect();
    hand.tell(&storm.iter().collect::<Vec<_>>()).await;
    assert!(hand.metric("larkfire_cards_unkept_total{reason=\"too_large\"} 1"));
    hand.tell(&[&over(100, &names[..60])]).await;
    let titles: Vec<_> =
        tenant.sent().iter().map(|record| header(&record.card().unwrap()).0.to_owned()).collect();
    assert_eq!(titles, ["red", "green"]);
}
