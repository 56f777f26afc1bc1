//! A card in words of one's own keeps them all its life.

use feishu_sim::{Call, Record};
use testkit::wait_until::wait_until;

use super::harness::{Tenant, firing, header, over};
use crate::harness::{EAGER, WITHIN};
use crate::templates::templates;

#[tokio::test]
async fn a_card_its_update_and_the_word_that_it_is_over_are_in_the_templates_words() {
    let mut tenant = Tenant::new(EAGER).await;
    tenant.templates = templates(
        "  ours: { title: '{{ status }}: {{ name }}', body: '**{{ name }}** since {{ starts_at }} {{ ends_at }}' }\n",
    );
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    hand.tell(&[&over(2, &["DiskFull"])]).await;
    let sent = tenant.sent();
    assert_eq!(header(&sent[0].card().unwrap()), ("red", "firing: DiskFull"));
    assert!(sent[0].card().unwrap().to_string().contains("**DiskFull** since 2023-11-14 22:13:20\""));
    let card = tenant.now_shown(&sent[0]);
    assert_eq!(header(&card), ("green", "resolved: DiskFull"));
    assert!(card.to_string().contains("🟢 **Resolved"), "{card}");
    assert!(card.to_string().contains("**DiskFull** since 2023-11-14 22:13:20 20"), "{card}");
    let reply = wait_until(WITHIN, "a reply", async || {
        let replies = |record: &Record| record.call == Some(Call::Reply);
        tenant.sim.accepted().into_iter().find(replies).ok_or("none")
    })
    .await;
    assert_eq!(reply.message().unwrap()["content"], r#"{"text":"resolved: DiskFull"}"#);
    assert!(hand.metric("larkfire_template_failures_total{part=\"body\",template=\"ours\"} 0"));
}
