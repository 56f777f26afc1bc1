//! Cards as they were sent are found by their names, for some time and within a number of bytes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, HistoryConfig, LinksConfig, Locale, Secret, SeverityWords};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use prometheus::{Registry, TextEncoder};
use runtime::clock::Clock;
use testkit::ports::free_address;
use worker::feishu::CARD_BYTES_MAX;
use worker::render::{self, Card, Item, Style};
use worker::sent_cards::{SentCards, find};
use worker::store::Store;

use crate::databases::{Database, on_each_database};
use crate::summarised::envelope;

const START: i64 = 1_700_000_000;
const DAY: i64 = 24 * 60 * 60;

on_each_database! {
    a_card_is_found_as_it_was_sent_last_and_makes_room_in_time
}

struct Harness {
    cards: SentCards,
    store: Store,
    registry: Registry,
    now: Arc<AtomicI64>,
}

impl Harness {
    fn on(url: String, cards_bytes: u64, timeout: Duration) -> Self {
        let now = Arc::new(AtomicI64::new(START));
        let time = Arc::clone(&now);
        let clock = Clock::from_fn(move || Timestamp::from_second(time.load(Ordering::Relaxed)).unwrap());
        let url = Some(Secret::new(url));
        let database = DatabaseConfig { url, tls: ClientTls::default(), connections: 2, timeout };
        let registry = Registry::new();
        let store = Store::open(&database, Path::new("."), &registry).unwrap();
        let config = HistoryConfig { cards_bytes, ..HistoryConfig::default() };
        let cards = SentCards::new(store.clone(), clock, config, &registry).unwrap();
        Self { cards, store, registry, now }
    }

    async fn found(&self, name: &str) -> Option<String> {
        find(&self.store, name).await.unwrap()
    }

    fn shows(&self, metric: &str) -> bool {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        text.lines().any(|line| line == metric)
    }
}

/// A card of so many alerts.
fn card(alerts: usize) -> Card {
    let envelope = envelope(alerts);
    let items = Item::all_of(&envelope);
    let links = LinksConfig::default();
    let style =
        Style { timezone: TimeZone::UTC, locale: Locale::ZhCn, links, severities: SeverityWords::default() };
    render::build(&items, &style, envelope.received_at, CARD_BYTES_MAX)
}

async fn a_card_is_found_as_it_was_sent_last_and_makes_room_in_time(own: Database) {
    let harness = Harness::on(own.url(), 2_000, Duration::from_secs(20));
    assert_eq!(harness.found("c0").await, None);
    // Each on a day of its own, some hundred bytes once it is packed.
    for number in 0..20 {
        harness.cards.note(&format!("c{number}"), &card(number + 1));
        harness.cards.finish().await;
        harness.now.fetch_add(DAY / 4, Ordering::Relaxed);
    }
    let shown = |card: &Card| Some(serde_json::to_string(card).unwrap());
    assert_eq!(harness.found("c3").await, shown(&card(4)));
    harness.cards.note("c3", &card(40));
    harness.cards.note("c3", &card(50));
    harness.cards.finish().await;
    assert_eq!(harness.found("c3").await, shown(&card(50)), "it was updated");
    assert!(harness.shows("larkfire_sent_cards_kept_total 21"));

    harness.cards.clean().await.unwrap();
    assert_eq!(harness.found("c0").await, None, "others needed the room");
    assert_eq!(harness.found("c3").await, shown(&card(50)), "the newest stays");
    harness.now.fetch_add(8 * DAY, Ordering::Relaxed);
    harness.cards.clean().await.unwrap();
    assert_eq!(harness.found("c3").await, None, "older than the history");
    assert!(harness.shows("larkfire_sent_cards_skipped_total 0"));
}

#[tokio::test]
async fn with_the_database_away_cards_are_counted_and_left_out() {
    let url = format!("mysql://root@{}/none", free_address());
    let harness = Harness::on(url, 1 << 20, Duration::from_millis(50));
    for number in 0..300 {
        harness.cards.note(&number.to_string(), &card(1));
    }
    assert!(harness.shows("larkfire_sent_cards_skipped_total 44"), "no room for more than 256");
    harness.cards.finish().await;
    assert!(harness.shows("larkfire_sent_cards_skipped_total 300"));
}

#[tokio::test]
async fn where_none_are_to_be_kept_none_are() {
    let database = Database::sqlite().await;
    let harness = Harness::on(database.url(), 0, Duration::from_secs(20));
    harness.cards.note("c", &card(1));
    harness.cards.finish().await;
    assert_eq!(harness.found("c").await, None);
    assert!(harness.shows("larkfire_sent_cards_skipped_total 0"));
}
