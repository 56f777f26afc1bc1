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

/// How often a worker looks for what is not heard of.
const LOOK_EVERY: Duration = Duration::from_mins(5);
/// How often the time for it comes at most, and how often it is asked in between what came of it: some seconds.
const LOOKS_MAX: u32 = 5;
const ASKED_BETWEEN_LOOKS: u32 = 150;

/// Lets the time come at which it is looked for what is not heard of, until that has come to something. More than once, if need be:
/// a statement that is under way when the clock jumps has taken too long for its deadline, so that the database counts as
/// away for a moment, and that look finds nothing.
async fn after_a_look<Found>(what: &str, mut found: impl FnMut() -> Option<Found>) -> Found {
    let mut asked: u32 = 0;
    wait_until(LOOK_EVERY * LOOKS_MAX + WITHIN, what, async || {
        if asked.is_multiple_of(ASKED_BETWEEN_LOOKS) && asked / ASKED_BETWEEN_LOOKS < LOOKS_MAX {
            tokio::time::pause();
            tokio::time::advance(LOOK_EVERY).await;
            tokio::time::resume();
        }
        asked += 1;
        found().ok_or("no look has come to it")
    })
    .await
}

/// What ends so many alerts, published as one message or, where a look was cut off, as several.
fn ends_of(harness: &Harness, alerts: usize) -> Option<Vec<u8>> {
    let published = harness.queue.published();
    assert!(published.iter().all(|message| matches!(message.to, MessageDestination::Alerts { .. })));
    let all = published.iter().map(|message| message.body.as_ref()).collect::<Vec<_>>().concat();
    let ended: usize = lines(&all).map(|line| decode(line).unwrap().alerts.len()).sum();
    assert!(ended <= alerts, "each is ended once: {}", String::from_utf8_lossy(&all));
    (ended == alerts).then_some(all)
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
    after_a_look("an end that cannot be published", || {
        logs::so_far().contains("could not publish the end of alerts").then_some(())
    })
    .await;
    harness.queue.set_down(false);
    minutes.store(week + 62, Ordering::SeqCst);
    let ends = after_a_look("the ends", || ends_of(&harness, 2)).await;
    // Delivered once more, as after a crash: the ledger knows it.
    for _ in 0..2 {
        let tag = harness.queue.deliver(ends.clone(), Headers::default());
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
    let ends = after_a_look("the end", || ends_of(&harness, 1)).await;
    let ends: Vec<_> = lines(&ends).map(|line| decode(line).unwrap()).collect();
    let ended: Vec<_> =
        ends.iter().flat_map(|end| &end.alerts).map(|alert| alert.fingerprint.as_str()).collect();
    assert_eq!(ended, [envelope("default", 1).alerts[0].fingerprint.as_str()]);
    assert!(ends[0].is_unheard);
}
