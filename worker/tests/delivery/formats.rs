//! Cards of both formats at a custom bot: what Feishu takes, and what becomes of a card of 2.0 that it does not.

use config::{CardFormat, ReceiverConfig};
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, Record, SimSettings};
use model::envelope::Envelope;
use queue::Settlement;

use crate::harness::{Harness, TOKEN, envelope, receiver, title};

async fn harness(card_format: CardFormat) -> Harness {
    let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).no_limits()])).await.unwrap();
    let receiver = ReceiverConfig { card_format, ..receiver(&sim, "default", TOKEN, None) };
    Harness::worded(sim, receiver, Vec::new())
}

/// Tells it, and returns what was accepted.
async fn tell(harness: &mut Harness, envelope: &Envelope<'_>) -> Record {
    let tag = harness.deliver(envelope);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    harness.sim.accepted().pop().unwrap()
}

fn schema(record: &Record) -> Option<String> {
    let card = record.card()?;
    Some(card.get("schema").and_then(|schema| schema.as_str()).unwrap_or("1.0").to_owned())
}

fn refused(harness: &Harness, times: u32) {
    let msg = "create message content fail, ErrCode: 200861; ErrMsg: not support tag".to_owned();
    harness.sim.fault(TOKEN, &Fault::Refusal { code: 11246, msg }, Lasting::Times(times)).unwrap();
}

#[tokio::test]
async fn a_receiver_is_sent_the_format_it_is_set_to() {
    for format in CardFormat::ALL {
        let mut harness = harness(format).await;
        let delivered = tell(&mut harness, &envelope("default", 1)).await;
        assert_eq!(schema(&delivered).as_deref(), Some(format.as_str()));
        let card = delivered.card().unwrap().to_string();
        assert!(card.contains("Alert1") && card.contains("CRITICAL"), "{card}");
        assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 1"));
    }
}

#[tokio::test]
async fn a_card_of_2_0_that_is_refused_is_sent_in_1_0_and_as_a_text_only_then() {
    let mut harness = harness(CardFormat::V2).await;
    refused(&harness, 1);
    let delivered = tell(&mut harness, &envelope("default", 1)).await;
    assert_eq!(schema(&delivered).as_deref(), Some("1.0"));
    refused(&harness, 2);
    let delivered = tell(&mut harness, &envelope("default", 2)).await;
    assert_eq!(schema(&delivered), None);
    assert!(title(&delivered).contains("Alert2"));
    assert!(harness.shows("larkfire_card_repairs_total{kind=\"card\"} 3"));
}
