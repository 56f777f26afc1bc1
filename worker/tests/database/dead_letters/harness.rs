//! Dead letters in a database of the test's own, at a time of its choice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use config::{ClientTls, DatabaseConfig, Secret};
use jiff::Timestamp;
use prometheus::Registry;
use queue::{
    Consumer, DeadLetterId, Delivery, Failure, FailureMarks, Headers, Reason, Receiving, Replay, Settlement,
};
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use tokio::sync::mpsc;

use crate::databases::Database;
use worker::dead_letters::{DeadLetterMetrics, DeadLetters, Filter, Mover, Order, StoredDeadLetter};
use worker::metrics::Metrics;
use worker::store::Store;
use worker::store::sql::execute;

/// Half past ten, when the first alerts die.
pub(super) const HALF_PAST_TEN: i64 = 1_705_314_600;

/// A queue with one message on it.
struct OneMessage(Option<Delivery>);

impl Consumer for OneMessage {
    fn receive(&mut self) -> Receiving<'_> {
        Box::pin(std::future::ready(self.0.take().map(|delivery| vec![delivery])))
    }
}

pub(super) struct Harness {
    pub(super) letters: DeadLetters,
    pub(super) store: Store,
    clock: Clock,
    now: Arc<AtomicI64>,
    pub(super) database: Database,
}

impl Harness {
    pub(super) fn on(database: Database) -> Self {
        let now = Arc::new(AtomicI64::new(HALF_PAST_TEN));
        let time = Arc::clone(&now);
        let clock = Clock::from_fn(move || Timestamp::from_second(time.load(Ordering::Relaxed)).unwrap());
        let registry = Registry::new();
        let (letters, store) = letters(database.url(), clock.clone(), Duration::from_secs(20), &registry);
        Self { letters, store, clock, now, database }
    }

    pub(super) fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_secs()).unwrap(), Ordering::Relaxed);
    }

    /// The letters of a worker that starts where the schema was left at this version.
    pub(super) async fn with_schema_of(&self, version: i64) -> DeadLetters {
        let statements = match self.database {
            Database::MariaDb(_) | Database::Postgres(_) => {
                vec![format!("DELETE FROM larkfire_schema WHERE version > {version}")]
            }
            // What a later step adds is not there yet; in a file each step is done once, in the transaction that says so.
            Database::Sqlite(_) => vec![
                format!("PRAGMA user_version = {version}"),
                "ALTER TABLE larkfire_cards DROP COLUMN format".to_owned(),
                "ALTER TABLE larkfire_audit DROP COLUMN reason".to_owned(),
            ],
        };
        let store = &self.store;
        for statement in &statements {
            store.within(|| execute(store.pool(), statement, &[])).await.unwrap();
        }
        letters(self.database.url(), self.clock.clone(), Duration::from_secs(20), &Registry::new()).0
    }

    /// Lets `PostgreSQL` know how many letters have what: else all indexes are the same to it.
    pub(super) async fn count_for_plans(&self) {
        if let Database::Postgres(_) = self.database {
            let store = &self.store;
            store.within(|| execute(store.pool(), "ANALYZE larkfire_dead_letters", &[])).await.unwrap();
        }
    }

    /// Keeps what is in a message.
    pub(super) async fn keep(&self, body: impl Into<Bytes>, headers: &Headers) {
        let (settled, mut settlements) = mpsc::unbounded_channel();
        let consumer = OneMessage(Some(Delivery::new(body.into(), headers.clone(), 1, settled)));
        let metrics = Metrics::register(&Registry::new()).unwrap();
        Mover::new(self.letters.clone(), metrics, Lifecycle::default()).run(Box::new(consumer)).await;
        assert_eq!(settlements.recv().await, Some(Settlement::Done { tag: 1 }));
    }

    pub(super) async fn find(&self, filter: &Filter) -> Vec<StoredDeadLetter> {
        self.letters.find(filter, Order::OldestFirst, 1_000).await.unwrap()
    }

    pub(super) async fn all(&self) -> Vec<StoredDeadLetter> {
        self.find(&Filter::default()).await
    }

    pub(super) async fn the_only_one(&self) -> StoredDeadLetter {
        let mut all = self.all().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }
}

/// Dead letters in that database.
pub(super) fn letters(
    url: String,
    clock: Clock,
    timeout: Duration,
    registry: &Registry,
) -> (DeadLetters, Store) {
    let url = Some(Secret::new(url));
    let config = DatabaseConfig { url, tls: ClientTls::default(), connections: 2, timeout };
    let store = Store::open(&config, Path::new("."), registry).unwrap();
    let letters = DeadLetters::new(store.clone(), clock, DeadLetterMetrics::register(registry).unwrap());
    (letters, store)
}

/// The line of an envelope with one alert, `index` of them apart.
pub(super) fn line(index: usize) -> String {
    format!(
        r#"{{"v":1,"id":"018d0d1e-3b7a-7c3e-9f00-{index:012x}","received_at":"2024-01-15T10:30:00Z","source":"alertmanager","receiver":"ops","group_key":"g","alerts":[{{"fingerprint":"f{index}","status":"firing","labels":{{"alertname":"Alert{index}","severity":"critical"}}}}]}}"#
    )
}

/// What the worker says about a message it dead-letters, so many seconds after half past ten.
pub(super) fn refused(second: i64) -> Headers {
    let failure = Failure {
        reason: Reason::Refused,
        receiver: "ops".to_owned(),
        code: Some(19024),
        message: "Key Words Not Found".to_owned(),
        attempts: 1,
        first_failed_at: Timestamp::from_second(HALF_PAST_TEN).unwrap(),
        last_failed_at: Timestamp::from_second(HALF_PAST_TEN + second).unwrap(),
        marks: FailureMarks::default(),
    };
    Headers { failure: Some(failure), ..Headers::default() }
}

/// The same after a replay.
pub(super) fn refused_again(second: i64, letter: DeadLetterId) -> Headers {
    Headers { replay: Some(Replay { letter, forced: false }), ..refused(second) }
}
