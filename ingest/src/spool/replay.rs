//! Brings what is in the spool to the queue, in order, as soon as the queue takes it.

use std::sync::Arc;
use std::time::Duration;

use queue::{Message, PublishError, Publisher};
use runtime::lifecycle::Condition;
use runtime::retry::RetryPolicy;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::metrics::SpoolMetrics;
use super::pending::PendingAnswers;
use super::record::Place;
use super::store::Batch;
use super::writer::SpoolCommand;

/// How often a disk that could not store is tried, so that `/readyz` does not wait for a request that never comes.
const PROBE_PAUSE: Duration = Duration::from_secs(1);

/// One at a time, so that the order is kept.
pub(super) struct Replayer {
    pub(super) queue: Arc<dyn Publisher>,
    pub(super) commands: mpsc::Sender<SpoolCommand>,
    pub(super) can_take: Condition,
    pub(super) metrics: SpoolMetrics,
    pub(super) pending: PendingAnswers,
    pub(super) stop: CancellationToken,
}

impl Replayer {
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
        self.commands.send(SpoolCommand::Next(reply)).await.ok()?;
        loop {
            tokio::select! {
                batch = &mut next => return batch.ok(),
                () = sleep(PROBE_PAUSE) => {
                    if !self.can_take.holds() {
                        self.commands.send(SpoolCommand::Probe).await.ok()?;
                    }
                }
            }
        }
    }

    async fn replay(&self, mut batch: Batch) {
        let mut pauses = RetryPolicy::RECONNECT.pauses();
        let mut failing = false;
        let mut count = batch.len();
        while let Some((_, first)) = batch.first() {
            if let Some(unanswered) = self.pending.take(*first) {
                let Some(answer) = self.unless_stopped(unanswered.answer).await else { return };
                // Else it is replayed like anything else.
                if answer.is_ok() {
                    let in_span = batch.iter().take_while(|(_, end)| *end <= unanswered.span.end);
                    let stored = in_span.count();
                    self.done(batch.drain(..stored)).await;
                }
                continue;
            }
            let next = self.pending.next_begin();
            let before_next =
                batch.iter().take_while(|(_, end)| next.is_none_or(|begin| *end <= begin)).count();
            count = count.clamp(1, before_next.max(1));
            let messages = batch.iter().take(count).map(|(message, _)| message.clone()).collect();
            let Some(answer) = self.unless_stopped(self.queue.publish_until_answered(messages)).await else {
                return;
            };
            match answer {
                Ok(()) => {
                    self.done(batch.drain(..count)).await;
                    failing = false;
                    pauses = RetryPolicy::RECONNECT.pauses();
                    count = count.saturating_mul(2);
                }
                Err(error) => {
                    report(&error, &mut failing);
                    // One whose connection broke may be stored all the same, so what is tried again and again is small.
                    count = 1;
                    let pause = pauses.after_failure(runtime::entropy::random(), None);
                    let pause = pause.unwrap_or(RetryPolicy::RECONNECT.cap);
                    if self.unless_stopped(sleep(pause)).await.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// The queue has these. The thread is gone only after a panic, which stops the process.
    async fn done(&self, confirmed: impl ExactSizeIterator<Item = (Message, Place)>) {
        self.metrics.replayed(confirmed.len());
        if let Some((_, end)) = confirmed.last() {
            let _gone = self.commands.send(SpoolCommand::Done(end)).await;
        }
    }

    /// What comes of it, or nothing once the process is to stop: what is in hand then stays on disk.
    async fn unless_stopped<T>(&self, task: impl Future<Output = T>) -> Option<T> {
        self.stop.run_until_cancelled(task).await
    }
}

/// Says once that the spool waits.
fn report(error: &PublishError, failing: &mut bool) {
    if !std::mem::replace(failing, true) {
        warn!(%error, "what the spool holds has to wait; trying for ever");
    }
}
