//! `larkfire`: the one-machine binary.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ingest::source::Door;
use shared::check::{self, Role};
use shared::clock::Clock;
use shared::config::{Config, ConfigErrors, load};
use shared::process;
use standalone::explain::{self, Way};
use standalone::outlet::outlet;
use worker::{command, probe};

const EXAMPLES: &str = "\
Examples:
  larkfire                                  listen on 127.0.0.1:8080, preview the cards
  FEISHU_WEBHOOK_URL=https://… larkfire     send them to a custom bot
  larkfire --config /etc/larkfire.yaml      several receivers, limits, everything else
  AMQP_URL=amqp://… larkfire                the same in one process, but with RabbitMQ as its queue
  larkfire explain payload.json             what would become of a payload; sends nothing
  larkfire check --online                   whether the configuration is right, and who answers
  larkfire dead-letters list                what could not be told; replay sends it again
  larkfire trace 9f86d081884c7d65           what became of an alert
  larkfire send-test ops                    whether the receiver ops is told of alerts

Then:
  curl -i http://127.0.0.1:8080/api/alert -d '{\"message\":\"Disk full on db-1\",\"sender_id\":\"me\"}'
  open http://127.0.0.1:9095/               what was sent, /metrics, /healthz, /readyz

Every setting can be a variable or a key of the file; README.md lists them.
Exit codes: 0 told to stop, 64 bad configuration, 1 failed start or failed part.";

/// Takes alerts from Alertmanager, Grafana and anything that can POST JSON, and tells people in Feishu.
///
/// Everything in one process: alerts come in over HTTP, wait on an embedded queue on disk, and go out as cards.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    /// The configuration file (YAML); without it the environment alone is read
    #[arg(long, short, env = "LARKFIRE_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Says what would become of a payload: format, gate, receiver, envelopes, alerts, card. Sends nothing
    Explain {
        /// The payload, as a sender would post it; - for standard input
        file: PathBuf,
        /// As if it were posted to /alert instead of /api/alert
        #[arg(long)]
        alert: bool,
        /// As if it were posted for this receiver, to /api/alert/NAME
        #[arg(long, value_name = "NAME")]
        receiver: Option<String>,
    },
    /// Says what is wrong with the configuration, or what it comes to
    Check {
        /// Asks the broker, the database, the user table, Feishu's hosts, Alertmanagers and Grafana, too
        #[arg(long)]
        online: bool,
    },
    #[command(flatten)]
    Operator(command::Command),
}

fn main() -> ExitCode {
    let Cli { config, command } = match command::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match command {
        None => process::run(move || checked(config.as_deref()), standalone::start),
        // What ingest asks for is not needed to look at dead letters.
        Some(Command::Operator(command)) => command::run(command, load(config.as_deref()), outlet),
        Some(Command::Check { online }) => {
            check::command(checked(config.as_deref()), Role::Both, online.then_some(probe::everything))
        }
        Some(Command::Explain { file, alert, receiver }) => {
            let door = if alert { Door::LokiFeishu } else { Door::Any };
            explain(checked(config.as_deref()), &file, Way { door, receiver: receiver.as_deref() })
        }
    }
}

fn checked(file: Option<&Path>) -> Result<Config, ConfigErrors> {
    load(file).and_then(ingest::checked).and_then(worker::wordings::checked)
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command answers on the terminal")]
fn explain(config: Result<Config, ConfigErrors>, file: &Path, way: Way<'_>) -> ExitCode {
    let config = match config {
        Ok(config) => config,
        Err(errors) => {
            eprintln!("{errors}");
            return process::BAD_CONFIGURATION.into();
        }
    };
    let coloured = std::io::stdout().is_terminal();
    let told = explain::read(file)
        .and_then(|body| explain::explain(&body, way, &config, Clock::system().now(), coloured));
    match told {
        Ok(told) => {
            print!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            process::FAILED.into()
        }
    }
}
