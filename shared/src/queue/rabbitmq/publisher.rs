//! The publishing side: hands messages to the owner of a connection and waits for the confirm, not for ever.

mod owner;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::connection::Link;
use super::pack::{Caller, Part};
use super::reachability::Reachability;
use super::topology::Names;
use super::{RabbitMq, stop_if_it_panics};
use crate::lifecycle::Condition;
use crate::queue::{Message, PublishError, Publisher, QueueMetrics};
use owner::Owner;

/// Publishes that wait for one owner; more are answered `Busy` at once.
const JOBS_MAX: usize = 1024;
/// Bytes of all messages taken on and not confirmed, for one publisher; more are answered `Busy` at once. A
/// single publish that is larger is taken when it is alone.
const UNCONFIRMED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The messages of one `publish`, in their order.
type Job = Vec<Part>;

/// Publishes through several connections. Clones share them.
#[derive(Clone, Debug)]
pub struct RabbitPublisher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    names: Names,
    owners: Vec<Handle>,
    /// Where the next publish begins to look for an owner.
    next: AtomicUsize,
    room: Arc<Semaphore>,
    timeout: Duration,
    reachability: Arc<Reachability>,
    metrics: QueueMetrics,
    /// Ends owners that still look for a connection; the others end with their channel.
    _in_use: DropGuard,
}

/// The way to one owner task.
#[derive(Debug)]
struct Handle {
    jobs: mpsc::Sender<Job>,
    /// Whether its connection is up.
    up: Arc<AtomicBool>,
}

impl RabbitPublisher {
    /// Starts the owners; they connect in the background, and go on until the last clone is dropped.
    ///
    /// They are not on the tracker: whoever publishes waits for its own confirm and is tracked itself, so
    /// when the tracked tasks are done the owners have nothing left to finish. On the tracker they
    /// would hold up every shutdown until the last handle is dropped.
    pub(super) fn start(rabbit: &RabbitMq, condition: Condition) -> Self {
        let reachability = Arc::new(Reachability::new("publishing", condition));
        let link =
            Link { address: rabbit.address.clone(), names: rabbit.names.clone(), name: "larkfire publisher" };
        let unused = CancellationToken::new();
        let owners = (0..rabbit.config.publish_connections.max(1)).map(|_| {
            let (jobs, waiting_jobs) = mpsc::channel(JOBS_MAX);
            let up = Arc::new(AtomicBool::new(false));
            let owner = Owner {
                link: link.clone(),
                reachability: Arc::clone(&reachability),
                up: Arc::clone(&up),
                window: rabbit.config.publish_window.max(1),
                metrics: rabbit.metrics.clone(),
                unused: unused.clone(),
            };
            let owner = stop_if_it_panics(rabbit.lifecycle.stop.clone(), owner.run(waiting_jobs));
            rabbit.lifecycle.spawn_detached(owner);
            Handle { jobs, up }
        });
        Self(Arc::new(Inner {
            names: rabbit.names.clone(),
            owners: owners.collect(),
            _in_use: unused.drop_guard(),
            next: AtomicUsize::new(0),
            room: Arc::new(Semaphore::new(UNCONFIRMED_BYTES_MAX)),
            timeout: rabbit.config.publish_timeout,
            reachability,
            metrics: rabbit.metrics.clone(),
        }))
    }
}

impl Publisher for RabbitPublisher {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), PublishError> {
        if messages.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        // One deadline covers waiting for a place, for a connection and for the confirm. Without it a publish
        // would hang on a blocked connection (memory or disk alarm), which reports no error.
        let outcome = match tokio::time::timeout(self.0.timeout, self.0.publish(messages)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.0.unless_away(PublishError::TimedOut)),
        };
        self.0.metrics.published(started.elapsed(), &outcome);
        outcome
    }
}

impl Inner {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), PublishError> {
        let (job, confirmations) = self.job(messages)?;
        self.hand_over(job)?;
        for confirmation in confirmations {
            // An owner that lost its connection drops what it had sent: no confirm will come for it.
            confirmation.await.unwrap_or(Err(PublishError::Unreachable))?;
        }
        Ok(())
    }

    fn job(&self, messages: Vec<Message>) -> Result<(Job, Vec<Confirmation>), PublishError> {
        let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
        let room = u32::try_from(bytes.min(UNCONFIRMED_BYTES_MAX)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room)
            .try_acquire_many_owned(room)
            .map_err(|_| self.unless_away(PublishError::Busy))?;
        let room = Arc::new(room);
        Ok(messages
            .into_iter()
            .map(|Message { to, body, headers }| {
                let (confirmed, confirmation) = oneshot::channel();
                let caller = Caller { confirmed, _room: Arc::clone(&room) };
                (Part { route: self.names.route(to), body, headers, caller }, confirmation)
            })
            .unzip())
    }

    /// Gives the job to one owner, so that its order is kept: one that is connected, in turn.
    fn hand_over(&self, mut job: Job) -> Result<(), PublishError> {
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.owners.len();
        let in_turn = self.owners[first..].iter().chain(&self.owners[..first]);
        let (up, down): (Vec<_>, Vec<_>) = in_turn.partition(|owner| owner.up.load(Ordering::Relaxed));
        for owner in up.into_iter().chain(down) {
            match owner.jobs.try_send(job) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(refused) | TrySendError::Closed(refused)) => job = refused,
            }
        }
        Err(self.unless_away(PublishError::Busy))
    }

    /// The reason to give: a broker that is away explains everything else.
    fn unless_away(&self, reason: PublishError) -> PublishError {
        if self.reachability.reachable() { reason } else { PublishError::Unreachable }
    }
}

type Confirmation = oneshot::Receiver<Result<(), PublishError>>;
