//! What the cards of one storm told together is known to every worker, and a storm ends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, Secret};
use jiff::Timestamp;
use model::alert::Status;
use prometheus::Registry;
use runtime::clock::Clock;
use worker::render::{Item, StormSoFar};
use worker::store::Store;
use worker::storms::Storms;

use crate::databases::{Database, on_each_database};
use crate::summarised::envelope;

on_each_database! {
    the_cards_of_a_storm_are_added_up_by_all_workers_until_it_ends
}

async fn the_cards_of_a_storm_are_added_up_by_all_workers_until_it_ends(own: Database) {
    let now = Arc::new(AtomicI64::new(1_700_000_000));
    let time = Arc::clone(&now);
    let clock = Clock::from_fn(move || Timestamp::from_second(time.load(Ordering::Relaxed)).unwrap());
    let database = DatabaseConfig {
        url: Some(Secret::new(own.url())),
        tls: ClientTls::default(),
        connections: 2,
        timeout: Duration::from_secs(20),
    };
    let open = || Store::open(&database, Path::new("."), &Registry::new()).unwrap();
    let stores = [open(), open()];
    for store in &stores {
        // No card waits for tables to be made, or for connections.
        store.migrate().await.unwrap();
    }
    let [one, other] = stores.map(|store| Storms::new(store, clock.clone()));
    assert_eq!(one.so_far("ops").await, None);
    let mut envelope = envelope(10);
    envelope.alerts.iter_mut().take(3).for_each(|alert| alert.status = Status::Resolved);
    let mut items = Item::all_of(&envelope);
    // A reminder is no news.
    items[9].reminder = true;
    let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
    let told = |last, cards, firing, resolved| {
        Some(StormSoFar { begun_at: at(0), last_card_at: at(last), cards, firing, resolved })
    };
    one.add("ops", 1, &items).await;
    now.fetch_add(60, Ordering::Relaxed);
    assert_eq!(other.so_far("ops").await, told(0, 1, 6, 3));
    // What an earlier card has counted is no card.
    other.add("ops", 0, &items[..5]).await;
    other.add("dba", 1, &items).await;
    assert_eq!(one.so_far("ops").await, told(60, 1, 8, 6));
    now.fetch_add(301, Ordering::Relaxed);
    assert_eq!(one.so_far("ops").await, None, "nothing for five minutes");
    one.add("ops", 1, &items[..1]).await;
    let begun = at(361);
    let next = StormSoFar { begun_at: begun, last_card_at: begun, cards: 1, firing: 0, resolved: 1 };
    assert_eq!(other.so_far("ops").await, Some(next));
}
