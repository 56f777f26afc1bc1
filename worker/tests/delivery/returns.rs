//! What fires again soon after its end, with the old stamp: nobody can say yet whether a replica is late.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use jiff::Timestamp;
use model::alert::Status;
use model::envelope::Envelope;
use queue::{DeferStep, MessageDestination, Settlement};
use runtime::clock::Clock;

use crate::harness::{EAGER, Harness, OTHER_TOKEN, envelope, receiver, title};

/// When everything begins, in seconds since 1970.
const BEGIN: i64 = 1_700_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + seconds).unwrap()
}

/// Two alerts; the first of them is what the test is about.
fn said(number: u32, status: Status, received: i64) -> Envelope<'static> {
    let mut said = envelope("default", 1);
    said.id = said.id.part(number);
    said.received_at = at(received);
    said.alerts[0].status = status;
    said.alerts[0].ends_at = (status == Status::Resolved).then(|| at(received - 2));
    said
}

#[tokio::test]
async fn a_firing_soon_after_the_end_comes_back_until_it_can_be_delivered_or_the_end_has_come_again() {
    for ends_again in [false, true] {
        let sim =
            FeishuSim::start(SimSettings::new([BotSettings::new(OTHER_TOKEN).no_limits()])).await.unwrap();
        let receivers = vec![receiver(&sim, "default", OTHER_TOKEN, None)];
        let now = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&now);
        let clock = Clock::from_fn(move || at(clock.load(Ordering::SeqCst)));
        let mut harness = Harness::by_clock(sim, receivers, EAGER, clock);
        let settled = async |harness: &mut Harness, tag: u64| {
            assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
        };
        for envelope in [said(1, Status::Firing, 30), said(2, Status::Resolved, 100)] {
            now.store(envelope.received_at.as_second() - BEGIN, Ordering::SeqCst);
            let tag = harness.deliver(&envelope);
            settled(&mut harness, tag).await;
        }
        // Beside something that is to be delivered at once.
        let mut back = said(3, Status::Firing, 113);
        back.alerts.extend(envelope("default", 2).alerts);
        now.store(113, Ordering::SeqCst);
        let tag = harness.deliver(&back);
        settled(&mut harness, tag).await;
        assert_eq!(harness.sim.totals().accepted, 3);
        if ends_again {
            now.store(413, Ordering::SeqCst);
            let tag = harness.deliver(&said(4, Status::Resolved, 413));
            settled(&mut harness, tag).await;
        }
        let steps = [
            (113, DeferStep::Minutes2),
            (233, DeferStep::Minutes2),
            (353, DeferStep::Seconds30),
            (440, DeferStep::Seconds30),
        ];
        for (count, (seconds, step)) in steps.into_iter().enumerate() {
            let last = harness.queue.published().pop().unwrap();
            assert_eq!(harness.queue.published().len(), count + 1);
            assert!(
                matches!(last.to, MessageDestination::Deferred { step: waits, .. } if waits == step),
                "{seconds}: {last:?}"
            );
            if ends_again {
                break;
            }
            let next = steps.get(count + 1).map_or(460, |(seconds, _)| *seconds);
            now.store(next, Ordering::SeqCst);
            let tag = harness.queue.deliver(last.body, last.headers);
            settled(&mut harness, tag).await;
        }
        if ends_again {
            let last = harness.queue.published().pop().unwrap();
            now.store(500, Ordering::SeqCst);
            let tag = harness.queue.deliver(last.body, last.headers);
            settled(&mut harness, tag).await;
        }
        let titles: Vec<_> = harness.sim.accepted().iter().map(title).collect();
        let first: Vec<_> = titles.iter().filter(|title| title.contains("Alert1")).collect();
        assert_eq!(first.len(), if ends_again { 2 } else { 3 }, "{titles:?}");
        assert_eq!(harness.queue.published().len(), if ends_again { 1 } else { 4 });
        let superseded = u32::from(ends_again);
        assert!(harness.shows(&format!("larkfire_alerts_total{{outcome=\"superseded\"}} {superseded}")));
    }
}
