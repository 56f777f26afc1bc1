//! `larkfire-worker`: takes alerts off the queue and tells Feishu. Here and not in `main.rs`, because `larkfire` is this program
//! too when it is called by its name.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use crate::command::{self, CommandError, ReplayPublisher};
use crate::{Pages, Queue, Settings, probe};
use clap::{Parser, Subcommand};
use config::check::{self, CheckOptions, Role};
use config::command_line::{self, CommonCommand};
use config::process::{self, Start, StartError};
use config::version::VERSION_AND_COMMIT;
use config::{self, Config, ConfigErrors};
use queue::rabbitmq::RabbitMq;
use queue::{Consumer, QueueMetrics, Subscription};
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;

const EXAMPLES: &str = "\
Examples:
  AMQP_URL=amqp://guest:guest@127.0.0.1 FEISHU_WEBHOOK_URL=https://… larkfire-worker
                                               send cards to a custom bot
  AMQP_URL=… LARKFIRE_PREVIEW=true larkfire-worker             look at them instead
  larkfire-worker --config /etc/larkfire.yaml                several receivers, limits, everything else
  larkfire-worker check --online                             whether the configuration is right, and who answers
  larkfire-worker dead-letters list                          what could not be delivered
  larkfire-worker trace 9f86d081884c7d65                     what became of an alert
  larkfire-worker send-test ops                              whether the receiver ops is told of alerts

A preview prints cards and shows them at http://127.0.0.1:9095/preview instead of sending them; it takes its share of the alerts
from the workers beside it. Without a receiver and without a preview nothing starts.
Every setting can be a variable or a key of the file; docs/configuration.md lists them.
Exit codes: 0 told to stop, 64 bad configuration, 1 failed start or failed part.";

/// Takes alerts off RabbitMQ and tells people in Feishu.
///
/// Any number of workers may run side by side: each alert is taken by one of them, and a worker that dies gives back
/// what it had in hand.
#[derive(Parser)]
#[command(version = VERSION_AND_COMMIT, after_help = EXAMPLES)]
struct WorkerCli {
    /// The configuration file (YAML); without it the environment alone is read
    #[arg(long, short, env = "LARKFIRE_CONFIG", hide_env_values = true, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<WorkerCommand>,
}

#[derive(Subcommand)]
enum WorkerCommand {
    /// Says what is wrong with the configuration, or what it comes to
    Check(CheckOptions),
    #[command(flatten)]
    Operator(command::OperatorCommand),
    #[command(flatten)]
    Common(CommonCommand),
}

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let WorkerCli { config, command } = match command_line::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match command {
        None => process::run(move || runnable(config.as_deref()), start),
        Some(WorkerCommand::Check(options)) => {
            check::command(&runnable(config.as_deref()), Role::Worker, options, probe::everything)
        }
        Some(WorkerCommand::Common(common)) => {
            command_line::run::<WorkerCli>(common, || config::load(config.as_deref(), &[]))
        }
        // What a worker needs to run is not needed to look at dead letters.
        Some(WorkerCommand::Operator(command)) => {
            command::run(command, config::load(config.as_deref(), &[]), outlet)
        }
    }
}

/// The settings of a worker that is to run.
fn runnable(file: Option<&Path>) -> Result<Config, ConfigErrors> {
    config::load(
        file,
        &[crate::templates::problems, config::tls_problems, config::needs_queue, config::needs_receiver],
    )
}

/// The way back to the workers, whichever of them are running.
async fn outlet(config: &Config, lifecycle: &Lifecycle) -> Result<ReplayPublisher, CommandError> {
    let publisher = Arc::new(command::broker(config, lifecycle)?);
    Ok(ReplayPublisher { publisher, is_read: true })
}

async fn start(start: Start) -> Result<Pages, StartError> {
    let Start { config, reloads, lifecycle, registry } = start;
    let queue = config
        .queue
        .as_ref()
        .ok_or("no RabbitMQ is configured: set AMQP_URL, or run `larkfire`, which needs none")?;
    let rabbit = RabbitMq::new(queue, &lifecycle, QueueMetrics::register(&registry)?)?;
    let publisher = Arc::new(rabbit.publisher(lifecycle.readiness.condition("publishing")));
    let subscribe = |which, condition| {
        Box::new(rabbit.subscribe(which, lifecycle.readiness.condition(condition))) as Box<dyn Consumer>
    };
    let alerts = subscribe(Subscription::Alerts, "consuming");
    let dead = subscribe(Subscription::Dead, "consuming dead letters");
    let interactions = subscribe(Subscription::Interactions, "consuming interactions");
    let settings = Settings::from_config(&config, reloads);
    let queue = Queue { alerts, dead, interactions, publisher };
    Ok(crate::start(settings, queue, &registry, Clock::system(), &lifecycle)?)
}
