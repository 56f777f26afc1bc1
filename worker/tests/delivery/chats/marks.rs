//! What people do about alerts is shown on their cards, whichever process hears of it.

use jiff::SignedDuration;
use shared::clock::Clock;
use worker::card::{Acknowledged, Silenced};
use worker::cards::Mark;

use super::stage::{Tenant, firing, header, over};
use crate::stage::EAGER;

fn fingerprint(envelope: &shared::envelope::Envelope<'_>) -> String {
    envelope.alerts[0].fingerprint.to_string()
}

#[tokio::test]
async fn who_has_taken_an_alert_on_and_who_has_silenced_it_is_on_its_card_until_it_is_over() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    let told = firing(1, &["A"]);
    hand.tell(&[&told]).await;
    let (cards, sent) = (tenant.cards(), tenant.sent().remove(0));
    let now = Clock::system().now();
    let acknowledged = Mark::Acknowledged(Acknowledged { by: "Ann".to_owned(), at: now });
    let alert = fingerprint(&told);
    assert_eq!(cards.mark(&[("default", &alert)], &acknowledged).await.unwrap(), 1);
    let card = tenant.shows(&sent, "🙋 **Acknowledged by Ann").await;
    assert_eq!(header(&card), ("red", "[ACKNOWLEDGED · CRITICAL] A"));

    let silenced =
        Mark::Silenced(Silenced { by: "Bob".to_owned(), until: now + SignedDuration::from_hours(1) });
    let marked = cards.mark_message(sent.message_id.as_deref().unwrap(), &silenced).await.unwrap();
    assert_eq!(marked, [("default".to_owned(), alert)]);
    let card = tenant.shows(&sent, "🔕 **Silenced by Bob until").await;
    assert!(card.to_string().contains("Acknowledged by Ann"), "{card}");

    hand.tell(&[&over(2, &["A"])]).await;
    let card = tenant.now_shown(&sent);
    assert_eq!(header(&card), ("green", "[RESOLVED] A"));
    assert!(!card.to_string().contains("Silenced"), "{card}");
}
