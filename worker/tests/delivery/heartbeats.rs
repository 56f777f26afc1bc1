//! Alerts that are expected and not delivered; and the one about an alert that does not come.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use model::alert::Status;
use model::envelope::Envelope;
use queue::{Headers, Settlement};
use runtime::clock::Clock;
use testkit::wait_until::wait_until;

use crate::harness::{Harness, envelope, title};

const WATCHDOG: &str = "{ eu: { match: alertname=Alert1, every: 1m, grace: 30s, receiver: default } }";

/// How much time passes in a test.
const PASSED_MAX: Duration = Duration::from_mins(30);

/// A clock, and the seconds it is ahead of the truth.
fn clock() -> (Clock, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(0));
    let truth = Clock::system();
    let ahead = Arc::clone(&seconds);
    let clock = Clock::from_fn(move || {
        let seconds = ahead.load(Ordering::SeqCst);
        truth.now().checked_add(SignedDuration::from_secs(seconds)).expect("a time of this century")
    });
    (clock, seconds)
}

/// One alert, received now.
fn received(index: u8, part: u32, clock: &Clock) -> Envelope<'static> {
    let mut received = envelope("default", index);
    received.id = received.id.part(part);
    received.received_at = clock.now();
    received
}

async fn settle(harness: &mut Harness, envelope: &Envelope<'_>) {
    let tag = harness.deliver(envelope);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
}

/// Lets so many seconds pass, five by five, in which the worker looks as often.
async fn pass(seconds: &AtomicI64, looks: u32) {
    for _ in 0..looks {
        seconds.fetch_add(5, Ordering::SeqCst);
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(5)).await;
        tokio::time::resume();
        // The look asks the database, which is in another thread.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_heartbeat_is_expected_whatever_it_comes_with_and_what_became_of_it_is_found() {
    let (clock, _) = clock();
    let mut harness = Harness::expecting(WATCHDOG, clock.clone()).await;
    let mut both = received(1, 0, &clock);
    both.alerts.extend(received(2, 0, &clock).alerts);
    settle(&mut harness, &both).await;
    for part in 1..=2 {
        settle(&mut harness, &received(1, part, &clock)).await;
    }
    let mut over = received(1, 3, &clock);
    over.alerts[0].status = Status::Resolved;
    settle(&mut harness, &over).await;
    let cards = harness.sim.accepted();
    let [card] = cards.as_slice() else { panic!("one card, of what it came with: {cards:?}") };
    assert!(title(card).contains("Alert2"), "{card:?}");
    assert!(harness.shows("larkfire_alerts_total{outcome=\"expected\"} 4"));
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 1"));
    let entries = harness.history().await;
    let of_heartbeat: Vec<_> = entries.iter().filter(|entry| entry.name == "Alert1").collect();
    let said: Vec<_> = of_heartbeat
        .iter()
        .map(|entry| (entry.outcome.as_str(), entry.times, entry.reason.as_deref().unwrap_or_default()))
        .collect();
    assert!(said.contains(&("expected", 3, "a sign of the heartbeat eu")), "{said:?}");
    assert!(
        said.iter().any(|(outcome, times, reason)| *outcome == "expected"
            && *times == 1
            && reason.starts_with("the end of a sign")),
        "{said:?}"
    );
    assert_eq!(said.len(), 2, "{said:?}");
}

#[tokio::test]
async fn one_that_is_missing_is_on_a_card_and_so_is_its_return() {
    let (clock, seconds) = clock();
    let mut harness = Harness::expecting(WATCHDOG, clock.clone()).await;
    settle(&mut harness, &received(1, 0, &clock)).await;
    let mut told = Vec::new();
    for part in 0..2 {
        let before = told.len();
        let message = wait_until(PASSED_MAX, "what is to be told", async || {
            pass(&seconds, 1).await;
            harness.queue.published().get(before).cloned().ok_or("nothing is on the queue")
        })
        .await;
        told.push(message.clone());
        let tag = harness.queue.deliver(message.body, Headers::default());
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
        settle(&mut harness, &received(1, part + 1, &clock)).await;
    }
    let cards = harness.sim.accepted();
    let [missing, back] = cards.as_slice() else { panic!("two cards: {cards:?}") };
    let said = missing.message().unwrap().to_string();
    assert!(title(missing).contains("HeartbeatMissing"), "{said}");
    assert!(said.contains("The heartbeat eu is missing: last heard of at"), "{said}");
    assert!(title(back).contains("RESOLVED"), "{back:?}");
    assert!(harness.shows("larkfire_own_alerts_total 2"));
    // Its return counts as soon as it is told.
    wait_until(PASSED_MAX, "the gauges", async || {
        pass(&seconds, 1).await;
        harness.shows("larkfire_heartbeats{state=\"heard\"} 1").then_some(()).ok_or("not looked yet")
    })
    .await;
    assert!(harness.shows("larkfire_heartbeats{state=\"missing\"} 0"));
}
