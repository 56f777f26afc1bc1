//! What changes on cards, who is told of it, and who may update the message.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use model::envelope::EnvelopeId;

use super::harness::{Harness, acknowledged, envelope};
use super::with_each;
use worker::card_store::{CardChange, CardId, Mark};

const LEASE: Duration = Duration::from_secs(20);

with_each! {
    a_mark_is_on_every_card_of_the_alert_and_on_no_other
    a_card_is_over_when_all_of_its_alerts_are
    changes_made_at_the_same_time_are_all_kept
    one_at_a_time_may_update_a_message_and_not_more_than_four_times_a_second
    what_was_changed_while_a_message_was_updated_stays_due
    a_lease_ends_with_its_time_and_its_late_holder_changes_nothing
}

fn over() -> CardChange<'static> {
    CardChange::Resolved { at: Timestamp::UNIX_EPOCH, by: EnvelopeId::new(Timestamp::UNIX_EPOCH, [1; 10]) }
}

/// The version of the card after these alerts are over; `None` if there is no such card.
async fn changed(harness: &Harness, card: &CardId, fingerprints: &[&str]) -> Option<i64> {
    let changes: Vec<_> = fingerprints.iter().map(|fingerprint| (*fingerprint, over())).collect();
    harness.cards.change(card, &changes).await.unwrap().map(|kept| kept.version)
}

async fn a_mark_is_on_every_card_of_the_alert_and_on_no_other(harness: Harness) {
    let first = harness.sent(&envelope(1, &["f1", "f2"]), "om_1").await;
    let reminder = harness.sent(&envelope(2, &["f1"]), "om_2").await;
    let other = harness.sent(&envelope(3, &["f3"]), "om_3").await;
    let mark = acknowledged("Ann");
    assert_eq!(harness.cards.mark(&[("ops", "f1"), ("dev", "f3")], &mark).await.unwrap(), 2);
    assert_eq!(harness.cards.mark(&[("ops", "f1")], &mark).await.unwrap(), 0, "it is marked already");
    for (card, taken_on) in [(first, vec!["f1"]), (reminder, vec!["f1"]), (other, vec![])] {
        let kept = harness.load(&card).await;
        let items = kept.items();
        let shown =
            items.iter().filter(|item| item.attention.is_some_and(|seen| seen.acknowledged.is_some()));
        assert_eq!(shown.map(|item| item.alert.fingerprint.as_str()).collect::<Vec<_>>(), taken_on);
    }
    let due = harness.cards.due(10).await.unwrap();
    assert_eq!(due.len(), 2);
    harness.cards.mark(&[("ops", "f1")], &Mark::Unacknowledged).await.unwrap();
    assert_eq!(harness.cards.due(1).await.unwrap().len(), 1, "no more than asked for");
}

async fn a_card_is_over_when_all_of_its_alerts_are(harness: Harness) {
    let card = harness.sent(&envelope(1, &["f1", "f2"]), "om_1").await;
    assert_eq!(changed(&harness, &card, &["f1"]).await, Some(1));
    assert!(!harness.load(&card).await.is_over());
    assert_eq!(changed(&harness, &card, &["f1", "f2"]).await, Some(2));
    assert!(harness.load(&card).await.is_over());
    assert_eq!(changed(&harness, &card, &["f1"]).await, Some(2));
    harness.cards.forget(&card).await.unwrap();
    assert_eq!(changed(&harness, &card, &["f1"]).await, None);
}

async fn changes_made_at_the_same_time_are_all_kept(harness: Harness) {
    let names: Vec<_> = (0..8).map(|index| format!("f{index}")).collect();
    let fingerprints: Vec<_> = names.iter().map(String::as_str).collect();
    let card = harness.sent(&envelope(1, &fingerprints), "om_1").await;
    let changes = fingerprints.iter().map(|fingerprint| {
        let card = &card;
        let cards = &harness.cards;
        async move { cards.change(card, &[(fingerprint, over())]).await.unwrap().is_some() }
    });
    assert!(join_all(changes).await.into_iter().all(|changed| changed));
    let kept = harness.load(&card).await;
    assert!(kept.is_over());
    assert_eq!(kept.version, 8);
}

async fn one_at_a_time_may_update_a_message_and_not_more_than_four_times_a_second(harness: Harness) {
    let card = harness.sent(&envelope(1, &["f1"]), "om_1").await;
    let attempts = join_all((0..4).map(|_| harness.cards.take(&card, LEASE))).await;
    let mut taken: Vec<_> = attempts.into_iter().filter_map(|taken| taken.unwrap()).collect();
    let lease = taken.pop().unwrap();
    assert!(taken.is_empty(), "several have the lease");
    harness.cards.shown(&card, lease, 0, false).await.unwrap();
    assert!(harness.cards.take(&card, LEASE).await.unwrap().is_none(), "at once");
    harness.pass(Duration::from_millis(250));
    assert!(harness.cards.take(&card, LEASE).await.unwrap().is_some(), "a quarter of a second later");
}

async fn what_was_changed_while_a_message_was_updated_stays_due(harness: Harness) {
    let card = harness.sent(&envelope(1, &["f1", "f2"]), "om_1").await;
    harness.cards.change(&card, &[("f1", over())]).await.unwrap();
    let lease = harness.cards.take(&card, LEASE).await.unwrap().unwrap();
    harness.cards.change(&card, &[("f2", over())]).await.unwrap();
    harness.cards.shown(&card, lease, 1, false).await.unwrap();
    harness.pass(Duration::from_secs(1));
    assert_eq!(harness.cards.due(10).await.unwrap(), std::slice::from_ref(&card));
    let lease = harness.cards.take(&card, LEASE).await.unwrap().unwrap();
    harness.cards.shown(&card, lease, 2, true).await.unwrap();
    harness.pass(Duration::from_secs(1));
    assert_eq!(harness.cards.due(10).await.unwrap(), []);
    assert!(harness.load(&card).await.is_end_delivered);
}

async fn a_lease_ends_with_its_time_and_its_late_holder_changes_nothing(harness: Harness) {
    let card = harness.sent(&envelope(1, &["f1"]), "om_1").await;
    harness.cards.change(&card, &[("f1", over())]).await.unwrap();
    let late = harness.cards.take(&card, LEASE).await.unwrap().unwrap();
    harness.pass(LEASE);
    let lease = harness.cards.take(&card, LEASE).await.unwrap().unwrap();
    harness.cards.shown(&card, late, 1, true).await.unwrap();
    assert_eq!(harness.load(&card).await.shown, 0);
    harness.cards.put_off(&card, lease, Duration::from_secs(5)).await.unwrap();
    harness.pass(Duration::from_secs(4));
    assert_eq!(harness.cards.due(10).await.unwrap(), [], "before the pause is over");
    harness.pass(Duration::from_secs(1));
    assert_eq!(harness.cards.due(10).await.unwrap(), [card]);
}
