//! Ingest and worker in one process, with an embedded queue on disk between them.

pub mod explain;
pub mod queue;

use shared::clock::Clock;
use shared::process::{Start, StartError};
use shared::queue::rabbitmq::RabbitMq;
use shared::queue::{Consumer, Publisher, QueueMetrics, Subscription};
use shared::telemetry::admin::Page;
use tracing::info;

use queue::{Limits, SqliteQueue};

/// Brings everything up: the queue (embedded, or RabbitMQ where its URL is set), then the worker, then ingest,
/// so that nothing is accepted before it can be delivered.
pub async fn start(start: Start) -> Result<Vec<Box<dyn Page>>, StartError> {
    let Start { config, lifecycle, registry, .. } = &start;
    let metrics = QueueMetrics::register(registry)?;
    if let Some(rabbit) = &config.queue {
        let rabbit = RabbitMq::new(rabbit, lifecycle, metrics)?;
        let publisher = rabbit.publisher(lifecycle.readiness.condition("queue"));
        let consumer =
            rabbit.subscribe(Subscription::Alerts, lifecycle.readiness.condition("queue consumer"));
        return roles(&start, publisher, consumer);
    }
    let queue =
        SqliteQueue::open(&config.data_dir, Limits::default(), lifecycle, Clock::system(), metrics).await?;
    info!(data_dir = %config.data_dir.display(), "embedded queue in {}", config.data_dir.display());
    roles(&start, queue.publisher(), queue.subscribe(Subscription::Alerts))
}

fn roles<P: Publisher + Clone>(
    Start { config, reloads, lifecycle, registry }: &Start,
    publisher: P,
    consumer: impl Consumer,
) -> Result<Vec<Box<dyn Page>>, StartError> {
    let pages =
        worker::start(config.into(), (consumer, publisher.clone()), registry, Clock::system(), lifecycle)?;
    ingest::run(ingest::Settings::from_config(config, reloads.clone()), publisher, registry, lifecycle)?;
    Ok(pages)
}
