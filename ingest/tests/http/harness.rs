//! An ingest of a test's own, and the queue behind it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use config::{GateConfig, IngestLimits, LarkConfig, Locale, Reloads, Secret};
use ingest::hooks::Hooks;
use ingest::{Addressing, Settings};
use jiff::tz::TimeZone;
use prometheus::Registry;
use queue::{Message, PublishError, Publisher, Publishing};
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use tokio::sync::watch;

/// Longer than anything here takes; a test that waits for it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the queue does with what it is given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behaviour {
    Confirm,
    /// Waits until the behaviour changes, and then does that.
    Hold,
    Fail(fn() -> PublishError),
}

/// A queue in memory.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    behaviour: watch::Sender<Behaviour>,
    waiting: watch::Sender<usize>,
    stored: Arc<Mutex<Vec<Message>>>,
}

impl Queue {
    fn new() -> Self {
        let behaviour = watch::Sender::new(Behaviour::Confirm);
        let waiting = watch::Sender::new(0);
        Self { behaviour, waiting, stored: Arc::default() }
    }

    pub(crate) fn will(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
    }

    pub(crate) fn stored(&self) -> Vec<Message> {
        self.stored.lock().unwrap().clone()
    }

    /// Resolves once that many publishes have arrived.
    pub(crate) async fn asked(&self, publishes: usize) {
        let mut waiting = self.waiting.subscribe();
        within(waiting.wait_for(|asked| *asked >= publishes)).await.unwrap();
    }
}

impl Publisher for Queue {
    fn publish(&self, messages: Vec<Message>) -> Publishing {
        self.waiting.send_modify(|asked| *asked += 1);
        let mut behaviour = self.behaviour.subscribe();
        let stored = Arc::clone(&self.stored);
        Box::pin(async move {
            let settled = *behaviour.wait_for(|now| !matches!(now, Behaviour::Hold)).await.unwrap();
            match settled {
                Behaviour::Fail(error) => Err(error()),
                Behaviour::Confirm | Behaviour::Hold => {
                    stored.lock().unwrap().extend(messages);
                    Ok(())
                }
            }
        })
    }
}

/// A running ingest.
pub(crate) struct Harness {
    pub(crate) address: SocketAddr,
    pub(crate) queue: Queue,
    pub(crate) registry: Registry,
    pub(crate) lifecycle: Lifecycle,
}

impl Harness {
    /// One without a gate and with roomy limits.
    pub(crate) fn open() -> Self {
        Self::with(|_| {})
    }

    /// One with settings changed.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            tls: None,
            gate: GateConfig::default(),
            lark: LarkConfig::default(),
            locale: Locale::En,
            reloads: Reloads::none(),
            limits: IngestLimits {
                connections: 64,
                header_bytes: 16 << 10,
                body_bytes: 32 << 20,
                bodies_bytes: 128 << 20,
                header_timeout: PATIENCE,
                keep_alive: PATIENCE,
                body_timeout: PATIENCE,
            },
            addressing: Addressing {
                receivers: ["default", "db team"].map(str::to_owned).into(),
                chats: BTreeMap::from([("oc_dba".to_owned(), "db team".to_owned())]),
                unnamed: Some("default".to_owned()),
            },
            hooks: Hooks::default(),
            sources: [].into(),
            timezone: TimeZone::UTC,
            ignore_labels: [].into(),
            keep_labels: [].into(),
            clock: Clock::from_fn(|| "2026-03-02T07:16:00.5Z".parse().unwrap()),
        };
        change(&mut settings);
        let queue = Queue::new();
        let registry = Registry::new();
        let lifecycle = Lifecycle::default();
        let address = ingest::run(settings, Arc::new(queue.clone()), &registry, &lifecycle).unwrap();
        Self { address, queue, registry, lifecycle }
    }

    /// One that asks for credentials: the key `k1`, or `ops:s3cret`.
    pub(crate) fn guarded() -> Self {
        Self::with(|settings| {
            settings.gate.api_keys = vec![Secret::new("k1")];
            settings.gate.basic_auth = vec![Secret::new("ops:s3cret")];
            settings.gate.alert_bot_ids = vec!["disk_watch".to_owned()];
        })
    }

    /// The value of a metric, by its line up to the space.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = prometheus::TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no metric {name} in\n{text}")).parse().unwrap()
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.lifecycle.stop.cancel();
    }
}

/// The outcome, if it comes in time.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("nothing happened within {PATIENCE:?}"))
}
