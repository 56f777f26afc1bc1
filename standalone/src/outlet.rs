//! The way to the pipeline for `dead-letters replay` and `send-test`: RabbitMQ where that is configured, else the process that
//! has the embedded queue, else the queue itself.

use prometheus::Registry;
use shared::clock::Clock;
use shared::config::Config;
use shared::lifecycle::Lifecycle;
use shared::queue::rabbitmq::RabbitPublisher;
use shared::queue::{Message, PublishError, Publisher, QueueMetrics};
use worker::command::{CommandError, Outlet, broker};

use crate::control::ControlClient;
use crate::queue::{Limits, OpenError, SqlitePublisher, SqliteQueue};

/// One of the three.
#[derive(Debug)]
pub enum Way {
    /// RabbitMQ.
    Broker(RabbitPublisher),
    /// The process that has the queue.
    Running(ControlClient),
    /// The queue, which nobody else has.
    Own(SqlitePublisher),
}

impl Publisher for Way {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), PublishError> {
        match self {
            Self::Broker(publisher) => publisher.publish(messages).await,
            Self::Running(client) => client.publish(messages).await,
            Self::Own(publisher) => publisher.publish(messages).await,
        }
    }
}

/// Finds the way. While the queue is opened by the command no process can start on it; that takes moments.
pub async fn outlet(config: &Config, lifecycle: &Lifecycle) -> Result<Outlet<Way>, CommandError> {
    if config.queue.is_some() {
        return Ok(Outlet { publisher: Way::Broker(broker(config, lifecycle)?), is_read: true });
    }
    let failed = |error: &dyn std::error::Error| CommandError::Failed(error.to_string());
    let metrics = QueueMetrics::register(&Registry::new()).map_err(|error| failed(&error))?;
    let limits = Limits::default();
    match SqliteQueue::open(&config.data_dir, limits, lifecycle, Clock::system(), metrics).await {
        Ok(queue) => Ok(Outlet { publisher: Way::Own(queue.publisher()), is_read: false }),
        Err(OpenError::InUse(data_dir)) => match ControlClient::connect(&data_dir).await {
            Ok(client) => Ok(Outlet { publisher: Way::Running(client), is_read: true }),
            Err(error) => Err(CommandError::Failed(format!(
                "a larkfire works on {} but does not take anything from here ({error}): run this as its user, or \
                 while it is stopped",
                data_dir.display()
            ))),
        },
        Err(error) => Err(failed(&error)),
    }
}
