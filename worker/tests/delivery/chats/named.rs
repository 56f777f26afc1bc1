//! A payload of the custom format may name its chat.

use model::envelope::Source;

use super::harness::{CHAT, OTHER_CHAT, Tenant, firing};
use crate::harness::EAGER;

#[tokio::test]
async fn an_allowed_chat_gets_the_alert_and_for_any_other_it_stays_with_its_receiver() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    for (index, named) in [(1, OTHER_CHAT), (2, "oc_of_somebody_else")] {
        let mut envelope = firing(index, &[&format!("A{index}")]);
        envelope.source = Source::Custom;
        envelope.alerts[0].labels.insert_if_absent("chat_id".into(), named.into());
        hand.tell(&[&envelope]).await;
    }
    let chats: Vec<_> = tenant.sent().into_iter().map(|record| record.chat_id.unwrap()).collect();
    assert_eq!(chats, [OTHER_CHAT, CHAT]);
    assert!(hand.metric("larkfire_named_chats_total{outcome=\"followed\"} 1"));
    assert!(hand.metric("larkfire_named_chats_total{outcome=\"not_allowed\"} 1"));
}
