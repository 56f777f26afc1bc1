//! Several bots of one receiver: each is sent every card, and what one does not take holds up no other.

use config::{BotConfig, BotMode, ReceiverDestination, Secret};
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use model::envelope::decode;
use queue::{MessageDestination as To, Reason, Settlement};

use crate::harness::{EAGER, Harness, OTHER_TOKEN, TOKEN, envelope, receiver};

/// One receiver, `ops`, with two bots.
async fn harness() -> Harness {
    let bots = [TOKEN, OTHER_TOKEN].map(|token| BotSettings::new(token).no_limits());
    let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
    let mut ops = receiver(&sim, "ops", TOKEN, None);
    let bot = |token| BotConfig { webhook_url: Secret::new(sim.webhook_url(token)), secret: None };
    ops.destination =
        ReceiverDestination::Bots { bots: vec![bot(TOKEN), bot(OTHER_TOKEN)], mode: BotMode::Copy };
    Harness::with(sim, vec![ops], EAGER)
}

#[tokio::test]
async fn each_bot_of_a_receiver_is_sent_every_card_and_each_once() {
    let mut harness = harness().await;
    for asked in ["ops", "nobody"] {
        let tag = harness.deliver(&envelope(asked, 1));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!((harness.sim.records(TOKEN).len(), harness.sim.records(OTHER_TOKEN).len()), (1, 1));
    for line in [
        "larkfire_alerts_total{outcome=\"delivered\"} 2",
        "larkfire_alerts_redelivered_total 2",
        "larkfire_alerts_copied_total 2",
    ] {
        assert!(harness.shows(line), "{line}");
    }
}

#[tokio::test]
async fn what_one_bot_refuses_dies_for_that_bot_only() {
    let mut harness = harness().await;
    let refusal = Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() };
    harness.sim.fault(OTHER_TOKEN, &refusal, Lasting::Times(1)).unwrap();
    let tag = harness.deliver(&envelope("ops", 1));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(harness.sim.totals().accepted, 1);
    let [dead] = &harness.queue.published()[..] else { panic!("not one dead letter") };
    let failure = dead.headers.failure.as_ref().unwrap();
    assert_eq!(
        (dead.to, failure.reason, failure.receiver.as_str()),
        (To::DeadLetters, Reason::Refused, "ops/2")
    );
    let line = dead.body.split(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(decode(line).unwrap().receiver, "ops/2", "replayed, it comes back to that bot");
}
