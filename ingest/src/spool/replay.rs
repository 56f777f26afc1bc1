//! Brings what is in the spool to the queue, in order, as soon as the queue takes it.

use std::sync::Arc;
use std::time::Duration;

use shared::lifecycle::Condition;
use shared::queue::{PublishError, Publisher};
use shared::retry::RetryPolicy;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::keeper::Command;
use super::metrics::SpoolMetrics;
use super::store::Batch;

/// How often a disk that could not store is tried, so that `/readyz` does not wait for a request that never comes.
const PROBE_PAUSE: Duration = Duration::from_secs(1);

/// One at a time, so that the order is kept.
pub(super) struct Replayer<P> {
    pub(super) queue: Arc<P>,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) can_take: Condition,
    pub(super) metrics: SpoolMetrics,
    pub(super) stop: CancellationToken,
}

impl<P: Publisher> Replayer<P> {
    /// Replays until the stop. What it has in hand then is finished or stays.
    pub(super) async fn run(self) {
        loop {
            let next = tokio::select! {
                () = self.stop.cancelled() => return,
                next = self.next() => next,
            };
            // The thread is gone only after a panic, which stops the process.
            let Some(batch) = next else { return self.stop.cancelled().await };
            self.replay(batch).await;
        }
    }

    async fn next(&self) -> Option<Batch> {
        let (reply, mut next) = oneshot::channel();
        self.commands.send(Command::Next(reply)).await.ok()?;
        loop {
            tokio::select! {
                batch = &mut next => return batch.ok(),
                () = sleep(PROBE_PAUSE) => {
                    if !self.can_take.holds() {
                        self.commands.send(Command::Probe).await.ok()?;
                    }
                }
            }
        }
    }

    async fn replay(&self, mut batch: Batch) {
        let mut pauses = RetryPolicy::RECONNECT.pauses();
        let (mut failing, mut count) = (false, batch.len());
        while !batch.is_empty() && !self.stop.is_cancelled() {
            count = count.min(batch.len());
            let messages = batch.iter().take(count).map(|(message, _)| message.clone()).collect();
            match self.queue.publish(messages).await {
                Ok(()) => {
                    let confirmed = batch.drain(..count).next_back();
                    self.metrics.replayed(count);
                    if let Some((_, end)) = confirmed
                        && self.commands.send(Command::Done(end)).await.is_err()
                    {
                        return;
                    }
                    (failing, pauses) = (false, RetryPolicy::RECONNECT.pauses());
                    count = count.saturating_mul(2);
                }
                Err(error) => {
                    report(&error, &mut failing);
                    // One that timed out may be stored all the same, so what is tried again and again is small.
                    count = 1;
                    let pause =
                        pauses.after_failure(rand::random(), None).unwrap_or(RetryPolicy::RECONNECT.cap);
                    tokio::select! {
                        () = self.stop.cancelled() => return,
                        () = sleep(pause) => {}
                    }
                }
            }
        }
    }
}

/// Says once that the spool waits.
fn report(error: &PublishError, failing: &mut bool) {
    if !std::mem::replace(failing, true) {
        warn!(%error, "what the spool holds has to wait: {error}; trying for ever");
    }
}
