//! Optional: keeps alerts on local disk while the queue does not take them, for senders that do not repeat what was
//! answered with 503. Grafana is one: it sends once per flush of a group.
//!
//! Order: from the first alert that was stored here until the queue has confirmed the last one, all alerts of this
//! process go through the spool, behind those before them. None of them waits for a time-out of the queue; that the
//! queue is back is found out by the replay.

mod alarm;
mod keeper;
mod metrics;
mod record;
mod replay;
mod store;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prometheus::Registry;
use shared::config::SpoolConfig;
use shared::lifecycle::{Condition, Lifecycle, Readiness};
use shared::queue::{Destination, Message, PublishError, Publisher};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use alarm::Alarm;
use keeper::{Command, Job, Keeper};
use metrics::SpoolMetrics;
use replay::Replayer;
use store::Store;

pub use store::OpenError;

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
#[derive(Debug)]
pub struct Spooled<P> {
    queue: Arc<P>,
    spool: Option<Handle>,
}

#[derive(Debug)]
struct Handle {
    commands: mpsc::Sender<Command>,
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

    /// Puts it in front of a queue. What an earlier process has left is replayed first.
    pub fn over<P: Publisher>(self, queue: P, lifecycle: &Lifecycle) -> io::Result<Spooled<P>> {
        let queue = Arc::new(queue);
        let Some(Opened { store, bytes_max, can_take, metrics }) = self.0 else {
            return Ok(Spooled { queue, spool: None });
        };
        let mut alarm = Alarm::new(store.folder().display().to_string(), can_take.clone());
        let in_use = Arc::new(AtomicBool::new(!store.is_empty()));
        if !store.is_empty() {
            alarm.found(store.held_bytes());
        }
        let (commands, asked) = mpsc::channel(WAITING_MAX);
        let keeper =
            Keeper { store, bytes_max, alarm, metrics: metrics.clone(), in_use: Arc::clone(&in_use) };
        let stop = lifecycle.stop.clone();
        std::thread::Builder::new().name("spool".to_owned()).spawn(move || {
            // A panic ends the process: one that looks alive and stores nothing would be worse.
            let guard = stop.drop_guard();
            keeper.run(asked);
            let _still_running = guard.disarm();
        })?;
        let replayer = Replayer {
            queue: Arc::clone(&queue),
            commands: commands.clone(),
            can_take,
            metrics: metrics.clone(),
            stop: lifecycle.stop.clone(),
        };
        lifecycle.spawn_essential("the replay of the spool", replayer.run());
        Ok(Spooled { queue, spool: Some(Handle { commands, in_use, metrics }) })
    }
}

impl<P: Publisher> Publisher for Spooled<P> {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), PublishError> {
        let is_alert = |message: &Message| matches!(message.to, Destination::Alerts { .. });
        let Some(spool) = &self.spool else { return self.queue.publish(messages).await };
        // What people do in Feishu is not for later: Feishu sends it again, or the person presses again.
        if !messages.iter().all(is_alert) {
            return self.queue.publish(messages).await;
        }
        if spool.in_use.load(Ordering::Acquire) {
            let full = || PublishError::Refused("the spool is full or cannot be written to".to_owned());
            return if spool.keep(messages).await { Ok(()) } else { Err(full()) };
        }
        match self.queue.publish(messages.clone()).await {
            Ok(()) => Ok(()),
            // Each cause may pass, and a sender that does not repeat itself cares for none: the queue is away
            // (unreachable), stuck (timed out; it may have stored it, and the ledger absorbs the repeat), flooded
            // (busy), or at a limit of its own (refused).
            Err(error) => {
                if spool.keep(messages).await {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }
}

impl Handle {
    /// Whether the messages are on disk.
    async fn keep(&self, messages: Vec<Message>) -> bool {
        let (count, (stored, answer)) = (messages.len(), oneshot::channel());
        if self.commands.try_send(Command::Keep(Job { messages, stored })).is_err() {
            self.metrics.refused(count);
            return false;
        }
        if let Ok(answer) = timeout(STORE_TIMEOUT, answer).await {
            return answer.unwrap_or(false);
        }
        self.metrics.failed(count);
        false
    }
}

#[cfg(test)]
mod tests;
