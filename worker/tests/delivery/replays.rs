//! Dead letters that are sent again beside what comes anew.

use feishu_sim::{Fault, Lasting};
use model::alert::Status;
use queue::{DeadLetterId, Headers, Replay, Settlement};
use testkit::wait_until::wait_until;

use crate::harness::{EAGER, Harness, TOKEN, WITHIN, envelope, line};

#[tokio::test]
async fn a_forced_replay_takes_the_place_of_nothing_that_waits_with_it() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &Fault::TooManyRequests { reset_seconds: Some(2) }, Lasting::Times(1)).unwrap();
    let first = harness.deliver(&envelope("default", 9));
    wait_until(WITHIN, "the throttling", async || {
        (harness.sim.totals().faulted > 0).then_some(()).ok_or("not sent yet")
    })
    .await;
    let fired = envelope("default", 1);
    let mut resolved = fired.clone();
    (resolved.id, resolved.alerts[0].status) = (fired.id.part(1), Status::Resolved);
    let over = harness.deliver(&resolved);
    let replay = Replay { letter: DeadLetterId(7), forced: true };
    let again = harness.queue.deliver(line(&fired), Headers { replay: Some(replay), ..Headers::default() });
    for tag in [first, over, again] {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(harness.sim.totals().accepted, 1, "all of it waited for one card");
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 3"), "the resolution as well");
    assert!(harness.shows("larkfire_alerts_total{outcome=\"duplicate\"} 0"));
}
