//! The way to the pipeline for `dead-letters replay` and `send-test`: RabbitMQ where that is configured, else the process that
//! has the embedded queue, else the queue itself.

use std::sync::Arc;

use config::Config;
use prometheus::Registry;
use queue::QueueMetrics;
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use worker::command::{CommandError, ReplayPublisher, broker};

use crate::control::ControlClient;
use queue_sqlite::{Limits, OpenError, SqliteQueue};

/// Finds the way. While the queue is opened by the command no process can start on it; that takes moments.
pub async fn outlet(config: &Config, lifecycle: &Lifecycle) -> Result<ReplayPublisher, CommandError> {
    if config.queue.is_some() {
        return Ok(ReplayPublisher { publisher: Arc::new(broker(config, lifecycle)?), is_read: true });
    }
    let failed = |error: &dyn std::error::Error| CommandError::Failed(error.to_string());
    let metrics = QueueMetrics::register(&Registry::new()).map_err(|error| failed(&error))?;
    let limits = Limits::default();
    match SqliteQueue::open(&config.data_dir, limits, lifecycle, Clock::system(), metrics).await {
        Ok(queue) => Ok(ReplayPublisher { publisher: Arc::new(queue.publisher()), is_read: false }),
        Err(OpenError::InUse(data_dir)) => match ControlClient::connect(&data_dir).await {
            Ok(client) => Ok(ReplayPublisher { publisher: Arc::new(client), is_read: true }),
            Err(error) => Err(CommandError::Failed(format!(
                "a larkfire works on {} but does not take anything from here ({error}): run this as its user, or \
                 while it is stopped",
                data_dir.display()
            ))),
        },
        Err(error) => Err(failed(&error)),
    }
}
