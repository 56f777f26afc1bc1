//! What the task that listens can be told to do.

use std::io;
use std::time::Duration;

use tokio::sync::oneshot;

/// To the task that listens. `done` is answered once the order is carried out.
pub(crate) enum Order {
    /// Stop listening and end all connections; come back by itself after a while, or only when told.
    Away { back_after: Option<Duration>, done: oneshot::Sender<io::Result<()>> },
    /// Listen again.
    Back { done: oneshot::Sender<io::Result<()>> },
}
