//! The publishing side: hands messages to the owner of a connection and waits for the confirm, not for ever.

mod owner;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::alarm::Alarm;
use super::pack::{Caller, Part};
use super::reachability::Reachability;
use super::recall::Recaller;
use super::topology::{Names, Route};
use super::{RabbitMq, stop_if_it_panics};
use crate::{Headers, Message, PublishError, Publisher, Publishing, QueueMetrics};
use owner::PublisherOwner;
use runtime::lifecycle::Condition;

/// Publishes that wait for one owner; more are answered `Busy` at once.
const JOBS_MAX: usize = 1024;
/// Bytes of all messages taken on and not confirmed, for one publisher; more are answered `Busy` at once. A
/// single publish that is larger is taken when it is alone.
const UNCONFIRMED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The messages of one `publish`, in their order.
type Job = Vec<Part>;

/// A message and its place.
struct Unsent {
    route: Route,
    body: Bytes,
    headers: Headers,
    alone: bool,
}

/// Publishes through several connections. Clones share them.
#[derive(Clone, Debug)]
pub struct RabbitPublisher(Arc<PublisherState>);

#[derive(Debug)]
struct PublisherState {
    names: Names,
    owners: Vec<Handle>,
    /// Where the next publish begins to look for an owner.
    next: AtomicUsize,
    room: Arc<Semaphore>,
    timeout: Duration,
    reachability: Arc<Reachability>,
    alarm: Alarm,
    metrics: QueueMetrics,
    /// Notified when what is deferred is to come back.
    recalled: Arc<Notify>,
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
        let connections = rabbit.config.publish_connections.max(1);
        Self::start_for(rabbit, condition, "publishing", "larkfire publisher", connections)
    }

    /// The same for a purpose that is said in the log, with a name for the broker's list of connections.
    pub(super) fn start_for(
        rabbit: &RabbitMq,
        condition: Condition,
        purpose: &'static str,
        name: &'static str,
        connections: usize,
    ) -> Self {
        let alarm = rabbit.alarm.clone();
        let reachability = Arc::new(Reachability::of_publisher(purpose, condition, alarm.clone()));
        let link = rabbit.link(name);
        let unused = CancellationToken::new();
        let owners = (0..connections).map(|_| {
            let (jobs, waiting_jobs) = mpsc::channel(JOBS_MAX);
            let up = Arc::new(AtomicBool::new(false));
            let owner = PublisherOwner {
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
        let wanted = Arc::new(Notify::new());
        let recaller = Recaller {
            link: rabbit.link("larkfire recall"),
            wanted: Arc::clone(&wanted),
            unused: unused.clone(),
            stop: rabbit.lifecycle.stop.clone(),
        };
        let recaller = stop_if_it_panics(rabbit.lifecycle.stop.clone(), recaller.run());
        rabbit.lifecycle.spawn_detached(recaller);
        Self(Arc::new(PublisherState {
            recalled: wanted,
            names: rabbit.names.clone(),
            owners: owners.collect(),
            _in_use: unused.drop_guard(),
            next: AtomicUsize::new(0),
            room: Arc::new(Semaphore::new(UNCONFIRMED_BYTES_MAX)),
            timeout: rabbit.config.publish_timeout,
            reachability,
            alarm,
            metrics: rabbit.metrics.clone(),
        }))
    }
}

/// How long a publish is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// For `queue.publish_timeout`, or until the broker has an alarm.
    Limited,
    /// What was written within that time, until its connection answers or breaks.
    UntilAnswered,
}

impl Publisher for RabbitPublisher {
    fn publish(&self, messages: Vec<Message>) -> Publishing {
        self.begin(messages, Patience::Limited)
    }

    fn publish_until_answered(&self, messages: Vec<Message>) -> Publishing {
        self.begin(messages, Patience::UntilAnswered)
    }

    fn recall(&self, _receiver: &str) {
        self.0.recalled.notify_one();
    }
}

impl RabbitPublisher {
    fn begin(&self, messages: Vec<Message>, patience: Patience) -> Publishing {
        let state = Arc::clone(&self.0);
        let parts = messages.into_iter().map(|Message { to, body, headers }| {
            let route = state.names.route(to);
            let alone = false;
            Unsent { route, body, headers, alone }
        });
        let parts = parts.collect();
        Box::pin(async move { state.publish(parts, patience).await })
    }

    /// Publishes a message to a place the topology has, as a message of its own.
    pub(super) async fn publish_to(
        &self,
        route: Route,
        body: Bytes,
        headers: Headers,
    ) -> Result<(), PublishError> {
        self.0.publish(vec![Unsent { route, body, headers, alone: true }], Patience::Limited).await
    }
}

impl PublisherState {
    async fn publish(&self, messages: Vec<Unsent>, patience: Patience) -> Result<(), PublishError> {
        if messages.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let outcome = self.publish_unless_refused(messages, patience).await;
        self.metrics.published(started.elapsed(), &outcome);
        outcome
    }

    async fn publish_unless_refused(
        &self,
        messages: Vec<Unsent>,
        patience: Patience,
    ) -> Result<(), PublishError> {
        if let Some(reason) = self.alarm.reason() {
            return Err(self.unless_away(PublishError::Refused(reason)));
        }
        if patience == Patience::UntilAnswered {
            return self.send(messages).await;
        }
        tokio::select! {
            biased;
            // One deadline covers waiting for a place, for a connection and for the confirm.
            outcome = tokio::time::timeout(self.timeout, self.send(messages)) => match outcome {
                Ok(outcome) => outcome,
                Err(_) => Err(self.unless_away(PublishError::TimedOut)),
            },
            // What is on its way to a broker with an alarm is stored when that is over, if at all.
            () = self.alarm.until(true) => Err(PublishError::TimedOut),
        }
    }

    async fn send(&self, messages: Vec<Unsent>) -> Result<(), PublishError> {
        let (job, confirmations) = self.job(messages)?;
        self.hand_over(job)?;
        for confirmation in confirmations {
            // An owner that lost its connection drops what it had sent: no confirm will come for it.
            confirmation.await.unwrap_or(Err(PublishError::Unreachable))?;
        }
        Ok(())
    }

    fn job(&self, messages: Vec<Unsent>) -> Result<(Job, Vec<Confirmation>), PublishError> {
        let write_by = Instant::now() + self.timeout;
        let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
        let room = u32::try_from(bytes.min(UNCONFIRMED_BYTES_MAX)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room)
            .try_acquire_many_owned(room)
            .map_err(|_| self.unless_away(PublishError::Busy))?;
        let room = Arc::new(room);
        Ok(messages
            .into_iter()
            .map(|Unsent { route, body, headers, alone }| {
                let (confirmed, confirmation) = oneshot::channel();
                let caller = Caller { confirmed, write_by, _room: Arc::clone(&room) };
                (Part { route, body, headers, alone, caller }, confirmation)
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
