//! What people do about alerts is shown on their cards, whichever process hears of it.

use jiff::SignedDuration;
use runtime::clock::Clock;
use worker::card_store::Mark;
use worker::render::{Acknowledged, Silenced};

use super::harness::{Tenant, firing, header, over};
use crate::harness::EAGER;

fn fingerprint(envelope: &model::envelope::Envelope<'_>) -> String {
    envelope.alerts[0].fingerprint.to_string()
}

#[tokio::test]
async fn who_has_taken_an_alert_on_and_who_has_silenced_it_is_on_its_card_until_it_is_over() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    let envelope = firing(1, &["A"]);
    hand.tell(&[&envelope]).await;
    let cards = tenant.cards();
    let sent = tenant.sent().remove(0);
    let now = Clock::system().now();
    let acknowledged = Mark::Acknowledged(Acknowledged { by: "Ann".to_owned(), at: now });
    let alert = fingerprint(&envelope);
    assert_eq!(cards.mark(&[("default", &alert)], &acknowledged).await.unwrap(), 1);
    let card = tenant.shows(&sent, "🙋 **Acknowledged by Ann").await;
    assert_eq!(header(&card), ("red", "[ACKNOWLEDGED · CRITICAL] A"));

    let silenced =
        Mark::Silenced(Silenced { by: "Bob".to_owned(), until: now + SignedDuration::from_hours(1) });
    assert_eq!(cards.mark(&[("default", &alert)], &silenced).await.unwrap(), 1);
    let card = tenant.shows(&sent, "🔕 **Silenced by Bob until").await;
    assert!(card.to_string().contains("Acknowledged by Ann"), "{card}");
    tenant.page_shows(&card).await;

    hand.tell(&[&over(2, &["A"])]).await;
    let card = tenant.now_shown(&sent);
    assert_eq!(header(&card), ("green", "[RESOLVED] A"));
    assert!(!card.to_string().contains("Silenced"), "{card}");
}
