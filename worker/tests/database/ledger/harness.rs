//! A database of a test's own, workers on it, and a clock the test sets.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, DedupConfig, Secret};
use jiff::Timestamp;
use model::alert::Status;
use model::envelope::EnvelopeId;
use prometheus::Registry;
use runtime::clock::Clock;
use worker::ledger::{Event, Ledger};
use worker::store::Store;

use crate::databases::Database;

/// When a test begins, in seconds since 1970.
const BEGIN: i64 = 1_700_000_000;

/// The receiver of every event that names no other.
pub(crate) const RECEIVER: &str = "ops";

/// The database, and the time.
pub(crate) struct Harness {
    pub(crate) database: Database,
    now: Arc<AtomicI64>,
    pub(crate) config: DedupConfig,
}

/// A worker's ledger.
pub(crate) struct Worker {
    pub(crate) ledger: Ledger,
    pub(crate) store: Store,
    registry: Registry,
}

impl Harness {
    pub(crate) fn on(database: Database) -> Self {
        Self { database, now: Arc::new(AtomicI64::new(BEGIN)), config: DedupConfig::default() }
    }

    /// A worker of its own: what two of them share is in the database.
    pub(crate) fn worker(&self) -> Worker {
        // Longer than any test takes under load: a deadline that strikes would be an outage.
        let timeout = Duration::from_secs(30);
        self.worker_with(&DatabaseConfig {
            url: Some(Secret::new(self.database.url())),
            tls: ClientTls::default(),
            connections: 4,
            timeout,
        })
    }

    /// A worker that reaches its database in its own way.
    pub(crate) fn worker_with(&self, config: &DatabaseConfig) -> Worker {
        let registry = Registry::new();
        let store = Store::open(config, Path::new("."), &registry).expect("a store");
        let clock = self.clock();
        let ledger = Ledger::new(store.clone(), self.config, clock, &registry).expect("a ledger");
        Worker { ledger, store, registry }
    }

    /// The time of all workers.
    pub(crate) fn clock(&self) -> Clock {
        let now = Arc::clone(&self.now);
        Clock::from_fn(move || at(now.load(Ordering::SeqCst) - BEGIN))
    }

    /// Sets all clocks to so many seconds after the beginning.
    pub(crate) fn set_clock(&self, seconds: i64) {
        self.now.store(BEGIN + seconds, Ordering::SeqCst);
    }
}

impl Worker {
    /// A counter of the ledger's.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == format!("larkfire_ledger_{name}"));
        let metric = &family.expect("a metric of this name").get_metric()[0];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter of few")]
        let value = metric.get_counter().get_value() as u64;
        value
    }
}

/// So many seconds after the beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + seconds).expect("a time")
}

pub(crate) fn envelope(number: u32) -> EnvelopeId {
    EnvelopeId::new(at(0), [7; 10]).part(number)
}

/// An alert that began with the test and was received so many seconds later.
pub(crate) fn event(fingerprint: &str, status: Status, received: i64, number: u32) -> Event<'_> {
    Event {
        receiver: RECEIVER,
        fingerprint,
        status,
        starts_at: Some(at(0)),
        ends_at: None,
        received_at: at(received),
        is_repeat: false,
        envelope: envelope(number),
        forced: false,
    }
}

pub(crate) fn firing(fingerprint: &str, received: i64, number: u32) -> Event<'_> {
    event(fingerprint, Status::Firing, received, number)
}

pub(crate) fn resolved(fingerprint: &str, received: i64, number: u32) -> Event<'_> {
    event(fingerprint, Status::Resolved, received, number)
}
