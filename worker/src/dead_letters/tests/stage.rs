//! Dead letters in a database of the test's own, at a time of its choice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use prometheus::Registry;
use shared::clock::Clock;
use shared::config::{DatabaseConfig, Secret};
use shared::queue::{Failure, Headers, LetterId, Reason, Replay};
use tempfile::TempDir;
use testkit::mariadb::TestDatabase;

use crate::dead_letters::burial::split;
use crate::dead_letters::read::Order;
use crate::dead_letters::{DeadLetterMetrics, DeadLetters, Filter, Letter};
use crate::store::Store;

/// Half past ten, when the first alerts die.
pub(super) const HALF_PAST_TEN: i64 = 1_705_314_600;

pub(super) struct Stage {
    pub(super) letters: DeadLetters,
    now: Arc<AtomicI64>,
    _kept: (Option<TestDatabase>, TempDir),
}

impl Stage {
    pub(super) async fn mariadb() -> Self {
        let database = TestDatabase::create().await;
        let url = database.url();
        Self::new(Some(url), Some(database))
    }

    pub(super) fn sqlite() -> Self {
        Self::new(None, None)
    }

    fn new(url: Option<String>, database: Option<TestDatabase>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicI64::new(HALF_PAST_TEN));
        let time = Arc::clone(&now);
        let clock = Clock::from_fn(move || Timestamp::from_second(time.load(Ordering::Relaxed)).unwrap());
        let registry = Registry::new();
        let letters = letters(url, folder.path(), clock, (Duration::from_secs(20), &registry));
        Self { letters, now, _kept: (database, folder) }
    }

    pub(super) fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_secs()).unwrap(), Ordering::Relaxed);
    }

    /// Keeps what is in a message.
    pub(super) async fn keep(&self, body: impl Into<Bytes>, headers: &Headers) {
        let burials = split(&body.into(), headers, self.letters.clock.now());
        self.letters.keep(&burials).await.unwrap();
    }

    pub(super) async fn find(&self, filter: &Filter) -> Vec<Letter> {
        self.letters.find(filter, Order::OldestFirst, 1_000).await.unwrap()
    }

    pub(super) async fn all(&self) -> Vec<Letter> {
        self.find(&Filter::default()).await
    }

    pub(super) async fn the_only_one(&self) -> Letter {
        let mut all = self.all().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }
}

/// Dead letters in that database, or in a file of that folder.
pub(super) fn letters(
    url: Option<String>,
    folder: &Path,
    clock: Clock,
    (timeout, registry): (Duration, &Registry),
) -> DeadLetters {
    let config = DatabaseConfig { url: url.map(Secret::new), connections: 2, timeout };
    let store = Store::open(&config, folder, registry).unwrap();
    DeadLetters::new(store, clock, DeadLetterMetrics::register(registry).unwrap())
}

/// The line of an envelope with one alert, `index` of them apart.
pub(super) fn line(index: usize) -> String {
    format!(
        r#"{{"v":1,"id":"018d0d1e-3b7a-7c3e-9f00-{index:012x}","received_at":"2024-01-15T10:30:00Z","source":"alertmanager","receiver":"ops","group_key":"g","alerts":[{{"fingerprint":"f{index}","status":"firing","labels":{{"alertname":"Alert{index}","severity":"critical"}}}}]}}"#
    )
}

/// What the worker says about a message it buries, so many seconds after half past ten.
pub(super) fn refused(second: i64) -> Headers {
    let failure = Failure {
        reason: Reason::Refused,
        receiver: "ops".to_owned(),
        code: Some(19024),
        message: "Key Words Not Found".to_owned(),
        attempts: 1,
        first_failed_at: Timestamp::from_second(HALF_PAST_TEN).unwrap(),
        last_failed_at: Timestamp::from_second(HALF_PAST_TEN + second).unwrap(),
    };
    Headers { failure: Some(failure), ..Headers::default() }
}

/// The same after a replay.
pub(super) fn refused_again(second: i64, letter: LetterId) -> Headers {
    Headers { replay: Some(Replay { letter, forced: false }), ..refused(second) }
}
