//! One ingest: its clock, its publisher, perhaps a spool. Requests come in as envelopes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ::ingest::spool::{Spool, Spooled};
use config::SpoolConfig;
use jiff::{SignedDuration, Timestamp};
use model::envelope::{Envelope, encode};
use prometheus::Registry;
use queue::{Headers, Message, MessageDestination, Publisher};
use runtime::lifecycle::{Lifecycle, Tasks};

use crate::broker::Broker;
use crate::ports::{Links, PUBLISH_TIMEOUT, SimPublisher};
use crate::world::World;

/// The most a spool holds.
const SPOOL_BYTES_MAX: u64 = 1 << 20;

pub(crate) struct Ingest {
    world: World,
    pub(crate) links: Links,
    spool: Option<PathBuf>,
    running: Arc<RunningIngest>,
    offset_ms: Arc<AtomicI64>,
}

/// One start of it.
struct RunningIngest {
    lifecycle: Lifecycle,
    publisher: Spooled,
}

impl Ingest {
    pub(crate) fn start(
        world: &World,
        broker: &Broker,
        number: usize,
        is_embedded: bool,
        spool: Option<PathBuf>,
    ) -> Self {
        let links = Links::new(world, broker, format!("ingest {number}"), is_embedded);
        let running = RunningIngest::start(&links, spool.clone());
        Self { world: world.clone(), links, spool, running, offset_ms: Arc::default() }
    }

    /// `kill -9`, and a new one in its place.
    pub(crate) fn restart(&mut self) {
        self.world.say(|| format!("{} dies, and is started again", self.links.name));
        self.running.lifecycle.tasks.kill();
        self.links.drop_all();
    }

    /// The new one, once the old one has let go of its files.
    pub(crate) fn start_again(&mut self) {
        self.running = RunningIngest::start(&self.links, self.spool.clone());
    }

    /// Its clock is set right.
    pub(crate) fn set_clock(&self) {
        self.offset_ms.store(0, Ordering::Relaxed);
    }

    pub(crate) fn jump(&self, by_ms: i64) {
        self.world.say(|| format!("the clock of {} jumps by {by_ms} ms", self.links.name));
        self.offset_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// What its clock says.
    pub(crate) fn now(&self) -> Timestamp {
        self.world.now() + SignedDuration::from_millis(self.offset_ms.load(Ordering::Relaxed))
    }

    /// Takes a request; `true` is a 202. The future is the request's own: what is behind it may die meanwhile.
    pub(crate) fn accept(&self, envelope: &Envelope<'_>) -> impl Future<Output = bool> + Send + 'static {
        let shard_key = envelope.shard_key();
        let messages: Vec<_> = encode(envelope)
            .unwrap_or_default()
            .into_iter()
            .map(|line| Message {
                to: MessageDestination::Alerts { shard_key },
                body: line.bytes,
                headers: Headers::default(),
            })
            .collect();
        let running = Arc::clone(&self.running);
        async move {
            let request = running.lifecycle.tasks.spawn({
                let running = Arc::clone(&running);
                async move { running.publisher.publish(messages).await.is_ok() }
            });
            // A process that died answers nobody.
            request.await.unwrap_or(false)
        }
    }
}

impl RunningIngest {
    fn start(links: &Links, spool: Option<PathBuf>) -> Arc<Self> {
        let lifecycle = Lifecycle { tasks: Tasks::killable(), ..Lifecycle::default() };
        let registry = Registry::new();
        let config = spool.map(|dir| SpoolConfig { dir, max_bytes: SPOOL_BYTES_MAX });
        let opened = Spool::open(config.as_ref(), &registry);
        let spool = opened.unwrap_or_else(|error| fail(&error));
        let publisher = Arc::new(SimPublisher(links.clone()));
        let publisher =
            spool.over_in_task(publisher, PUBLISH_TIMEOUT, &lifecycle).unwrap_or_else(|error| fail(&error));
        Arc::new(Self { lifecycle, publisher })
    }
}

#[expect(clippy::panic, reason = "a simulation that cannot be set up ends")]
fn fail<T>(error: &dyn std::error::Error) -> T {
    panic!("the simulation cannot be set up: {error}")
}
