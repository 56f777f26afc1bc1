//! The publishing side of the embedded queue.

use std::sync::Arc;
use std::time::Duration;

use queue::{Message, PublishError, Publisher, Publishing};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::request::{Job, RecallRequest};
use super::{SqliteQueue, UNCONFIRMED_BYTES_MAX};

/// Publishes to the embedded queue. Clones share it.
#[derive(Clone, Debug)]
pub struct SqlitePublisher(Arc<SqliteQueue>);

impl SqlitePublisher {
    pub(super) fn new(queue: SqliteQueue) -> Self {
        Self(Arc::new(queue))
    }

    /// Publishes, and waits for the commit no longer than `limit`.
    fn measured(&self, messages: Vec<Message>, limit: Option<Duration>) -> Publishing {
        let queue = Arc::clone(&self.0);
        Box::pin(async move {
            if messages.is_empty() {
                return Ok(());
            }
            let started = Instant::now();
            let submitted = submit(&queue, messages);
            let outcome = match limit {
                Some(limit) => timeout(limit, submitted).await.unwrap_or(Err(PublishError::TimedOut)),
                None => submitted.await,
            };
            queue.metrics.published(started.elapsed(), &outcome);
            outcome
        })
    }
}

async fn submit(queue: &SqliteQueue, messages: Vec<Message>) -> Result<(), PublishError> {
    let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
    let room = u32::try_from(bytes.min(UNCONFIRMED_BYTES_MAX)).unwrap_or(u32::MAX);
    let room = Arc::clone(&queue.room).try_acquire_many_owned(room).map_err(|_| PublishError::Busy)?;
    let (confirmed, confirmation) = oneshot::channel();
    queue.jobs.try_send(Job { messages, confirmed, room }).map_err(|error| match error {
        TrySendError::Full(_) => PublishError::Busy,
        TrySendError::Closed(_) => PublishError::Unreachable,
    })?;
    confirmation.await.unwrap_or(Err(PublishError::Unreachable))
}

impl Publisher for SqlitePublisher {
    fn publish(&self, messages: Vec<Message>) -> Publishing {
        self.measured(messages, Some(self.0.limits.publish_timeout))
    }

    /// A commit always ends, so its answer always comes.
    fn publish_until_answered(&self, messages: Vec<Message>) -> Publishing {
        self.measured(messages, None)
    }

    fn recall(&self, receiver: &str) {
        // With so many before it that there is no place, its messages return when their pauses end.
        let _too_many = self.0.recalls.try_send(RecallRequest { receiver: receiver.to_owned() });
    }
}
