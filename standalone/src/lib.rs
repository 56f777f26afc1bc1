//! Ingest and worker in one process, with an embedded queue on disk between them.

pub mod control;
pub mod explain;
pub mod migrate;
pub mod preview;
pub mod program;
pub mod transport;

use std::sync::Arc;

use config::process::{Start, StartError};
use ingest::spool::Spool;
use queue::rabbitmq::RabbitMq;
use queue::{Consumer, Publisher, QueueMetrics, Subscription};
use runtime::clock::Clock;
use runtime::telemetry::admin::Page;
use tracing::info;
use worker::Queue;

use queue_sqlite::{Limits, SqliteQueue};

/// Brings everything up: the queue (embedded, or RabbitMQ where its URL is set), then the worker, then ingest,
/// so that nothing is accepted before it can be delivered.
pub async fn start(start: Start) -> Result<Vec<Box<dyn Page>>, StartError> {
    let Start { config, lifecycle, registry, .. } = &start;
    let metrics = QueueMetrics::register(registry)?;
    if let Some(rabbit) = &config.queue {
        let patience = rabbit.publish_timeout;
        let rabbit = RabbitMq::new(rabbit, lifecycle, metrics)?;
        let spool = Spool::open(config.spool.as_ref(), registry)?;
        let publisher = rabbit.publisher(spool.queue_condition(&lifecycle.readiness));
        let subscribe = |which, condition| {
            Box::new(rabbit.subscribe(which, lifecycle.readiness.condition(condition))) as Box<dyn Consumer>
        };
        let alerts = subscribe(Subscription::Alerts, "queue consumer");
        let dead = subscribe(Subscription::Dead, "dead letters");
        let interactions = subscribe(Subscription::Interactions, "interactions");
        let publisher: Arc<dyn Publisher> = Arc::new(publisher);
        let spooled = Arc::new(spool.over(Arc::clone(&publisher), patience, lifecycle)?);
        return roles(&start, spooled, Queue { alerts, dead, interactions, publisher });
    }
    let queue =
        SqliteQueue::open(&config.data_dir, Limits::default(), lifecycle, Clock::system(), metrics).await?;
    info!(data_dir = %config.data_dir.display(), "the queue is embedded");
    if !config.receivers.is_empty() {
        preview::mark(&config.data_dir).map_err(|error| format!("{}: {error}", config.data_dir.display()))?;
    }
    let publisher: Arc<dyn Publisher> = Arc::new(queue.publisher());
    control::listen(&config.data_dir, &publisher, lifecycle);
    let [alerts, dead, interactions] = [Subscription::Alerts, Subscription::Dead, Subscription::Interactions]
        .map(|which| Box::new(queue.subscribe(which)) as Box<dyn Consumer>);
    roles(&start, Arc::clone(&publisher), Queue { alerts, dead, interactions, publisher })
}

fn roles(
    Start { config, reloads, lifecycle, registry }: &Start,
    of_ingest: Arc<dyn Publisher>,
    of_worker: Queue,
) -> Result<Vec<Box<dyn Page>>, StartError> {
    let mut settings = worker::Settings::from_config(config, reloads.clone());
    if let Some(console) = &mut settings.console {
        console.explains = Some(Arc::new(explain::Explainer::new(config.clone())));
    }
    let pages = worker::start(settings, of_worker, registry, Clock::system(), lifecycle)?;
    ingest::run(ingest::Settings::from_config(config, reloads.clone()), of_ingest, registry, lifecycle)?;
    Ok(pages)
}
