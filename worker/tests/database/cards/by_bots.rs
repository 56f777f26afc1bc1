//! Alerts that nobody ends, delivered through custom bots.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::DedupConfig;
use jiff::Timestamp;
use model::alert::Status;
use model::envelope::{Envelope, Source};
use prometheus::Registry;

use super::harness::{Harness, absent, envelope, events_of};
use super::unheard::stub;
use super::with_each;
use worker::firing::{Firing, FiringMetrics, Over};
use worker::ledger::{Decision, Event, Ledger, Occasion};
use worker::render::Item;

with_each! {
    what_its_alertmanager_does_not_have_any_more_is_ended_in_one_envelope_by_one_worker
    whose_end_got_lost_with_its_worker_is_ended_an_hour_later_by_another
    without_an_alertmanager_it_is_ended_after_it_would_be_forgotten_and_once
    what_has_no_end_or_goes_elsewhere_is_not_kept_and_what_is_long_is_without_its_annotations
    what_is_over_is_deleted_and_what_fires_stays
}

fn ledger(harness: &Harness) -> Ledger {
    let store = harness.store.clone();
    let clock = harness.clock.clone();
    Ledger::new(store, DedupConfig::default(), clock, &Registry::new()).unwrap()
}

/// What fires at `ops`, as one worker has it.
fn firing(harness: &Harness, registry: &Registry) -> Firing {
    let store = harness.store.clone();
    let clock = harness.clock.clone();
    let metrics = FiringMetrics::register(registry).unwrap();
    Firing::new(store, clock, metrics, vec!["ops".to_owned()], DedupConfig::default().remember)
}

/// A worker that looks for what is over.
fn over(harness: &Harness, url: Option<&str>) -> Over {
    Over::new(firing(harness, &Registry::new()), absent(url))
}

/// Told to `ops` now.
async fn delivered(harness: &Harness, ledger: &Ledger, index: usize, names: &[&str]) -> Envelope<'static> {
    let now = harness.clock.now();
    let mut delivered = envelope(index, names);
    delivered.received_at = now;
    delivered.alerts.iter_mut().for_each(|alert| alert.starts_at = Some(now));
    let events: Vec<Event<'_>> = events_of(&delivered);
    assert!(ledger.observe(&events).await.iter().all(|decision| matches!(decision, Decision::Deliver(_))));
    firing(harness, &Registry::new()).keep("ops", &Item::all_of(&delivered)).await;
    ledger.delivered(&events).await;
    drop(events);
    delivered
}

/// The names of what has ended, and since when.
fn names(ends: &BTreeMap<String, Vec<Envelope<'_>>>) -> Vec<(String, Option<Timestamp>)> {
    let alerts = ends.values().flatten().flat_map(|end| &end.alerts);
    let mut names: Vec<_> = alerts
        .inspect(|alert| assert_eq!(alert.status, Status::Resolved))
        .map(|alert| (alert.labels.get("alertname").unwrap_or_default().to_owned(), alert.ends_at))
        .collect();
    names.sort();
    names
}

async fn what_its_alertmanager_does_not_have_any_more_is_ended_in_one_envelope_by_one_worker(
    harness: Harness,
) {
    let (answers, url) = stub().await;
    let ledger = ledger(&harness);
    let first = delivered(&harness, &ledger, 1, &["f1", "f2"]).await;
    let since = Some(first.received_at);
    delivered(&harness, &ledger, 2, &["f3"]).await;
    let mut one = over(&harness, Some(&url));
    let mut other = over(&harness, Some(&url));
    harness.pass(Duration::from_mins(10));
    assert!(one.look().await.unwrap().is_empty(), "what has just ended is on its way");
    assert!(answers.lock().unwrap().asked.is_empty());
    harness.pass(Duration::from_mins(10));
    answers.lock().unwrap().alerts = "[{}]".into();
    assert!(one.look().await.unwrap().is_empty(), "it is silenced, and there");
    answers.lock().unwrap().alerts = "[]".into();
    for worker in [&mut one, &mut other] {
        assert!(worker.look().await.unwrap().is_empty(), "once is not enough");
    }
    harness.pass(Duration::from_mins(5));
    let ends = one.look().await.unwrap();
    assert_eq!(names(&ends), ["f1", "f2", "f3"].map(|name| (name.to_owned(), since)));
    let [end] = &ends["ops"][..] else { panic!("one envelope, {ends:?}") };
    assert!(end.is_unheard && end.receiver == "ops");
    assert!(other.look().await.unwrap().is_empty(), "it is somebody else's");
    let events: Vec<Event<'_>> = events_of(end);
    assert_eq!(ledger.observe(&events).await, [Decision::Deliver(Occasion::Resolved); 3]);
    ledger.delivered(&events).await;
    harness.pass(Duration::from_hours(2));
    assert!(
        one.look().await.unwrap().is_empty() && other.look().await.unwrap().is_empty(),
        "it is over once"
    );
    let again = Envelope { received_at: harness.clock.now(), ..first };
    let events: Vec<Event<'_>> = events_of(&again);
    assert_eq!(ledger.observe(&events).await, [Decision::Deliver(Occasion::Returned); 2]);
}

async fn whose_end_got_lost_with_its_worker_is_ended_an_hour_later_by_another(harness: Harness) {
    let ledger = ledger(&harness);
    delivered(&harness, &ledger, 1, &["f1"]).await;
    harness.pass(Duration::from_hours(7 * 24));
    assert_eq!(over(&harness, None).look().await.unwrap().len(), 1);
    harness.pass(Duration::from_mins(59));
    assert!(over(&harness, None).look().await.unwrap().is_empty());
    harness.pass(Duration::from_mins(2));
    assert_eq!(over(&harness, None).look().await.unwrap().len(), 1);
}

async fn without_an_alertmanager_it_is_ended_after_it_would_be_forgotten_and_once(harness: Harness) {
    let ledger = Arc::new(ledger(&harness));
    let first = delivered(&harness, &ledger, 1, &["f1"]).await;
    let mut over = over(&harness, None);
    let firing = firing(&harness, &Registry::new());
    harness.pass(Duration::from_hours(7 * 24 - 1));
    assert!(over.look().await.unwrap().is_empty());
    harness.pass(Duration::from_hours(2));
    // Also if the ledger has forgotten it by then.
    assert_eq!((firing.clean().await.unwrap(), ledger.clean().await.unwrap()), (0, 1));
    let ends = over.look().await.unwrap();
    assert_eq!(names(&ends), [("f1".to_owned(), Some(first.received_at))]);
    let events: Vec<Event<'_>> = events_of(&ends["ops"][0]);
    assert_eq!(ledger.observe(&events).await, [Decision::Deliver(Occasion::Resolved)]);
    ledger.delivered(&events).await;
    assert_eq!(firing.clean().await.unwrap(), 1);
    harness.pass(Duration::from_hours(2));
    assert!(over.look().await.unwrap().is_empty());
}

async fn what_has_no_end_or_goes_elsewhere_is_not_kept_and_what_is_long_is_without_its_annotations(
    harness: Harness,
) {
    let registry = Registry::new();
    let firing = firing(&harness, &registry);
    for source in [Source::Custom, Source::LokiFeishu] {
        let message = Envelope { source, ..envelope(1, &["f1"]) };
        firing.keep("ops", &Item::all_of(&message)).await;
    }
    let mut over_already = envelope(2, &["f2"]);
    over_already.alerts[0].status = Status::Resolved;
    firing.keep("ops", &Item::all_of(&over_already)).await;
    firing.keep("chat", &Item::all_of(&envelope(3, &["f3"]))).await;
    let mut long = envelope(4, &["f4", "f5"]);
    long.alerts[0].annotations = [("summary".into(), "x".repeat(9_000).into())].into_iter().collect();
    long.alerts[1].generator_url = "x".repeat(9_000).into();
    firing.keep("ops", &Item::all_of(&long)).await;
    harness.pass(Duration::from_hours(8 * 24));
    let ends = over(&harness, None).look().await.unwrap();
    assert_eq!(names(&ends).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["f4"]);
    assert!(ends["ops"][0].alerts[0].annotations.is_empty());
    let shown = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    assert!(shown.contains("larkfire_firing_unkept_total{reason=\"too_large\"} 1"), "{shown}");
}

async fn what_is_over_is_deleted_and_what_fires_stays(harness: Harness) {
    let ledger = ledger(&harness);
    let mut first = delivered(&harness, &ledger, 1, &["f1"]).await;
    delivered(&harness, &ledger, 2, &["f2"]).await;
    let firing = firing(&harness, &Registry::new());
    harness.pass(Duration::from_mins(10));
    assert_eq!(firing.clean().await.unwrap(), 0);
    first.alerts[0].status = Status::Resolved;
    first.received_at = harness.clock.now();
    let events: Vec<Event<'_>> = events_of(&first);
    assert_eq!(ledger.observe(&events).await, [Decision::Deliver(Occasion::Resolved)]);
    ledger.delivered(&events).await;
    assert_eq!(firing.clean().await.unwrap(), 1);
    assert_eq!(firing.clean().await.unwrap(), 0);
    harness.pass(Duration::from_hours(8 * 24));
    assert_eq!(names(&over(&harness, None).look().await.unwrap()).len(), 1, "f2");
    harness.pass(Duration::from_hours(8 * 24));
    assert_eq!(ledger.clean().await.unwrap(), 2);
    assert_eq!(firing.clean().await.unwrap(), 1, "what nobody has said in all that time nobody will");
}
