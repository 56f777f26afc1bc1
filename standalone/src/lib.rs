//! Ingest and worker in one process, with an embedded queue on disk between them.

pub mod control;
pub mod explain;
pub mod outlet;
pub mod queue;

use ingest::spool::Spool;
use shared::clock::Clock;
use shared::process::{Start, StartError};
use shared::queue::rabbitmq::RabbitMq;
use shared::queue::{Consumer, Publisher, QueueMetrics, Subscription};
use shared::telemetry::admin::Page;
use tracing::info;
use worker::Queue;

use queue::{Limits, SqliteQueue};

/// Brings everything up: the queue (embedded, or RabbitMQ where its URL is set), then the worker, then ingest,
/// so that nothing is accepted before it can be delivered.
pub async fn start(start: Start) -> Result<Vec<Box<dyn Page>>, StartError> {
    let Start { config, lifecycle, registry, .. } = &start;
    let metrics = QueueMetrics::register(registry)?;
    if let Some(rabbit) = &config.queue {
        let rabbit = RabbitMq::new(rabbit, lifecycle, metrics)?;
        let spool = Spool::open(config.spool.as_ref(), registry)?;
        let publisher = rabbit.publisher(spool.queue_condition(&lifecycle.readiness));
        let alerts = rabbit.subscribe(Subscription::Alerts, lifecycle.readiness.condition("queue consumer"));
        let dead = rabbit.subscribe(Subscription::Dead, lifecycle.readiness.condition("dead letters"));
        let interactions =
            rabbit.subscribe(Subscription::Interactions, lifecycle.readiness.condition("interactions"));
        let spooled = spool.over(publisher.clone(), lifecycle)?;
        return roles(&start, spooled, Queue { alerts, dead, interactions, publisher });
    }
    let queue =
        SqliteQueue::open(&config.data_dir, Limits::default(), lifecycle, Clock::system(), metrics).await?;
    info!(data_dir = %config.data_dir.display(), "embedded queue in {}", config.data_dir.display());
    control::listen(&config.data_dir, queue.publisher(), lifecycle);
    let [alerts, dead, interactions] = [Subscription::Alerts, Subscription::Dead, Subscription::Interactions]
        .map(|which| queue.subscribe(which));
    let publisher = queue.publisher();
    roles(&start, queue.publisher(), Queue { alerts, dead, interactions, publisher })
}

fn roles(
    Start { config, reloads, lifecycle, registry }: &Start,
    of_ingest: impl Publisher,
    of_worker: Queue<impl Consumer, impl Consumer, impl Consumer, impl Publisher>,
) -> Result<Vec<Box<dyn Page>>, StartError> {
    let settings = worker::Settings::from_config(config, reloads.clone());
    let pages = worker::start(settings, of_worker, registry, Clock::system(), lifecycle)?;
    ingest::run(ingest::Settings::from_config(config, reloads.clone()), of_ingest, registry, lifecycle)?;
    Ok(pages)
}
