//! `loadtest`: how fast Larkfire is on this machine, beside what its parts allow on the same machine.

mod accept;
mod bare_http;
mod broker;
mod client;
mod figure;
mod load;
mod machine;
mod meter;
mod payload;
mod proc_fs;
mod raw;
mod release;
mod report;
mod scenario;
mod stage;

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p loadtest -- accept
  cargo run --release -p loadtest -- accept --rounds 5 --json figures.json
  cargo run --release -p loadtest -- accept --ingest-config try.yaml

RabbitMQ is expected on 127.0.0.1:5672, or where TEST_AMQP_URL says. Queues and exchanges get a prefix of
their own and are deleted at the end. loadtest/README.md says how to read the figures.";

/// Measures Larkfire, and in the same run the bare parts it is made of: ratios travel better than figures.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Taking alerts in: larkfire-ingest and `RabbitMQ`, beside a bare publisher and a bare HTTP server
    Accept(accept::Options),
    /// The bare HTTP server; `accept` starts it
    #[command(hide = true)]
    BareHttp {
        /// The address to listen on
        listen: SocketAddr,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = async {
        match cli.what {
            What::Accept(options) => accept::run(options).await.map_err(Box::<dyn Error>::from),
            What::BareHttp { listen } => bare_http::serve(listen).await.map_err(Box::from),
        }
    };
    let outcome = tokio::select! {
        outcome = outcome => outcome,
        // What was started and declared is ended and deleted as it is dropped.
        _ = tokio::signal::ctrl_c() => Err("interrupted; what was set up has been removed".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress(&format!("loadtest: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// One line for whoever watches; the result alone goes to standard output.
fn progress(line: &str) {
    // A terminal that is gone is no reason to stop measuring.
    let _gone = writeln!(std::io::stderr(), "{line}");
}
