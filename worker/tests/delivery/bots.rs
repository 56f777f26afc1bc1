//! Several bots of one receiver: each is sent every card, and what one does not take holds up no other.

use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use shared::config::{BotConfig, BotMode, Destination, Secret};
use shared::envelope::decode;
use shared::queue::{Destination as To, Reason, Settlement};

use crate::stage::{EAGER, OTHER_TOKEN, Stage, TOKEN, envelope, receiver};

/// One receiver, `ops`, with two bots.
async fn stage() -> Stage {
    let bots = [TOKEN, OTHER_TOKEN].map(|token| BotSettings::new(token).no_limits());
    let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
    let mut ops = receiver(&sim, "ops", TOKEN, None);
    let bot = |token| BotConfig { webhook_url: Secret::new(sim.webhook_url(token)), secret: None };
    ops.destination = Destination::Bots { bots: vec![bot(TOKEN), bot(OTHER_TOKEN)], mode: BotMode::Copy };
    Stage::with(sim, vec![ops], EAGER)
}

#[tokio::test]
async fn each_bot_of_a_receiver_is_sent_every_card_and_each_once() {
    let mut stage = stage().await;
    for asked in ["ops", "nobody"] {
        let tag = stage.deliver(&envelope(asked, 1));
        assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!((stage.sim.records(TOKEN).len(), stage.sim.records(OTHER_TOKEN).len()), (1, 1));
    for line in [
        "larkfire_alerts_total{outcome=\"told\"} 2",
        "larkfire_alerts_total{outcome=\"known\"} 2",
        "larkfire_alerts_copied_total 2",
    ] {
        assert!(stage.shows(line), "{line}");
    }
}

#[tokio::test]
async fn what_one_bot_refuses_dies_for_that_bot_only() {
    let mut stage = stage().await;
    let refusal = Fault::Refusal { code: 11248, msg: "sensitive content".to_owned() };
    stage.sim.fault(OTHER_TOKEN, &refusal, Lasting::Times(1)).unwrap();
    let tag = stage.deliver(&envelope("ops", 1));
    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert_eq!(stage.sim.totals().accepted, 1);
    let [dead] = &stage.queue.published()[..] else { panic!("not one dead letter") };
    let failure = dead.headers.failure.as_ref().unwrap();
    assert_eq!((dead.to, failure.reason, failure.receiver.as_str()), (To::Dead, Reason::Refused, "ops/2"));
    let line = dead.body.split(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(decode(line).unwrap().receiver, "ops/2", "replayed, it comes back to that bot");
}
