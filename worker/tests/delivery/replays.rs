//! Dead letters that are sent again beside what comes anew.

use feishu_sim::{Fault, Lasting};
use shared::alert::Status;
use shared::queue::{Headers, LetterId, Replay, Settlement};
use testkit::wait_until::wait_until;

use crate::stage::{EAGER, Stage, TOKEN, WITHIN, envelope, line};

#[tokio::test]
async fn a_forced_replay_takes_the_place_of_nothing_that_waits_with_it() {
    let mut stage = Stage::set(EAGER).await;
    stage.sim.fault(TOKEN, &Fault::TooManyRequests { reset_seconds: Some(2) }, Lasting::Times(1)).unwrap();
    let first = stage.deliver(&envelope("default", 9));
    wait_until(WITHIN, "the throttling", async || {
        (stage.sim.totals().faulted > 0).then_some(()).ok_or("not sent yet")
    })
    .await;
    let fired = envelope("default", 1);
    let mut resolved = fired.clone();
    (resolved.id, resolved.alerts[0].status) = (fired.id.part(1), Status::Resolved);
    let over = stage.deliver(&resolved);
    let replay = Replay { letter: LetterId(7), forced: true };
    let again = stage.queue.deliver(line(&fired), Headers { replay: Some(replay), ..Headers::default() });
    for tag in [first, over, again] {
        assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(stage.sim.totals().accepted, 1, "all of it waited for one card");
    assert!(stage.shows("larkfire_alerts_total{outcome=\"told\"} 3"), "the resolution as well");
    assert!(stage.shows("larkfire_alerts_total{outcome=\"known\"} 0"));
}
