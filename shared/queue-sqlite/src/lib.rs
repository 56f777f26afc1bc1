//! The embedded queue: the traits of `queue` over one SQLite file, for one process.
//!
//! One task, the keeper, owns the file. What is published while it commits goes into the next commit together,
//! so one sync to disk pays for many messages. Who has which message in hand is known in memory only: a lock
//! file keeps every other process out, so after a crash nobody has anything, and all of it is delivered again.

mod actor;
mod consumer;
mod depth;
mod error;
mod lock;
mod publisher;
mod request;
mod reserved_space;
mod returns;
mod schema;
mod store;
mod subscriptions;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use queue::{QueueMetrics, Subscription};
use runtime::clock::Clock;
use runtime::data_dir::QUEUE_FILE;
use runtime::lifecycle::Lifecycle;
use tokio::sync::{Semaphore, mpsc, watch};

pub use consumer::SqliteConsumer;
pub use error::OpenError;
pub use publisher::SqlitePublisher;

use actor::{Health, QueueActor};
use lock::Lock;
use request::{Job, RecallRequest, ReceiveRequest};
use reserved_space::ReservedSpace;
use store::Store;

/// Publishes that wait for the keeper; more are answered `Busy` at once.
const JOBS_MAX: usize = 4096;
/// Consumers that ask at once; a further one waits to ask.
const DEMANDS_MAX: usize = 64;
/// Receivers whose deferred messages are to return early; of a further one they keep their pauses.
const RECALLS_MAX: usize = 1024;
/// Bytes of all messages taken on and not committed; more are answered `Busy` at once.
const UNCONFIRMED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What the embedded queue may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the file; a publish that would not fit is refused, as on a full disk.
    pub stored_bytes_max: u64,
    /// How long a publish may take, from the call to the commit.
    pub publish_timeout: Duration,
    /// Unsettled messages of one subscription, over all its consumers.
    pub in_hand_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stored_bytes_max: 2 * 1024 * 1024 * 1024,
            publish_timeout: Duration::from_secs(2),
            in_hand_max: 2_000,
        }
    }
}

/// The embedded queue of one process. Clones share it; it closes when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct SqliteQueue {
    jobs: mpsc::Sender<Job>,
    demands: mpsc::Sender<ReceiveRequest>,
    recalls: mpsc::Sender<RecallRequest>,
    room: Arc<Semaphore>,
    limits: Limits,
    lifecycle: Lifecycle,
    metrics: QueueMetrics,
}

impl SqliteQueue {
    /// Opens the queue in `directory`, or makes one. Refuses if another process has it. Adds the condition
    /// "queue" to the readiness: it does not hold while nothing can be stored.
    pub async fn open(
        directory: &Path,
        limits: Limits,
        lifecycle: &Lifecycle,
        clock: Clock,
        metrics: QueueMetrics,
    ) -> Result<Self, OpenError> {
        let lock = Lock::take(directory)?;
        let mut ballast = ReservedSpace::lay(directory);
        if ballast.volume_is_full() {
            // Opening writes too: the index of the log, or a log that a crash has left.
            ballast.spend();
        }
        let file = directory.join(QUEUE_FILE);
        let store = Store::open(&file, limits.stored_bytes_max).await?;
        let (jobs, waiting_jobs) = mpsc::channel(JOBS_MAX);
        let (demands, waiting_demands) = mpsc::channel(DEMANDS_MAX);
        let (recalls, waiting_recalls) = mpsc::channel(RECALLS_MAX);
        let (all_settled, settled) = watch::channel(true);
        let health = Health::new(lifecycle.readiness.condition("queue"));
        let keeper =
            QueueActor::new(store, ballast, health, limits.in_hand_max, clock, metrics.clone(), all_settled)
                .await
                .map_err(OpenError::sqlite(&file))?;
        let stop = lifecycle.stop.clone();
        // Not on the tracker: requests and deliveries of tracked tasks need it until the very end.
        lifecycle.spawn_detached(async move {
            // A process whose queue has panicked would look alive and do nothing.
            let guard = stop.drop_guard();
            keeper.run(waiting_jobs, waiting_demands, waiting_recalls).await;
            drop(lock);
            let _still_running = guard.disarm();
        });
        lifecycle.tasks.spawn(drained(lifecycle.stop.clone(), settled));
        let room = Arc::new(Semaphore::new(UNCONFIRMED_BYTES_MAX));
        Ok(Self { jobs, demands, recalls, room, limits, lifecycle: lifecycle.clone(), metrics })
    }

    /// A publisher.
    pub fn publisher(&self) -> SqlitePublisher {
        SqlitePublisher::new(self.clone())
    }

    /// A consumer; those of one subscription compete.
    pub fn subscribe(&self, which: Subscription) -> SqliteConsumer {
        SqliteConsumer::new(self, which)
    }
}

/// What a shutdown waits for: everything that was handed out is settled, and that is on disk.
async fn drained(stop: tokio_util::sync::CancellationToken, mut all_settled: watch::Receiver<bool>) {
    stop.cancelled().await;
    // An error means that the keeper has ended, and it ends only when everything is settled.
    let _ended = all_settled.wait_for(|all| *all).await;
}
