//! Alerts that a version before knew by another name: what it delivered is not delivered again, and what it took for one
//! alert is not for good.

use model::alert::Status;
use worker::ledger::Decision::{Deliver, Duplicate};
use worker::ledger::Occasion::{New, Reminder, Resolved};
use worker::ledger::{Decision, Event};

use super::harness::{Harness, Worker, at, event, firing, resolved};

/// Alerts that fire when the upgrade comes.
const FIRING: u32 = 100_000;
/// Alerts of one envelope here.
const TOGETHER: usize = 5_000;
const MINUTE: i64 = 60;

/// What a worker of this version makes of events with a former name: the names they go by, and what becomes of them.
async fn observed<'e>(worker: &Worker, events: &[(Event<'e>, &'e str)]) -> (Vec<Event<'e>>, Vec<Decision>) {
    let formers: Vec<_> = events.iter().map(|(_, former)| Some(*former)).collect();
    let mut events: Vec<_> = events.iter().map(|(event, _)| *event).collect();
    worker.ledger.choose_names(&mut events, &formers).await;
    let decisions = worker.ledger.observe(&events).await;
    (events, decisions)
}

async fn delivered(worker: &Worker, events: &[Event<'_>]) {
    let decisions = worker.ledger.observe(events).await;
    assert!(decisions.iter().all(|decision| matches!(decision, Deliver(_))), "{decisions:?}");
    worker.ledger.delivered(events).await;
}

pub(crate) async fn of_100_000_firing_alerts_none_is_delivered_again(harness: &Harness) {
    let names: Vec<(String, String)> =
        (0..FIRING).map(|n| (format!("new-{n}"), format!("old-{n}"))).collect();
    let older = harness.worker();
    for (number, names) in (0..).zip(names.chunks(TOGETHER)) {
        let events: Vec<_> = names.iter().map(|(_, old)| firing(old, 1, number)).collect();
        delivered(&older, &events).await;
    }
    harness.set_clock(10 * MINUTE);
    let newer = harness.worker();
    for (number, names) in (1_000..).zip(names.chunks(TOGETHER)) {
        let events: Vec<_> =
            names.iter().map(|(new, old)| (firing(new, 10 * MINUTE, number), old.as_str())).collect();
        let (events, decisions) = observed(&newer, &events).await;
        assert!(decisions.iter().all(|decision| *decision == Duplicate));
        // The older worker beside it knows them by the same name.
        assert_eq!(older.ledger.observe(&events).await, vec![Duplicate; events.len()]);
    }
    // Where the rows are remembered, nobody asks the database.
    let before = newer.counted("cache_hits_total");
    let again: Vec<_> = names
        .iter()
        .rev()
        .take(100)
        .map(|(new, old)| (firing(new, 10 * MINUTE + 1, 9_000), old.as_str()))
        .collect();
    let (_, decisions) = observed(&newer, &again).await;
    assert!(decisions.iter().all(|decision| *decision == Duplicate));
    assert_eq!(newer.counted("cache_hits_total"), before + 100);
}

pub(crate) async fn its_end_is_delivered_once_and_the_next_firing_goes_by_the_new_name(harness: &Harness) {
    let older = harness.worker();
    delivered(&older, &[firing("old", 1, 1)]).await;
    harness.set_clock(5 * MINUTE);
    let newer = harness.worker();
    let end = [(resolved("new", 5 * MINUTE, 2), "old")];
    let (events, decisions) = observed(&newer, &end).await;
    assert_eq!((events[0].fingerprint, decisions), ("old", vec![Deliver(Resolved)]));
    newer.ledger.delivered(&events).await;
    // The other one of a pair of Alertmanagers says it as well, to a worker of either version.
    assert_eq!(older.ledger.observe(&[resolved("old", 5 * MINUTE + 1, 3)]).await, [Duplicate]);
    let twin = [(resolved("new", 5 * MINUTE + 2, 4), "old")];
    assert_eq!(observed(&newer, &twin).await.1, [Duplicate]);
    harness.set_clock(60 * MINUTE);
    let next = Event { starts_at: Some(at(59 * MINUTE)), ..firing("new", 60 * MINUTE, 5) };
    let (events, decisions) = observed(&newer, &[(next, "old")]).await;
    assert_eq!((events[0].fingerprint, decisions), ("new", vec![Deliver(New)]));
    newer.ledger.delivered(&events).await;
    let restarted = harness.worker();
    let over = Event { starts_at: Some(at(59 * MINUTE)), ..resolved("new", 61 * MINUTE, 6) };
    harness.set_clock(61 * MINUTE);
    let (events, decisions) = observed(&restarted, &[(over, "old")]).await;
    assert_eq!((events[0].fingerprint, decisions), ("new", vec![Deliver(Resolved)]));
}

pub(crate) async fn what_shared_a_name_is_told_apart_from_its_next_firing_on(harness: &Harness) {
    let older = harness.worker();
    delivered(&older, &[firing("abc123", 1, 1)]).await;
    let newer = harness.worker();
    harness.set_clock(10 * MINUTE);
    let later = |fingerprint, status| Event {
        starts_at: Some(at(9 * MINUTE)),
        ..event(fingerprint, status, 10 * MINUTE, 2)
    };
    let firing_now = [(later("db", Status::Firing), "abc123"), (later("web", Status::Firing), "abc123")];
    let (events, decisions) = observed(&newer, &firing_now).await;
    assert_eq!(decisions, [Deliver(New), Deliver(New)]);
    newer.ledger.delivered(&events).await;
    let (_, decisions) = observed(&newer, &[(later("web", Status::Resolved), "abc123")]).await;
    assert_eq!(decisions, [Deliver(Resolved)]);
    // What was mute because another had its name is heard once it is due to be told again.
    harness.set_clock(61 * MINUTE);
    let (_, decisions) = observed(&newer, &[(firing("mail", 61 * MINUTE, 3), "abc123")]).await;
    assert_eq!(decisions, [Deliver(Reminder)]);
}

pub(crate) async fn messages_without_times_keep_their_former_name_for_the_window_only(harness: &Harness) {
    let untimed = |fingerprint, status, received, number| Event {
        starts_at: None,
        ..event(fingerprint, status, received, number)
    };
    let older = harness.worker();
    delivered(&older, &[untimed("old", Status::Firing, 1, 1)]).await;
    let newer = harness.worker();
    harness.set_clock(2 * MINUTE);
    let again = untimed("new", Status::Firing, 2 * MINUTE, 2);
    assert_eq!(observed(&newer, &[(again, "old")]).await.1, [Duplicate]);
    harness.set_clock(10 * MINUTE);
    let later = untimed("new", Status::Firing, 10 * MINUTE, 3);
    let (events, decisions) = observed(&newer, &[(later, "old")]).await;
    assert_eq!((events[0].fingerprint, decisions), ("new", vec![Deliver(New)]));
}
