//! What another worker has told meanwhile is not told over it.

use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use shared::alert::Status;
use shared::config::ReceiverConfig;
use shared::envelope::EnvelopeId;
use shared::queue::Settlement;
use testkit::wait_until::wait_until;
use worker::ledger::Event;

use crate::stage::{EAGER, OTHER_TOKEN, Stage, WITHIN, envelope, receiver};

#[tokio::test]
async fn a_card_that_was_repaired_and_waited_is_not_sent_over_the_resolution_another_worker_told() {
    let sim = FeishuSim::start(SimSettings::new([BotSettings::new(OTHER_TOKEN).no_limits()])).await.unwrap();
    // The second card of a second has to wait for the next.
    let slow = ReceiverConfig { cards_per_second: 1, ..receiver(&sim, "default", OTHER_TOKEN, None) };
    let mut stage = Stage::with(sim, vec![slow], EAGER);
    let refusal = Fault::Refusal { code: 11246, msg: "parse card json err".to_owned() };
    stage.sim.fault(OTHER_TOKEN, &refusal, Lasting::Times(1)).unwrap();
    let fired = envelope("default", 1);
    let tag = stage.deliver(&fired);
    wait_until(WITHIN, "the refusal", async || {
        (stage.sim.totals().faulted > 0).then_some(()).ok_or("not sent yet")
    })
    .await;

    let resolved = Event {
        receiver: "default",
        fingerprint: fired.alerts[0].fingerprint.as_str(),
        status: Status::Resolved,
        starts_at: fired.alerts[0].starts_at,
        received_at: fired.received_at,
        envelope: EnvelopeId::new(fired.received_at, [200; 10]),
        forced: false,
    };
    let elsewhere = stage.elsewhere();
    elsewhere.observe(&[resolved]).await;
    elsewhere.told(&[resolved]).await;

    assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    assert_eq!(stage.sim.totals().accepted, 0, "it fires no more, and people know");
    assert!(stage.shows("larkfire_alerts_total{outcome=\"stale\"} 1"));
}
