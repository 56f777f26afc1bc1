//! What custom bots have delivered and nobody ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use feishu_sim::{BotSettings, FeishuSim, Record, SimSettings};
use jiff::SignedDuration;
use model::envelope::{Source, decode, lines};
use queue::{Headers, MessageDestination, Settlement};
use runtime::clock::Clock;
use testkit::wait_until::wait_until;

use crate::harness::{EAGER, Harness, SECRET, TOKEN, WITHIN, envelope, line, receiver, title};
use crate::logs;

/// A worker with a bot that takes what Feishu's takes, and the minutes its clock is ahead of the truth.
async fn harness() -> (Harness, Arc<AtomicI64>) {
    let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).secret(SECRET)])).await.unwrap();
    let receivers = vec![receiver(&sim, "default", TOKEN, Some(SECRET))];
    let minutes = Arc::new(AtomicI64::new(0));
    let truth = Clock::system();
    let ahead = Arc::clone(&minutes);
    let clock = Clock::from_fn(move || {
        let minutes = ahead.load(Ordering::SeqCst);
        truth.now().checked_add(SignedDuration::from_mins(minutes)).expect("a time of this century")
    });
    (Harness::by_clock(sim, receivers, EAGER, clock), minutes)
}

/// Lets the time come at which it is looked for what is not heard of.
async fn look() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(5)).await;
    tokio::time::resume();
}

fn text(record: &Record) -> String {
    record.message().unwrap().to_string()
}

#[tokio::test]
async fn what_is_not_heard_of_any_more_is_ended_once_on_one_card_that_says_since_when() {
    let (mut harness, minutes) = harness().await;
    let now = Clock::system().now();
    let firing = |index: u8, received_at| {
        let mut firing = envelope("default", index);
        firing.received_at = received_at;
        firing.alerts[0].starts_at = Some(received_at);
        firing
    };
    for index in [1, 2] {
        let tag = harness.deliver(&firing(index, now));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let delivered = harness.sim.accepted().len();
    let week = 7 * 24 * 60;
    minutes.store(week + 1, Ordering::SeqCst);
    harness.queue.set_down(true);
    look().await;
    wait_until(WITHIN, "a look", async || {
        let is_said = logs::so_far().contains("could not publish the end of alerts");
        is_said.then_some(()).ok_or("not looked yet")
    })
    .await;
    harness.queue.set_down(false);
    minutes.store(week + 62, Ordering::SeqCst);
    look().await;
    let message = wait_until(WITHIN, "the ends", async || {
        harness.queue.published().into_iter().next().ok_or("nothing is published")
    })
    .await;
    assert!(matches!(message.to, MessageDestination::Alerts { .. }));
    let ends: Vec<_> = lines(&message.body).map(|line| decode(line).unwrap()).collect();
    assert_eq!(ends.iter().map(|end| end.alerts.len()).sum::<usize>(), 2);
    // Delivered once more, as after a crash: the ledger knows it.
    for _ in 0..2 {
        let tag = harness.queue.deliver(message.body.clone(), Headers::default());
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let cards = harness.sim.accepted();
    let [over] = &cards[delivered..] else { panic!("one card, {cards:?}") };
    let said = text(over);
    assert!(title(over).contains("NOT HEARD OF"), "{said}");
    assert!(
        said.contains("Alert1") && said.contains("Alert2") && said.contains("ot heard of since"),
        "{said}"
    );
    // It is news when it fires again, with the beginning it had.
    let mut again = firing(1, now);
    again.id = again.id.part(1);
    again.received_at = now + SignedDuration::from_mins(week + 70);
    minutes.store(week + 70, Ordering::SeqCst);
    let tag = harness.queue.deliver(line(&again), Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let cards = harness.sim.accepted();
    assert_eq!(cards.len(), delivered + 2);
    assert!(
        title(&cards[delivered + 1]).contains("Alert1")
            && !title(&cards[delivered + 1]).contains("NOT HEARD OF")
    );
}

#[tokio::test]
async fn what_prometheus_does_not_push_again_for_as_long_as_it_was_to_hold_is_over() {
    let (mut harness, minutes) = harness().await;
    let now = Clock::system().now();
    let pushed = |index: u8, at: i64, holds_for: i64| {
        let received_at = now + SignedDuration::from_mins(at);
        let mut pushed = envelope("default", index);
        pushed.source = Source::Prometheus;
        pushed.received_at = received_at;
        pushed.alerts[0].starts_at = Some(now);
        pushed.alerts[0].ends_at = Some(received_at + SignedDuration::from_mins(holds_for));
        pushed.id = pushed.id.part(u32::try_from(at).unwrap());
        pushed
    };
    // One is gone after its first push, one is pushed again, one is to hold for an hour.
    for (index, at, holds_for) in [(1, 0, 4), (2, 0, 4), (3, 0, 60), (2, 6, 4)] {
        minutes.store(at, Ordering::SeqCst);
        let tag = harness.deliver(&pushed(index, at, holds_for));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    minutes.store(8, Ordering::SeqCst);
    look().await;
    let message = wait_until(WITHIN, "the end", async || {
        harness.queue.published().into_iter().next().ok_or("nothing is published")
    })
    .await;
    let ends: Vec<_> = lines(&message.body).map(|line| decode(line).unwrap()).collect();
    let ended: Vec<_> =
        ends.iter().flat_map(|end| &end.alerts).map(|alert| alert.fingerprint.as_str()).collect();
    assert_eq!(ended, [envelope("default", 1).alerts[0].fingerprint.as_str()]);
    assert!(ends[0].is_unheard);
}
