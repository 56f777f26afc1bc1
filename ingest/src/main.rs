//! `larkfire-ingest`: takes alerts over HTTP and puts them on RabbitMQ.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ingest::Settings;
use ingest::spool::Spool;
use shared::config;
use shared::process::{self, Start, StartError};
use shared::queue::QueueMetrics;
use shared::queue::rabbitmq::RabbitMq;
use shared::telemetry::admin::Page;

const EXAMPLES: &str = "\
Examples:
  AMQP_URL=amqp://guest:guest@127.0.0.1 larkfire-ingest
      listen on 127.0.0.1:8080 and put what comes on the queue
  LARKFIRE_LISTEN=0.0.0.0:8080 API_KEYS=key1,key2 larkfire-ingest --config /etc/larkfire.yaml
      listen to the network, for senders that show one of two keys

Then:
  curl -i http://127.0.0.1:8080/api/alert -d '{\"message\":\"Disk full on db-1\",\"sender_id\":\"me\"}'
  curl http://127.0.0.1:9095/readyz         whether the queue is reachable

Alertmanager and Grafana send to http://HOST:8080/api/alert, or to /api/alert/RECEIVER.
Every setting can be a variable or a key of the file; README.md lists them.
Exit codes: 0 told to stop, 64 bad configuration, 1 failed start or failed part.";

/// Takes alerts from Alertmanager, Grafana and anything that can POST JSON, and puts them on a RabbitMQ queue.
///
/// An alert is answered with 202 once the queue has it durably, and with 503 if the sender should try again. Any
/// number of these can run; larkfire-worker takes the alerts from the queue. `larkfire` is both in one process.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    /// The configuration file (YAML); without it the environment alone is read
    #[arg(long, short, env = "LARKFIRE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let load =
        move || config::load(cli.config.as_deref()).and_then(ingest::checked).and_then(config::with_queue);
    process::run(load, start)
}

async fn start(start: Start) -> Result<Vec<Box<dyn Page>>, StartError> {
    let Start { config, reloads, lifecycle, registry } = start;
    if let Some(queue) = &config.queue {
        let broker = RabbitMq::new(queue, &lifecycle, QueueMetrics::register(&registry)?)?;
        let spool = Spool::open(config.spool.as_ref(), &registry)?;
        let publisher = broker.publisher(spool.queue_condition(&lifecycle.readiness));
        let publisher = spool.over(publisher, &lifecycle)?;
        ingest::run(Settings::from_config(&config, reloads), publisher, &registry, &lifecycle)?;
    }
    Ok(Vec::new())
}
