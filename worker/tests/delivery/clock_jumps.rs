//! The machine's clock is set forwards and back by ten minutes: everything is delivered all the same, once, and soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use config::DeliveryConfig;
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use jiff::SignedDuration;
use model::alert::Status;
use model::envelope::Envelope;
use queue::{MessageDestination, Settlement};
use runtime::clock::Clock;
use testkit::wait_until::wait_until;

use crate::harness::{EAGER, Harness, PARKING, SECRET, TOKEN, WITHIN, envelope, receiver};

/// Where the clock stands against the true time, in minutes, one jump after the other.
const JUMPS: [i64; 3] = [10, -10, 0];

/// A clock that can be set.
#[derive(Clone, Default)]
struct Watch(Arc<AtomicI64>);

impl Watch {
    fn clock(&self) -> Clock {
        let watch = self.clone();
        let truth = Clock::system();
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
async fn harness(delivery: DeliveryConfig) -> (Harness, Watch) {
    let bots = [BotSettings::new(TOKEN).secret(SECRET).no_limits()];
    let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
    let receivers = vec![receiver(&sim, "default", TOKEN, Some(SECRET))];
    let watch = Watch::default();
    let harness = Harness::by_clock(sim, receivers, delivery, watch.clock());
    (harness, watch)
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
fn cards_with(harness: &Harness, index: u8) -> usize {
    let named = format!("Alert{index} ");
    let cards = harness.sim.accepted();
    cards.iter().filter(|card| card.message().unwrap().to_string().contains(&named)).count()
}

#[tokio::test]
async fn every_state_is_delivered_once_while_the_clock_jumps_between_its_steps() {
    let (mut harness, watch) = harness(EAGER).await;
    let mut delivered = 0;
    let mut index = 100;
    for before in JUMPS {
        for after in JUMPS {
            index += 1;
            watch.set(before);
            let first = harness.deliver(&came(index, 0, Status::Firing, 0));
            assert_eq!(harness.fate(first).await, Settlement::Done { tag: first });
            watch.set(after);
            let twin = harness.deliver(&came(index, 1, Status::Firing, 5));
            assert_eq!(harness.fate(twin).await, Settlement::Done { tag: twin });
            assert_eq!(cards_with(&harness, index), 1, "from {before} to {after} min");
            watch.set(before);
            let over = harness.deliver(&came(index, 2, Status::Resolved, 10));
            assert_eq!(harness.fate(over).await, Settlement::Done { tag: over });
            assert_eq!(cards_with(&harness, index), 2, "resolved, from {after} to {before} min");
            delivered += 2;
        }
    }
    assert!(harness.shows(&format!("larkfire_alerts_total{{outcome=\"delivered\"}} {delivered}")));
    assert!(harness.shows(&format!("larkfire_alerts_total{{outcome=\"duplicate\"}} {}", delivered / 2)));
    assert_eq!(harness.queue.published().len(), 0);
}

#[tokio::test]
async fn a_throttled_receiver_is_not_silenced_by_a_clock_that_jumps() {
    for minutes in [10, -10] {
        let (mut harness, watch) = harness(EAGER).await;
        harness
            .sim
            .fault(TOKEN, &Fault::TooManyRequests { reset_seconds: Some(2) }, Lasting::Times(1))
            .unwrap();
        let tag = harness.deliver(&came(1, 0, Status::Firing, 0));
        wait_until(WITHIN, "the hold", async || {
            harness.shows("larkfire_budget_holds_total 1").then_some(()).ok_or("not throttled yet")
        })
        .await;
        watch.set(minutes);
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag }, "{minutes} min");
        assert_eq!(harness.sim.totals().accepted, 1, "{minutes} min");
        // The times of its budget lie in a future that has been taken back; the next card does not wait for it.
        watch.set(0);
        let next = harness.deliver(&came(2, 0, Status::Firing, 0));
        assert_eq!(harness.fate(next).await, Settlement::Done { tag: next }, "{minutes} min and back");
    }
}

#[tokio::test]
async fn what_is_parked_is_delivered_once_whatever_the_clock_says_when_it_comes_back() {
    for minutes in [10, -10] {
        let (mut harness, watch) = harness(PARKING).await;
        harness.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::UntilCleared).unwrap();
        let parked = harness.deliver(&came(1, 0, Status::Firing, 0));
        assert_eq!(harness.fate(parked).await, Settlement::Done { tag: parked });
        for jump in [minutes, 0, -minutes] {
            watch.set(jump);
            let again = harness.queue.published().pop().unwrap();
            assert!(
                matches!(again.to, MessageDestination::Deferred { .. }),
                "{jump} min: {:?}",
                again.headers
            );
            let tag = harness.queue.deliver(again.body, again.headers);
            assert_eq!(harness.fate(tag).await, Settlement::Done { tag }, "{jump} min");
            // Its claim holds for it, at any time.
            let twin = harness.deliver(&came(1, 1 + u32::from(jump != 0), Status::Firing, 5));
            assert_eq!(harness.fate(twin).await, Settlement::Done { tag: twin }, "{jump} min");
        }
        let parkings = harness.queue.published();
        assert_eq!(parkings.len(), 4, "the envelope each time, and its twins never");
        harness.sim.clear_faults(TOKEN).unwrap();
        // It may be parked once more, until the receiver is tried again.
        wait_until(WITHIN, "the card", async || {
            let last = harness.queue.published().pop().unwrap();
            let tag = harness.queue.deliver(last.body, last.headers);
            assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
            if cards_with(&harness, 1) > 0 { Ok(()) } else { Err("parked") }
        })
        .await;
        assert_eq!(cards_with(&harness, 1), 1);
        let after = harness.deliver(&came(1, 9, Status::Firing, 8));
        assert_eq!(harness.fate(after).await, Settlement::Done { tag: after });
        assert_eq!(cards_with(&harness, 1), 1, "and nobody tells it again");
        assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 1"));
        assert!(harness.shows("larkfire_alerts_total{outcome=\"dead_lettered\"} 0"));
    }
}

#[tokio::test]
async fn a_machine_that_is_hours_off_signs_by_feishus_clock_after_one_refusal() {
    for hours in [8, -8] {
        let (mut harness, watch) = harness(EAGER).await;
        watch.set(hours * 60);
        for index in [1, 2] {
            let tag = harness.deliver(&came(index, 0, Status::Firing, 0));
            assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
        }
        assert_eq!(harness.sim.totals().accepted, 2, "{hours} h");
        assert!(harness.shows("larkfire_card_repairs_total{kind=\"signature\"} 1"), "{hours} h");
        assert!(harness.shows("larkfire_receiver_broken{receiver=\"default\"} 0"), "{hours} h");

        // Set right again, it signs by its own.
        watch.set(0);
        let tag = harness.deliver(&came(3, 0, Status::Firing, 0));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
        assert_eq!(harness.sim.totals().accepted, 3, "{hours} h");
    }
}
