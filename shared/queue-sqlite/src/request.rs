//! What publishers and consumers ask of the task that owns the file.

use queue::{Delivery, Message, PublishError, Subscription};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// One `publish`.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) messages: Vec<Message>,
    pub(super) confirmed: oneshot::Sender<Result<(), PublishError>>,
    /// The room its bytes take until they are committed.
    pub(super) room: OwnedSemaphorePermit,
}

/// What is deferred for a receiver is to return before its time.
#[derive(Debug)]
pub(super) struct RecallRequest {
    pub(super) receiver: String,
}

/// A consumer asks for messages.
#[derive(Debug)]
pub(super) struct ReceiveRequest {
    pub(super) which: Subscription,
    pub(super) reply: oneshot::Sender<Vec<Delivery>>,
}
