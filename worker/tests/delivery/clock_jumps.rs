//! The machine's clock is set forwards and back by ten minutes: everything is told all the same, once, and soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use jiff::SignedDuration;
use shared::alert::Status;
use shared::clock::Clock;
use shared::config::DeliveryConfig;
use shared::envelope::Envelope;
use shared::queue::{Destination, Settlement};
use testkit::wait_until::wait_until;

use crate::stage::{EAGER, PARKING, SECRET, Stage, TOKEN, WITHIN, envelope, receiver};

/// Where the clock stands against the true time, in minutes, one jump after the other.
const JUMPS: [i64; 3] = [10, -10, 0];

/// A clock that can be set.
#[derive(Clone, Default)]
struct Watch(Arc<AtomicI64>);

impl Watch {
    fn clock(&self) -> Clock {
        let (watch, truth) = (self.clone(), Clock::system());
        Clock::from_fn(move || {
            let minutes = watch.0.load(Ordering::SeqCst);
            truth.now().checked_add(SignedDuration::from_mins(minutes)).expect("a time of this century")
        })
    }

    fn set(&self, minutes: i64) {
        self.0.store(minutes, Ordering::SeqCst);
    }
}

/// A worker whose bot takes what Feishu's takes, and whose clock can be set.
async fn stage(delivery: DeliveryConfig) -> (Stage, Watch) {
    let bots = [BotSettings::new(TOKEN).secret(SECRET).no_limits()];
    let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
    let receivers = vec![receiver(&sim, "default", TOKEN, Some(SECRET))];
    let watch = Watch::default();
    let stage = Stage::by_clock(sim, receivers, delivery, watch.clock());
    (stage, watch)
}

/// The same alert in another envelope, which was received so many seconds after the true time of the test.
fn came(index: u8, copy: u32, status: Status, after_seconds: i64) -> Envelope<'static> {
    let mut came = envelope("default", index);
    came.id = came.id.part(copy);
    came.received_at = Clock::system().now() + SignedDuration::from_secs(after_seconds);
    came.alerts[0].status = status;
    came.alerts[0].starts_at = Some(came.received_at - SignedDuration::from_secs(after_seconds.max(0)));
    came
}

/// How many cards name the alert.
fn cards_with(stage: &Stage, index: u8) -> usize {
    let named = format!("Alert{index} ");
    let cards = stage.sim.accepted();
    cards.iter().filter(|card| card.message().unwrap().to_string().contains(&named)).count()
}

#[tokio::test]
async fn every_state_is_told_once_while_the_clock_jumps_between_its_steps() {
    let (mut stage, watch) = stage(EAGER).await;
    let (mut told, mut index) = (0, 100);
    for before in JUMPS {
        for after in JUMPS {
            index += 1;
            watch.set(before);
            let first = stage.deliver(&came(index, 0, Status::Firing, 0));
            assert_eq!(stage.fate(first).await, Settlement::Done { tag: first });
            watch.set(after);
            let twin = stage.deliver(&came(index, 1, Status::Firing, 5));
            assert_eq!(stage.fate(twin).await, Settlement::Done { tag: twin });
            assert_eq!(cards_with(&stage, index), 1, "from {before} to {after} min");
            watch.set(before);
            let over = stage.deliver(&came(index, 2, Status::Resolved, 10));
            assert_eq!(stage.fate(over).await, Settlement::Done { tag: over });
            assert_eq!(cards_with(&stage, index), 2, "resolved, from {after} to {before} min");
            told += 2;
        }
    }
    assert!(stage.shows(&format!("larkfire_alerts_total{{outcome=\"told\"}} {told}")));
    assert!(stage.shows(&format!("larkfire_alerts_total{{outcome=\"known\"}} {}", told / 2)));
    assert_eq!(stage.queue.published().len(), 0);
}

#[tokio::test]
async fn a_throttled_receiver_is_not_silenced_by_a_clock_that_jumps() {
    for minutes in [10, -10] {
        let (mut stage, watch) = stage(EAGER).await;
        stage
            .sim
            .fault(TOKEN, &Fault::TooManyRequests { reset_seconds: Some(2) }, Lasting::Times(1))
            .unwrap();
        let tag = stage.deliver(&came(1, 0, Status::Firing, 0));
        wait_until(WITHIN, "the hold", async || {
            stage.shows("larkfire_budget_holds_total 1").then_some(()).ok_or("not throttled yet")
        })
        .await;
        watch.set(minutes);
        assert_eq!(stage.fate(tag).await, Settlement::Done { tag }, "{minutes} min");
        assert_eq!(stage.sim.totals().accepted, 1, "{minutes} min");
        // The times of its budget lie in a future that has been taken back; the next card does not wait for it.
        watch.set(0);
        let next = stage.deliver(&came(2, 0, Status::Firing, 0));
        assert_eq!(stage.fate(next).await, Settlement::Done { tag: next }, "{minutes} min and back");
    }
}

#[tokio::test]
async fn what_is_parked_is_told_once_whatever_the_clock_says_when_it_comes_back() {
    for minutes in [10, -10] {
        let (mut stage, watch) = stage(PARKING).await;
        stage.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::UntilCleared).unwrap();
        let parked = stage.deliver(&came(1, 0, Status::Firing, 0));
        assert_eq!(stage.fate(parked).await, Settlement::Done { tag: parked });
        for jump in [minutes, 0, -minutes] {
            watch.set(jump);
            let again = stage.queue.published().pop().unwrap();
            assert!(matches!(again.to, Destination::Parked { .. }), "{jump} min: {:?}", again.headers);
            let tag = stage.queue.deliver(again.body, again.headers);
            assert_eq!(stage.fate(tag).await, Settlement::Done { tag }, "{jump} min");
            // Its claim holds for it, at any time.
            let twin = stage.deliver(&came(1, 1 + u32::from(jump != 0), Status::Firing, 5));
            assert_eq!(stage.fate(twin).await, Settlement::Done { tag: twin }, "{jump} min");
        }
        let parkings = stage.queue.published();
        assert_eq!(parkings.len(), 4, "the envelope each time, and its twins never");
        stage.sim.clear_faults(TOKEN).unwrap();
        // It may be parked once more, until the receiver is tried again.
        wait_until(WITHIN, "the card", async || {
            let last = stage.queue.published().pop().unwrap();
            let tag = stage.queue.deliver(last.body, last.headers);
            assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
            if cards_with(&stage, 1) > 0 { Ok(()) } else { Err("parked") }
        })
        .await;
        assert_eq!(cards_with(&stage, 1), 1);
        let after = stage.deliver(&came(1, 9, Status::Firing, 8));
        assert_eq!(stage.fate(after).await, Settlement::Done { tag: after });
        assert_eq!(cards_with(&stage, 1), 1, "and nobody tells it again");
        assert!(stage.shows("larkfire_alerts_total{outcome=\"told\"} 1"));
        assert!(stage.shows("larkfire_alerts_total{outcome=\"dead\"} 0"));
    }
}
