//! A database of the test's own, and cards in it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::{AlertmanagerConfig, CardFormat, ClientTls, DatabaseConfig, DedupConfig, Secret};
use jiff::Timestamp;
use model::alert::Alert;
use model::envelope::{Envelope, decode};
use prometheus::Registry;
use runtime::clock::Clock;

use worker::alertmanager::{Absent, Alertmanagers};
use worker::card_store::{CardId, CardMetrics, Cards, Mark, StoredCard};
use worker::feishu::MessageId;
use worker::ledger::Event;
use worker::render::{Acknowledged, Item};
use worker::store::Store;

use crate::databases::Database;

const START: i64 = 1_705_314_600;

pub(super) struct Harness {
    pub(super) cards: Cards,
    pub(super) store: Store,
    pub(super) clock: Clock,
    now: Arc<AtomicI64>,
    _database: Database,
}

impl Harness {
    pub(super) fn on(database: Database) -> Self {
        let now = Arc::new(AtomicI64::new(START * 1_000));
        let time = Arc::clone(&now);
        let clock =
            Clock::from_fn(move || Timestamp::from_millisecond(time.load(Ordering::Relaxed)).unwrap());
        let registry = Registry::new();
        let timeout = Duration::from_secs(20);
        let url = Some(Secret::new(database.url()));
        let config = DatabaseConfig { url, tls: ClientTls::default(), connections: 4, timeout };
        let store = Store::open(&config, Path::new("."), &registry).unwrap();
        let cards = Cards::new(store.clone(), clock.clone(), CardMetrics::register(&registry).unwrap());
        Self { cards, store, clock, now, _database: database }
    }

    pub(super) fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// A card at `ops` that Feishu has as this message.
    pub(super) async fn sent(&self, delivered: &Envelope<'_>, message: &str) -> CardId {
        let card = self.begun(delivered).await;
        self.cards.sent(&card, &MessageId::new(message), CardFormat::V1).await.unwrap();
        card
    }

    /// A card at `ops` of which nobody knows whether Feishu has it.
    pub(super) async fn begun(&self, delivered: &Envelope<'_>) -> CardId {
        let items = Item::all_of(delivered);
        let card = CardId::of("ops", &items, "");
        assert!(self.cards.begin(&card, "ops", &[delivered], &items, CardFormat::V1).await);
        card
    }

    pub(super) async fn load(&self, card: &CardId) -> StoredCard {
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

/// The alerts of an envelope at `ops`, as the ledger sees them.
pub(super) fn events_of<'e>(envelope: &'e Envelope<'_>) -> Vec<Event<'e>> {
    let event = |alert: &'e Alert<'_>| Event {
        receiver: "ops",
        fingerprint: alert.fingerprint.as_str(),
        status: alert.status,
        starts_at: alert.starts_at,
        ends_at: alert.ends_at,
        received_at: envelope.received_at,
        is_repeat: envelope.is_repeat,
        envelope: envelope.id,
        forced: false,
    };
    envelope.alerts.iter().map(event).collect()
}

/// Who says what fires no more: the Alertmanager there, if there is one, or long silence.
pub(super) fn absent(url: Option<&str>) -> Absent {
    let config = url.map(|url| AlertmanagerConfig {
        name: "am".to_owned(),
        url: url.parse().unwrap(),
        external_url: None,
        basic_auth: None,
        bearer_token: None,
    });
    let client = worker::feishu::http_client(Duration::from_secs(5), None).unwrap();
    let alertmanagers = Alertmanagers::new(client, config.into_iter().collect(), Vec::new());
    Absent::new(alertmanagers, DedupConfig::default().remember)
}
