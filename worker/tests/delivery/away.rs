//! What waits for a receiver that is away, beside one that is well: it is passed round ever more rarely, holds nobody up, and
//! comes back as soon as there is somebody to tell.

use feishu_sim::{Fault, Lasting, Record};
use model::alert::{Alert, Fingerprint};
use model::envelope::Envelope;
use queue::{DeferStep, Headers, MessageDestination, Settlement};
use testkit::wait_until::wait_until;

use crate::harness::{EAGER, Harness, TOKEN, WITHIN, envelope, line, title};

/// As many messages as one of two receivers may hold of the window of a test.
const HELD: u8 = 50;
const AWAY: Fault = Fault::ServerError { status: 503 };

/// A worker whose receiver `default` is away, and holds all it may.
async fn full() -> Harness {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &AWAY, Lasting::UntilCleared).unwrap();
    for index in 0..HELD {
        harness.deliver(&envelope("default", index));
    }
    let held = format!("larkfire_outbox_alerts{{receiver=\"default\"}} {HELD}");
    wait_until(WITHIN, "a full outbox", async || harness.shows(&held).then_some(()).ok_or("not full")).await;
    harness
}

/// Delivers one more that was deferred so often; says for how long it is deferred now.
async fn deferred_again(harness: &mut Harness, index: u8, attempt: u32) -> (DeferStep, u32) {
    let before = harness.queue.published().len();
    let headers = Headers { attempt, ..Headers::default() };
    let tag = harness.queue.deliver(line(&envelope("default", index)), headers);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let published = harness.queue.published().split_off(before);
    assert_eq!(published.len(), 1, "{published:?}");
    let step =
        if let MessageDestination::Deferred { step, .. } = published[0].to { Some(step) } else { None };
    (step.unwrap(), published[0].headers.attempt)
}

#[tokio::test]
async fn what_waits_for_a_receiver_that_is_away_is_deferred_for_longer_each_time_and_called_back() {
    let mut harness = full().await;
    assert_eq!(deferred_again(&mut harness, 60, 3).await, (DeferStep::Seconds5, 3), "it may be back at once");
    let mut index = 60;
    wait_until(WITHIN, "a longer pause", async || {
        index += 1;
        let (step, _) = deferred_again(&mut harness, index, 3).await;
        if step == DeferStep::Minutes10 { Ok(()) } else { Err(step) }
    })
    .await;
    for (attempt, step) in (0..).zip(DeferStep::ALL) {
        let index = 200 + u8::try_from(attempt).unwrap();
        assert_eq!(deferred_again(&mut harness, index, attempt).await, (step, attempt + 1));
    }
    assert!(harness.queue.recalled().is_empty());
    harness.sim.clear_faults(TOKEN).unwrap();
    let called = wait_until(WITHIN, "a recall", async || {
        let recalled = harness.queue.recalled();
        if recalled.is_empty() { Err("none") } else { Ok(recalled) }
    })
    .await;
    assert_eq!(called, ["default"]);
}

#[tokio::test]
async fn nobody_waits_for_the_queue_to_take_what_has_no_place() {
    let mut harness = full().await;
    harness.queue.set_silent(true);
    // One after another these would take longer than anything is waited for.
    for index in 100..116 {
        harness.deliver(&envelope("default", index));
    }
    let news = harness.deliver(&envelope("other", 200));
    assert_eq!(harness.fate(news).await, Settlement::Done { tag: news });
    harness.queue.set_silent(false);
}

#[tokio::test]
async fn an_attempt_carries_the_first_thousand_alerts_and_the_next_card_the_rest() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &AWAY, Lasting::UntilCleared).unwrap();
    for index in 0..25 {
        harness.deliver(&hundred("default", index));
    }
    wait_until(WITHIN, "attempts after those in place", async || {
        let attempts = harness.sim.records(TOKEN).len();
        if attempts < 5 { Err(attempts) } else { Ok(()) }
    })
    .await;
    harness.sim.clear_faults(TOKEN).unwrap();
    let cards = harness.sim.wait_for_accepted(2, WITHIN).await.unwrap();
    assert_eq!(cards.iter().map(counted).collect::<Vec<_>>(), [1_000, 1_500]);
}

/// An envelope of a hundred alerts.
fn hundred(receiver: &str, index: u8) -> Envelope<'static> {
    let mut envelope = envelope(receiver, index);
    let one = envelope.alerts.remove(0);
    envelope.alerts = (0..100)
        .map(|number| {
            let pod = format!("pod-{index}-{number}");
            let labels = [("alertname", "Disk"), ("pod", pod.as_str())];
            let fingerprint = Fingerprint::of_pairs(labels).into_owned();
            let labels = labels.map(|(name, value)| (name.to_owned().into(), value.to_owned().into()));
            Alert { fingerprint, labels: labels.into_iter().collect(), ..one.clone() }
        })
        .collect();
    envelope
}

/// How many alerts a card says that it stands for: the largest number in its title.
fn counted(record: &Record) -> usize {
    let numbers = title(record);
    let numbers = numbers.split(|character: char| !character.is_ascii_digit());
    numbers.filter_map(|number| number.parse().ok()).max().unwrap_or(1)
}
