//! A card keeps its format all its life, whatever is configured meanwhile.

use config::CardFormat;
use feishu_sim::{Call, Fault, Lasting, Verdict};
use serde_json::Value;

use super::harness::{APP, Tenant, firing, header, over};
use crate::harness::EAGER;

fn schema(card: &Value) -> &str {
    card.get("schema").and_then(Value::as_str).unwrap_or("1.0")
}

#[tokio::test]
async fn a_card_that_is_in_the_chat_is_updated_in_the_format_it_was_sent_in() {
    for format in CardFormat::ALL {
        let mut tenant = Tenant::new(EAGER).await;
        tenant.card_format = format;
        let mut hand = tenant.hand();
        hand.tell(&[&firing(1, &["A", "B"])]).await;
        hand.stop().await;
        tenant.card_format = format.other();
        let mut hand = tenant.hand();
        hand.tell(&[&over(2, &["A", "B"])]).await;
        hand.tell(&[&firing(3, &["C"])]).await;
        let sent = tenant.sent();
        let shown = tenant.now_shown(&sent[0]);
        assert_eq!((schema(&shown), header(&shown).0), (format.as_str(), "green"));
        assert_eq!(
            schema(&sent[1].card().unwrap()),
            format.other().as_str(),
            "what is new goes by the setting"
        );
        assert_eq!((sent.len(), tenant.count(Call::Update, &Verdict::Updated)), (2, 1));
        hand.stop().await;
    }
}

#[tokio::test]
async fn a_card_of_2_0_that_was_sent_in_1_0_after_all_is_updated_in_1_0() {
    let mut tenant = Tenant::new(EAGER).await;
    tenant.card_format = CardFormat::V2;
    let msg = "Failed to create card content, ext=ErrCode: 200861; ErrMsg: not support tag".to_owned();
    let refusal = Fault::Refusal { code: 230_099, msg };
    tenant.sim.fault_call(APP, Call::Send, &refusal, Lasting::Times(1)).unwrap();
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent();
    assert_eq!(schema(&sent[0].card().unwrap()), "1.0");
    hand.tell(&[&over(2, &["A"])]).await;
    let shown = tenant.now_shown(&sent[0]);
    assert_eq!((schema(&shown), header(&shown).0), ("1.0", "green"));
    assert_eq!(tenant.sent().len(), 1);
}
