//! From before a card is sent until it is forgotten.

use std::time::Duration;

use super::harness::{Harness, acknowledged, envelope};
use super::with_each;
use config::CardFormat;
use worker::card_store::{ALERTS_MAX, CARDS_PER_ALERT_MAX, CardId};
use worker::render::Item;

with_each! {
    a_card_is_found_by_its_alerts_from_before_it_is_sent
    what_was_a_reminder_stays_one_on_its_card
    writing_it_down_again_changes_nothing
    the_newest_cards_of_an_alert_are_found_first_and_the_oldest_not_at_all
    what_was_never_sent_is_delivered_anew_once_feishu_would_show_it_twice
    after_fourteen_days_a_card_is_a_thing_of_the_past
    what_is_over_is_kept_for_a_day
    a_storm_is_not_kept
}

async fn a_card_is_found_by_its_alerts_from_before_it_is_sent(harness: Harness) {
    let delivered = envelope(1, &["f1", "f2"]);
    let card = harness.begun(&delivered).await;
    let found = harness.cards.whereabouts("ops", &["f1", "f2", "f3"]).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found["f1"][0].envelope, found["f1"][0].is_sent), (delivered.id, false));
    assert!(harness.cards.whereabouts("dev", &["f1"]).await.unwrap().is_empty());
    harness.cards.sent(&card, &worker::feishu::MessageId::new("om_1"), CardFormat::V2).await.unwrap();
    assert!(harness.cards.whereabouts("ops", &["f1"]).await.unwrap()["f1"][0].is_sent);
    let kept = harness.load(&card).await;
    assert_eq!((kept.receiver.as_str(), kept.envelopes.as_slice()), ("ops", &[delivered][..]));
    assert_eq!(kept.message, Some(worker::feishu::MessageId::new("om_1")));
    assert_eq!(kept.format, CardFormat::V2, "it is what it was sent in, not what it was begun in");
}

async fn what_was_a_reminder_stays_one_on_its_card(harness: Harness) {
    let delivered = envelope(1, &["f1", "f2"]);
    let items: Vec<_> = Item::all_of(&delivered)
        .into_iter()
        .map(|item| Item { reminder: item.alert.fingerprint.as_str() == "f2", ..item })
        .collect();
    let card = CardId::of("ops", &items, "");
    assert!(harness.cards.begin(&card, "ops", &[&delivered], &items, CardFormat::V1).await);
    harness.cards.mark(&[("ops", "f2")], &acknowledged("Ann")).await.unwrap();
    let kept = harness.load(&card).await;
    assert_eq!(kept.items().iter().map(|item| item.reminder).collect::<Vec<_>>(), [false, true]);
}

async fn writing_it_down_again_changes_nothing(harness: Harness) {
    let delivered = envelope(1, &["f1"]);
    let card = harness.sent(&delivered, "om_1").await;
    harness.cards.mark(&[("ops", "f1")], &acknowledged("Ann")).await.unwrap();
    assert_eq!(harness.begun(&delivered).await, card);
    let kept = harness.load(&card).await;
    assert_eq!((kept.version, kept.message.is_some()), (1, true));
}

async fn the_newest_cards_of_an_alert_are_found_first_and_the_oldest_not_at_all(harness: Harness) {
    let mut cards = Vec::new();
    for index in 0..=CARDS_PER_ALERT_MAX {
        cards.push(harness.sent(&envelope(index, &["f1"]), &format!("om_{index}")).await);
        harness.pass(Duration::from_secs(1));
    }
    cards.remove(0);
    cards.reverse();
    assert_eq!(harness.cards_with("f1").await, cards);
}

async fn what_was_never_sent_is_delivered_anew_once_feishu_would_show_it_twice(harness: Harness) {
    let unsent = harness.begun(&envelope(1, &["f1"])).await;
    let sent = harness.sent(&envelope(2, &["f2"]), "om_1").await;
    assert_eq!(harness.cards_with("f1").await, [unsent]);
    harness.pass(Duration::from_mins(51));
    assert!(harness.cards_with("f1").await.is_empty());
    assert_eq!(harness.cards.clean().await.unwrap(), 1);
    assert_eq!(harness.cards_with("f2").await, [sent]);
}

async fn after_fourteen_days_a_card_is_a_thing_of_the_past(harness: Harness) {
    harness.sent(&envelope(1, &["f1"]), "om_1").await;
    harness.pass(Duration::from_hours(13 * 24));
    assert!(harness.cards.in_message("om_1").await.unwrap().is_some());
    assert_eq!(harness.cards.clean().await.unwrap(), 0);
    harness.pass(Duration::from_hours(24));
    assert!(harness.cards_with("f1").await.is_empty());
    assert!(harness.cards.in_message("om_1").await.unwrap().is_none());
    assert_eq!(harness.cards.clean().await.unwrap(), 1);
}

async fn what_is_over_is_kept_for_a_day(harness: Harness) {
    for index in 0..60 {
        let mut over = envelope(index, &["f1"]);
        over.alerts[0].status = model::alert::Status::Resolved;
        harness.sent(&over, &format!("om_{index}")).await;
    }
    let firing = harness.sent(&envelope(99, &["f2"]), "om_99").await;
    harness.pass(Duration::from_hours(23));
    assert_eq!(harness.cards.clean().await.unwrap(), 0);
    harness.pass(Duration::from_hours(2));
    assert_eq!(harness.cards.clean().await.unwrap(), 60);
    assert_eq!(harness.cards_with("f2").await, [firing]);
}

async fn a_storm_is_not_kept(harness: Harness) {
    let many: Vec<_> = (0..=ALERTS_MAX).map(|index| format!("f{index}")).collect();
    let delivered = envelope(1, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let items = Item::all_of(&delivered);
    let card = CardId::of("ops", &items, "");
    assert!(!harness.cards.begin(&card, "ops", &[&delivered], &items, CardFormat::V1).await);
    assert!(harness.cards.load(&card).await.unwrap().is_none());
    let most = envelope(1, &many[1..].iter().map(String::as_str).collect::<Vec<_>>());
    let card = harness.begun(&most).await;
    assert_eq!(harness.load(&card).await.items().len(), ALERTS_MAX);
}
