//! A database of the test's own, and cards in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use prometheus::Registry;
use shared::clock::Clock;
use shared::config::{DatabaseConfig, Secret};
use shared::envelope::{Envelope, decode};
use tempfile::TempDir;
use testkit::mariadb::TestDatabase;

use crate::card::{Acknowledged, Item};
use crate::cards::{CardId, CardMetrics, Cards, Kept, Mark};
use crate::feishu::MessageId;
use crate::store::Store;

const START: i64 = 1_705_314_600;

pub(super) struct Stage {
    pub(super) cards: Cards,
    now: Arc<AtomicI64>,
    _kept: (Option<TestDatabase>, TempDir),
}

impl Stage {
    pub(super) async fn mariadb() -> Self {
        let database = TestDatabase::create().await;
        Self::new(Some(database.url()), Some(database))
    }

    pub(super) fn sqlite() -> Self {
        Self::new(None, None)
    }

    fn new(url: Option<String>, database: Option<TestDatabase>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(START * 1_000));
        let time = Arc::clone(&now);
        let clock =
            Clock::from_fn(move || Timestamp::from_millisecond(time.load(Ordering::Relaxed)).unwrap());
        let registry = Registry::new();
        let timeout = Duration::from_secs(20);
        let config = DatabaseConfig { url: url.map(Secret::new), connections: 4, timeout };
        let store = Store::open(&config, folder.path(), &registry).unwrap();
        let cards = Cards::new(store, clock, CardMetrics::register(&registry).unwrap());
        Self { cards, now, _kept: (database, folder) }
    }

    pub(super) fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// A card at `ops` that Feishu has as this message.
    pub(super) async fn sent(&self, told: &Envelope<'_>, message: &str) -> CardId {
        let card = self.begun(told).await;
        self.cards.sent(&card, &MessageId::new(message)).await.unwrap();
        card
    }

    /// A card at `ops` of which nobody knows whether Feishu has it.
    pub(super) async fn begun(&self, told: &Envelope<'_>) -> CardId {
        let items = Item::all_of(told);
        let card = CardId::of("ops", &items, "");
        assert!(self.cards.begin(&card, "ops", (&[told], &items)).await);
        card
    }

    pub(super) async fn load(&self, card: &CardId) -> Kept {
        self.cards.load(card).await.unwrap().unwrap()
    }

    /// The cards an alert is on, the newest first.
    pub(super) async fn cards_with(&self, fingerprint: &str) -> Vec<CardId> {
        let mut found = self.cards.whereabouts("ops", &[fingerprint]).await.unwrap();
        let on = found.remove(fingerprint).unwrap_or_default();
        on.into_iter().map(|whereabouts| whereabouts.card).collect()
    }
}

/// An envelope, `index` of them apart, with firing alerts of these fingerprints.
pub(super) fn envelope(index: usize, fingerprints: &[&str]) -> Envelope<'static> {
    let alerts: Vec<_> = fingerprints
        .iter()
        .map(|fingerprint| {
            format!(r#"{{"fingerprint":"{fingerprint}","status":"firing","labels":{{"alertname":"{fingerprint}"}}}}"#)
        })
        .collect();
    let line = format!(
        r#"{{"v":1,"id":"018d0d1e-3b7a-7c3e-9f00-{index:012x}","received_at":"2024-01-15T10:30:00Z","source":"alertmanager","receiver":"ops","group_key":"g","alerts":[{}]}}"#,
        alerts.join(",")
    );
    decode(line.as_bytes()).unwrap().into_owned()
}

pub(super) fn acknowledged(by: &str) -> Mark {
    Mark::Acknowledged(Acknowledged { by: by.to_owned(), at: Timestamp::from_second(START).unwrap() })
}
