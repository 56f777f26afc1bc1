//! `larkfire-ingest`: takes alerts over HTTP and puts them on RabbitMQ. Here and not in `main.rs`, because `larkfire` is this program
//! too when it is called by its name.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use crate::Settings;
use crate::spool::Spool;
use clap::{Parser, Subcommand};
use config::check::probe::Probe;
use config::check::{self, CheckOptions, Role};
use config::command_line::{self, CommonCommand};
use config::process::{self, Start, StartError};
use config::version::VERSION_AND_COMMIT;
use config::{self, Config, ConfigErrors};
use queue::QueueMetrics;
use queue::rabbitmq::RabbitMq;
use queue::rabbitmq::probe::broker;
use runtime::telemetry::admin::Page;

const EXAMPLES: &str = "\
Examples:
  AMQP_URL=amqp://guest:guest@127.0.0.1 larkfire-ingest
      listen on 127.0.0.1:8080 and put what comes on the queue
  LARKFIRE_LISTEN=0.0.0.0:8080 API_KEYS=key1,key2 larkfire-ingest --config /etc/larkfire.yaml
      listen to the network, for senders that show one of two keys
  larkfire-ingest check --online
      whether the configuration is right, and whether the broker answers

Then:
  curl -i http://127.0.0.1:8080/api/alert -d '{\"message\":\"Disk full on db-1\",\"sender_id\":\"me\"}'
  curl http://127.0.0.1:9095/readyz         whether the queue is reachable

Alertmanager and Grafana send to http://HOST:8080/api/alert, or to /api/alert/RECEIVER.
Every setting can be a variable or a key of the file; docs/configuration.md lists them.
Exit codes: 0 told to stop, 64 bad configuration, 1 failed start or failed part.";

/// Takes alerts from Alertmanager, Grafana and anything that can POST JSON, and puts them on a RabbitMQ queue.
///
/// An alert is answered with 202 once the queue has it durably, and with 503 if the sender should try again. Any
/// number of these can run; larkfire-worker takes the alerts from the queue. `larkfire` is both in one process.
#[derive(Parser)]
#[command(version = VERSION_AND_COMMIT, after_help = EXAMPLES)]
struct Cli {
    /// The configuration file (YAML); without it the environment alone is read
    #[arg(long, short, env = "LARKFIRE_CONFIG", hide_env_values = true, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<IngestCommand>,
}

#[derive(Subcommand)]
enum IngestCommand {
    /// Says what is wrong with the configuration, or what it comes to
    Check(CheckOptions),
    #[command(flatten)]
    Common(CommonCommand),
}

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let Cli { config, command } = match command_line::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match command {
        Some(IngestCommand::Common(common)) => {
            command_line::run::<Cli>(common, || config::load(config.as_deref(), &[]))
        }
        None => process::run(move || runnable(config.as_deref()), start),
        Some(IngestCommand::Check(options)) => {
            check::command(&runnable(config.as_deref()), Role::Ingest, options, probe)
        }
    }
}

/// The settings of an ingest that is to run.
fn runnable(file: Option<&Path>) -> Result<Config, ConfigErrors> {
    config::load(file, &[crate::problems, config::tls_problems, config::needs_queue])
}

async fn probe(config: &Config) -> Vec<Probe> {
    broker(config).await
}

async fn start(start: Start) -> Result<Vec<Box<dyn Page>>, StartError> {
    let Start { config, reloads, lifecycle, registry } = start;
    if let Some(queue) = &config.queue {
        let broker = RabbitMq::new(queue, &lifecycle, QueueMetrics::register(&registry)?)?;
        let spool = Spool::open(config.spool.as_ref(), &registry)?;
        let publisher = broker.publisher(spool.queue_condition(&lifecycle.readiness));
        let publisher = Arc::new(spool.over(Arc::new(publisher), queue.publish_timeout, &lifecycle)?);
        crate::run(Settings::from_config(&config, reloads), publisher, &registry, &lifecycle)?;
    }
    Ok(Vec::new())
}
