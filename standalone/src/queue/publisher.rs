//! The publishing side of the embedded queue.

use std::sync::Arc;

use shared::queue::{Message, PublishError, Publisher};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::keeper::Job;
use super::{SqliteQueue, UNCONFIRMED_BYTES_MAX};

/// Publishes to the embedded queue. Clones share it.
#[derive(Clone, Debug)]
pub struct SqlitePublisher(Arc<SqliteQueue>);

impl SqlitePublisher {
    pub(super) fn new(queue: SqliteQueue) -> Self {
        Self(Arc::new(queue))
    }

    async fn submit(&self, messages: Vec<Message>) -> Result<(), PublishError> {
        let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
        let room = u32::try_from(bytes.min(UNCONFIRMED_BYTES_MAX)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.0.room).try_acquire_many_owned(room).map_err(|_| PublishError::Busy)?;
        let (confirmed, confirmation) = oneshot::channel();
        self.0.jobs.try_send(Job { messages, confirmed, room }).map_err(|error| match error {
            TrySendError::Full(_) => PublishError::Busy,
            TrySendError::Closed(_) => PublishError::Unreachable,
        })?;
        confirmation.await.unwrap_or(Err(PublishError::Unreachable))
    }
}

impl Publisher for SqlitePublisher {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), PublishError> {
        if messages.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let outcome = tokio::time::timeout(self.0.limits.publish_timeout, self.submit(messages)).await;
        let outcome = outcome.unwrap_or(Err(PublishError::TimedOut));
        self.0.metrics.published(started.elapsed(), &outcome);
        outcome
    }
}
