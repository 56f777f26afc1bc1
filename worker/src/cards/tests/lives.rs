//! From before a card is sent until it is forgotten.

use std::time::Duration;

use super::stage::{Stage, acknowledged, envelope};
use super::with_both;
use crate::card::Item;
use crate::cards::{ALERTS_MAX, CARDS_PER_ALERT_MAX, CardId};

with_both! {
    a_card_is_found_by_its_alerts_from_before_it_is_sent
    what_was_a_reminder_stays_one_on_its_card
    writing_it_down_again_changes_nothing
    the_newest_cards_of_an_alert_are_found_first_and_the_oldest_not_at_all
    what_was_never_sent_is_told_anew_once_feishu_would_show_it_twice
    after_fourteen_days_a_card_is_a_thing_of_the_past
    what_is_over_is_kept_for_a_day
    a_storm_is_not_kept
}

async fn a_card_is_found_by_its_alerts_from_before_it_is_sent(stage: Stage) {
    let told = envelope(1, &["f1", "f2"]);
    let card = stage.begun(&told).await;
    let found = stage.cards.whereabouts("ops", &["f1", "f2", "f3"]).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found["f1"][0].envelope, found["f1"][0].is_sent), (told.id, false));
    assert!(stage.cards.whereabouts("dev", &["f1"]).await.unwrap().is_empty());
    stage.cards.sent(&card, &crate::feishu::MessageId::new("om_1")).await.unwrap();
    assert!(stage.cards.whereabouts("ops", &["f1"]).await.unwrap()["f1"][0].is_sent);
    let kept = stage.load(&card).await;
    assert_eq!((kept.receiver.as_str(), kept.envelopes.as_slice()), ("ops", &[told][..]));
    assert_eq!(kept.message, Some(crate::feishu::MessageId::new("om_1")));
}

async fn what_was_a_reminder_stays_one_on_its_card(stage: Stage) {
    let told = envelope(1, &["f1", "f2"]);
    let items: Vec<_> = Item::all_of(&told)
        .into_iter()
        .map(|item| Item { reminder: item.alert.fingerprint.as_str() == "f2", ..item })
        .collect();
    let card = CardId::of("ops", &items, "");
    assert!(stage.cards.begin(&card, "ops", (&[&told], &items)).await);
    stage.cards.mark(&[("ops", "f2")], &acknowledged("Ann")).await.unwrap();
    let kept = stage.load(&card).await;
    assert_eq!(kept.items().iter().map(|item| item.reminder).collect::<Vec<_>>(), [false, true]);
}

async fn writing_it_down_again_changes_nothing(stage: Stage) {
    let told = envelope(1, &["f1"]);
    let card = stage.sent(&told, "om_1").await;
    stage.cards.mark(&[("ops", "f1")], &acknowledged("Ann")).await.unwrap();
    assert_eq!(stage.begun(&told).await, card);
    let kept = stage.load(&card).await;
    assert_eq!((kept.version, kept.message.is_some()), (1, true));
}

async fn the_newest_cards_of_an_alert_are_found_first_and_the_oldest_not_at_all(stage: Stage) {
    let mut cards = Vec::new();
    for index in 0..=CARDS_PER_ALERT_MAX {
        cards.push(stage.sent(&envelope(index, &["f1"]), &format!("om_{index}")).await);
        stage.pass(Duration::from_secs(1));
    }
    cards.remove(0);
    cards.reverse();
    assert_eq!(stage.cards_with("f1").await, cards);
}

async fn what_was_never_sent_is_told_anew_once_feishu_would_show_it_twice(stage: Stage) {
    let unsent = stage.begun(&envelope(1, &["f1"])).await;
    let sent = stage.sent(&envelope(2, &["f2"]), "om_1").await;
    assert_eq!(stage.cards_with("f1").await, [unsent]);
    stage.pass(Duration::from_mins(51));
    assert!(stage.cards_with("f1").await.is_empty());
    assert_eq!(stage.cards.clean().await.unwrap(), 1);
    assert_eq!(stage.cards_with("f2").await, [sent]);
}

async fn after_fourteen_days_a_card_is_a_thing_of_the_past(stage: Stage) {
    stage.sent(&envelope(1, &["f1"]), "om_1").await;
    stage.pass(Duration::from_hours(13 * 24));
    assert_eq!(stage.cards.alerts_of("om_1").await.unwrap().len(), 1);
    assert_eq!(stage.cards.clean().await.unwrap(), 0);
    stage.pass(Duration::from_hours(24));
    assert!(stage.cards_with("f1").await.is_empty());
    assert!(stage.cards.alerts_of("om_1").await.unwrap().is_empty());
    assert_eq!(stage.cards.clean().await.unwrap(), 1);
}

async fn what_is_over_is_kept_for_a_day(stage: Stage) {
    for index in 0..60 {
        let mut over = envelope(index, &["f1"]);
        over.alerts[0].status = shared::alert::Status::Resolved;
        stage.sent(&over, &format!("om_{index}")).await;
    }
    let firing = stage.sent(&envelope(99, &["f2"]), "om_99").await;
    stage.pass(Duration::from_hours(23));
    assert_eq!(stage.cards.clean().await.unwrap(), 0);
    stage.pass(Duration::from_hours(2));
    assert_eq!(stage.cards.clean().await.unwrap(), 60);
    assert_eq!(stage.cards_with("f2").await, [firing]);
}

async fn a_storm_is_not_kept(stage: Stage) {
    let many: Vec<_> = (0..=ALERTS_MAX).map(|index| format!("f{index}")).collect();
    let told = envelope(1, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let items = Item::all_of(&told);
    let card = CardId::of("ops", &items, "");
    assert!(!stage.cards.begin(&card, "ops", (&[&told], &items)).await);
    assert!(stage.cards.load(&card).await.unwrap().is_none());
    let most = envelope(1, &many[1..].iter().map(String::as_str).collect::<Vec<_>>());
    let card = stage.begun(&most).await;
    assert_eq!(stage.load(&card).await.items().len(), ALERTS_MAX);
}
