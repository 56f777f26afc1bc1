//! An interaction is acted on once.
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, Secret};
use jiff::Timestamp;
use prometheus::Registry;
use runtime::clock::Clock;

use worker::interactions::{BEGUN_FOR_MAX, Begun, InteractionDedup};
use worker::store::Store;

use crate::databases::{Database, on_each_database};

on_each_database! {
    an_interaction_is_acted_on_once_and_remembered_for_twelve_hours_at_least
    what_somebody_began_and_never_finished_is_taken_up_by_one_other
}

struct Harness {
    memory: InteractionDedup,
    now: Arc<AtomicI64>,
}

fn stage(database: &Database) -> Harness {
    let now = Arc::new(AtomicI64::new(1_700_000_000));
    let time = Arc::clone(&now);
    let clock = Clock::from_fn(move || Timestamp::from_second(time.load(Ordering::Relaxed)).unwrap());
    let config = DatabaseConfig {
        url: Some(Secret::new(database.url())),
        tls: ClientTls::default(),
        connections: 2,
        timeout: Duration::from_secs(20),
    };
    let store = Store::open(&config, Path::new("."), &Registry::new()).unwrap();
    Harness { memory: InteractionDedup::new(store, clock), now }
}

async fn an_interaction_is_acted_on_once_and_remembered_for_twelve_hours_at_least(database: Database) {
    let Harness { memory, now } = stage(&database);
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Mine);
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Elsewhere);
    memory.done("a").await.unwrap();
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Done);
    assert_eq!(memory.begin("b").await.unwrap(), Begun::Mine);
    now.fetch_add(12 * 3600, Ordering::Relaxed);
    assert_eq!(memory.clean().await.unwrap(), 0);
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Done);
    now.fetch_add(12 * 3600 + 1, Ordering::Relaxed);
    assert_eq!(memory.clean().await.unwrap(), 2);
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Mine);
}

async fn what_somebody_began_and_never_finished_is_taken_up_by_one_other(database: Database) {
    let Harness { memory, now } = stage(&database);
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Mine);
    now.fetch_add(i64::try_from(BEGUN_FOR_MAX.as_secs()).unwrap(), Ordering::Relaxed);
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Mine);
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Elsewhere);
    memory.forget("a").await.unwrap();
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Mine);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_begun_without_an_answer_is_begun_by_whoever_asked() {
    let stage = crate::store::Harness::start().await;
    let now = Arc::new(AtomicI64::new(1_700_000_000));
    let time = Arc::clone(&now);
    let clock = Clock::from_fn(move || Timestamp::from_second(time.load(Ordering::Relaxed)).unwrap());
    let memory = InteractionDedup::new(stage.store.clone(), clock);
    let insert = "INSERT ON larkfire_interactions";
    let is_there = "SELECT 1 FROM larkfire_interactions";
    assert_eq!(stage.losing_the_answer(insert, is_there, memory.begin("a")).await.unwrap(), Begun::Mine);
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Elsewhere);
    let later = now.fetch_add(BEGUN_FOR_MAX.as_secs().cast_signed(), Ordering::Relaxed) * 1_000;
    let taken = format!("SELECT 1 FROM larkfire_interactions WHERE begun_ms > {later}");
    let take = "UPDATE ON larkfire_interactions";
    assert_eq!(stage.losing_the_answer(take, &taken, memory.begin("a")).await.unwrap(), Begun::Mine);
    assert_eq!(memory.begin("a").await.unwrap(), Begun::Elsewhere);
}
