//! Optional: keeps alerts on local disk while the queue does not take them, for senders that do not repeat what was
//! answered with 503. Grafana is one: it sends once per flush of a group.
//!
//! Order: from the first alert that was stored here until the queue has confirmed the last one, all alerts of this
//! process go through the spool, behind those before them. None of them waits for a time-out of the queue; that the
//! queue is back is found out by the replay.

mod health;
mod metrics;
mod pending;
mod record;
mod replay;
mod store;
mod writer;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use config::SpoolConfig;
use prometheus::Registry;
use queue::{Message, MessageDestination, PublishError, Publisher, Publishing};
use runtime::lifecycle::{Condition, Lifecycle, Readiness};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use health::SpoolHealth;
use metrics::SpoolMetrics;
use pending::PendingAnswers;
use replay::Replayer;
use store::Store;
use writer::{Job, SpoolCommand, SpoolWriter};

pub use store::OpenError;

/// How many of these bytes, at the beginning of a segment, are whole records.
#[cfg(any(fuzzing, test))]
pub(crate) fn whole_records(bytes: &[u8]) -> usize {
    let mut read = 0;
    loop {
        let offset = u64::try_from(read).unwrap_or(u64::MAX);
        let place = record::Place { segment: 0, offset };
        match record::read(place, bytes.get(read..).unwrap_or_default()) {
            record::RecordAt::Record(_, length) => read += length,
            record::RecordAt::Incomplete | record::RecordAt::Corrupt => return read,
        }
    }
}

/// Publishes that wait for the disk; more are refused at once. What their bodies take has `limits.bodies_bytes`.
const WAITING_MAX: usize = 1024;
/// How long a publish waits for the disk. A write that takes longer may still be stored, and then replayed.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// A spool that is open but not in use yet; or none, where none is configured.
pub struct Spool(Option<Opened>);

struct Opened {
    store: Store,
    bytes_max: u64,
    can_take: Condition,
    metrics: SpoolMetrics,
}

/// A queue with a spool in front of it.
#[derive(Clone, Debug)]
pub struct Spooled {
    queue: Arc<dyn Publisher>,
    spool: Option<Handle>,
}

#[derive(Clone, Debug)]
struct Handle {
    /// How long the queue's answer is waited for before the disk is asked.
    patience: Duration,
    commands: mpsc::Sender<SpoolCommand>,
    in_use: Arc<AtomicBool>,
    metrics: SpoolMetrics,
}

impl Spool {
    /// Opens the directory, if there is one, for this process alone.
    pub fn open(config: Option<&SpoolConfig>, registry: &Registry) -> Result<Self, OpenError> {
        let Some(config) = config else { return Ok(Self(None)) };
        let metrics = SpoolMetrics::register(registry)?;
        let store = Store::open(config, metrics.clone())?;
        Ok(Self(Some(Opened { store, bytes_max: config.max_bytes, can_take: Condition::default(), metrics })))
    }

    /// The condition for the queue's publisher to keep up to date. With a spool that can take alerts, the process is
    /// ready without it: taking it out of a load balancer would waste what the spool is for.
    pub fn queue_condition(&self, readiness: &Readiness) -> Condition {
        match &self.0 {
            None => readiness.condition("queue"),
            Some(opened) => readiness.either("queue and spool", opened.can_take.clone()),
        }
    }

    /// Puts it in front of a queue, whose answer is waited for as long as `patience` before alerts go to disk. What an
    /// earlier process has left is replayed first.
    pub fn over(
        self,
        queue: Arc<dyn Publisher>,
        patience: Duration,
        lifecycle: &Lifecycle,
    ) -> io::Result<Spooled> {
        let stop = lifecycle.stop.clone();
        self.over_by(queue, patience, lifecycle, |keeper, asked| {
            std::thread::Builder::new().name("spool".to_owned()).spawn(move || {
                // A panic ends the process: one that looks alive and stores nothing would be worse.
                let guard = stop.drop_guard();
                keeper.run(asked);
                let _still_running = guard.disarm();
            })?;
            Ok(())
        })
    }

    /// The same without a thread, for a simulation.
    pub fn over_in_task(
        self,
        queue: Arc<dyn Publisher>,
        patience: Duration,
        lifecycle: &Lifecycle,
    ) -> io::Result<Spooled> {
        self.over_by(queue, patience, lifecycle, |keeper, asked| {
            lifecycle.spawn_detached(keeper.run_as_task(asked));
            Ok(())
        })
    }

    fn over_by(
        self,
        queue: Arc<dyn Publisher>,
        patience: Duration,
        lifecycle: &Lifecycle,
        start: impl FnOnce(SpoolWriter, mpsc::Receiver<SpoolCommand>) -> io::Result<()>,
    ) -> io::Result<Spooled> {
        let Some(Opened { store, bytes_max, can_take, metrics }) = self.0 else {
            return Ok(Spooled { queue, spool: None });
        };
        let mut alarm = SpoolHealth::new(store.folder().display().to_string(), can_take.clone());
        let in_use = Arc::new(AtomicBool::new(!store.is_empty()));
        if !store.is_empty() {
            alarm.found(store.held_bytes());
        }
        let (commands, asked) = mpsc::channel(WAITING_MAX);
        let pending = PendingAnswers::default();
        let keeper = SpoolWriter {
            store,
            bytes_max,
            alarm,
            metrics: metrics.clone(),
            pending: pending.clone(),
            in_use: Arc::clone(&in_use),
        };
        start(keeper, asked)?;
        let replayer = Replayer {
            queue: Arc::clone(&queue),
            commands: commands.clone(),
            can_take,
            metrics: metrics.clone(),
            pending,
            stop: lifecycle.stop.clone(),
        };
        lifecycle.spawn_essential("the replay of the spool", replayer.run());
        Ok(Spooled { queue, spool: Some(Handle { patience, commands, in_use, metrics }) })
    }
}

impl Publisher for Spooled {
    fn publish(&self, messages: Vec<Message>) -> Publishing {
        let is_alert = |message: &Message| matches!(message.to, MessageDestination::Alerts { .. });
        // What people do in Feishu is not for later: Feishu sends it again, or the person presses again.
        match &self.spool {
            Some(spool) if messages.iter().all(is_alert) => {
                let queue = Arc::clone(&self.queue);
                let spool = spool.clone();
                Box::pin(async move { spool.publish(&*queue, messages).await })
            }
            Some(_) | None => self.queue.publish(messages),
        }
    }
}

impl Handle {
    async fn publish(&self, queue: &dyn Publisher, messages: Vec<Message>) -> Result<(), PublishError> {
        if self.in_use.load(Ordering::Acquire) {
            let full = || PublishError::Refused("the spool is full or cannot be written to".to_owned());
            return if self.keep(messages, None).await { Ok(()) } else { Err(full()) };
        }
        let mut answer = queue.publish_until_answered(messages.clone());
        // Each cause may pass, and a sender that does not repeat itself cares for none: the queue is away (unreachable),
        // stuck (timed out; whether it is stored its answer will say), flooded (busy), or at a limit of its own (refused).
        let (error, answer) = match timeout(self.patience, &mut answer).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => (error, None),
            Err(_) => (PublishError::TimedOut, Some(answer)),
        };
        if self.keep(messages, answer).await { Ok(()) } else { Err(error) }
    }

    /// Whether the messages are on disk. `answer` is the queue's, where that is still to come.
    async fn keep(&self, messages: Vec<Message>, answer: Option<Publishing>) -> bool {
        let count = messages.len();
        let (stored, reply) = oneshot::channel();
        if self.commands.try_send(SpoolCommand::Keep(Job { messages, answer, stored })).is_err() {
            self.metrics.refused(count);
            return false;
        }
        if let Ok(reply) = timeout(STORE_TIMEOUT, reply).await {
            return reply.unwrap_or(false);
        }
        self.metrics.failed(count);
        false
    }
}

#[cfg(test)]
mod tests;
