//! What another worker has delivered meanwhile is not delivered over it.

use config::ReceiverConfig;
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use model::alert::Status;
use model::envelope::EnvelopeId;
use queue::Settlement;
use testkit::wait_until::wait_until;
use worker::ledger::Event;

use crate::harness::{EAGER, Harness, OTHER_TOKEN, WITHIN, envelope, receiver};

#[tokio::test]
async fn a_card_that_was_repaired_and_waited_is_not_sent_over_the_resolution_another_worker_delivered() {
    let sim = FeishuSim::start(SimSettings::new([BotSettings::new(OTHER_TOKEN).no_limits()])).await.unwrap();
    // The second card of a second has to wait for the next.
    let slow = ReceiverConfig { cards_per_second: 1, ..receiver(&sim, "default", OTHER_TOKEN, None) };
    let mut harness = Harness::with(sim, vec![slow], EAGER);
    let refusal = Fault::Refusal { code: 11246, msg: "parse card json err".to_owned() };
    harness.sim.fault(OTHER_TOKEN, &refusal, Lasting::Times(1)).unwrap();
    let fired = envelope("default", 1);
    let tag = harness.deliver(&fired);
    wait_until(WITHIN, "the refusal", async || {
        (harness.sim.totals().faulted > 0).then_some(()).ok_or("not sent yet")
    })
    .await;

    let resolved = Event {
        receiver: "default",
        fingerprint: fired.alerts[0].fingerprint.as_str(),
        status: Status::Resolved,
        starts_at: fired.alerts[0].starts_at,
        ends_at: None,
        received_at: fired.received_at,
        is_repeat: false,
        envelope: EnvelopeId::new(fired.received_at, [200; 10]),
        forced: false,
    };
    let elsewhere = harness.elsewhere();
    elsewhere.observe(&[resolved]).await;
    elsewhere.delivered(&[resolved]).await;

    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(harness.sim.totals().accepted, 0, "it fires no more, and people know");
    assert!(harness.shows("larkfire_alerts_total{outcome=\"superseded\"} 1"));
}
