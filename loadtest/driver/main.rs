//! `loadtest`: how fast Larkfire is on this machine, what it does when things go wrong under load, and what its parts
//! allow on the same machine.

mod accept;
mod account;
mod bare_http;
mod broker;
mod cards;
mod client;
mod conduct;
mod deployment;
mod drain;
mod escalations;
mod figure;
mod growth;
mod harness;
mod heartbeats;
mod idle;
mod ledger;
mod listing;
mod load;
mod machine;
mod meter;
mod payload;
mod plan;
mod proc_fs;
mod profile_run;
mod raw;
mod raw_consume;
mod release;
mod report;
mod scaling;
mod scenario;
mod scrape;
mod sender;
mod sim_host;
mod tables;
mod template;
mod timeline;
mod worker;

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum as _};
use tokio::signal::unix::{SignalKind, signal};

use deployment::Programs;
use release::{Origin, ReleaseError};
use report::Report;
use scenario::{Measurement, Scenario, Victim};

const EXAMPLES: &str = "\
Examples:
  cargo run --profile dist -p loadtest -- storm
  cargo run --profile dist -p loadtest -- steady broker-cut --rounds 3
  cargo run --profile dist -p loadtest -- accept --ingest-config try.yaml
  cargo run --profile dist -p loadtest -- my/own.toml
  cargo run --profile dist -p loadtest -- ceiling    accept and worker, beside bare lapin and bare hyper
  cargo run --profile dist -p loadtest -- storm --kill broker,worker
  cargo run --profile dist -p loadtest -- kills      ingest, worker, database and broker killed in each of several profiles
  cargo run --profile dist -p loadtest -- all

RabbitMQ is expected on 127.0.0.1:5672 and MariaDB on 127.0.0.1:3306, or where TEST_AMQP_URL and TEST_MYSQL_URL
say. Queues, exchanges and databases get names of their own and are deleted at the end. Results are kept as
target/loadtest/SCENARIO.json and .html. Exit code 1: something was lost, doubled or over budget, or nothing was
measured; a missed goal alone is no failure. loadtest/README.md says how to read the figures.";

/// What is measured beside the bare parts it is made of.
const CEILING: [&str; 2] = ["accept", "worker"];

/// Profiles in which everything is killed.
const KILLS: [&str; 8] = [
    "steady",
    "calm",
    "storm",
    "ha-duplicates",
    "many-receivers",
    "feishu-away",
    "throttled",
    "throttled-429",
];

/// Measures Larkfire, and in the same run the bare parts it is made of: ratios travel better than figures.
#[derive(Parser)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    part: Option<DriverCommand>,
}

/// What can be chosen.
#[derive(Args)]
struct Run {
    /// Names of scenarios (loadtest/scenarios), paths of .toml files like them, `ceiling`, `kills` or `all`
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<String>,
    /// Rounds, in place of the scenario's
    #[arg(long, value_name = "COUNT")]
    rounds: Option<u32>,
    /// Kill -9 these in the middle, each of them once, and start them again; broker and database are then the
    /// run's own. Profiles only
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    kill: Vec<Victim>,
    /// A configuration file for larkfire-ingest, to try settings; `accept` only
    #[arg(long, value_name = "FILE")]
    ingest_config: Option<PathBuf>,
    /// Where results are kept, in place of target/loadtest
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Take the binaries that lie beside this one, also unoptimised ones: for tests of this program
    #[arg(long)]
    as_built: bool,
}

#[derive(Subcommand)]
enum DriverCommand {
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
        match cli.part {
            None => run(cli.run).await,
            Some(DriverCommand::BareHttp { listen }) => {
                bare_http::serve(listen).await.map(|()| true).map_err(Box::from)
            }
        }
    };
    let outcome = tokio::select! {
        outcome = outcome => outcome,
        // What was started and declared is ended and deleted as it is dropped.
        () = told_to_stop() => Err("interrupted; what was set up has been removed".into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            progress(&format!("loadtest: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Ctrl-C, or SIGTERM as from `timeout` or a CI system.
async fn told_to_stop() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

/// Whether everything held that was promised.
async fn run(options: Run) -> Result<bool, Box<dyn Error>> {
    // All of them are read before any is run: a mistake in the last one shows at once.
    let scenarios = load(&options)?;
    let origin = if options.as_built { Origin::Beside } else { Origin::Built };
    let programs = programs(origin, &scenarios).await?;
    let folder = options.keep.clone().map_or_else(release::results, Ok)?;
    let mut holds = true;
    for Scenario { name, measurement } in scenarios {
        let report = match measure(&name, measurement, &programs, options.ingest_config.as_deref()).await {
            Ok(report) => report,
            // The others are worth having all the same.
            Err(error) => {
                progress(&format!("{name}: {error}"));
                holds = false;
                continue;
            }
        };
        let page = report.keep(&folder)?;
        std::io::stdout().write_all(report.table().as_bytes())?;
        progress(&format!("kept as {} and .json", page.display()));
        holds &= report.holds();
    }
    Ok(holds)
}

/// Where the binaries are; those that are measured have been built.
async fn programs(origin: Origin, scenarios: &[Scenario]) -> Result<Programs, ReleaseError> {
    let is_needed = |needs: fn(&Measurement) -> bool| {
        origin == Origin::Built && scenarios.iter().any(|scenario| needs(&scenario.measurement))
    };
    if is_needed(|measurement| matches!(measurement, Measurement::Accept(_)) || has_worker(measurement)) {
        release::build("larkfire-ingest").await?;
    }
    if is_needed(has_worker) {
        release::build("larkfire-worker").await?;
    }
    if is_needed(|measurement| matches!(measurement, Measurement::Idle(_) | Measurement::Growth(_))) {
        release::build("larkfire").await?;
    }
    Ok(Programs {
        ingest: release::program("larkfire-ingest")?,
        worker: release::program("larkfire-worker")?,
        embedded: release::program("larkfire")?,
    })
}

fn has_worker(measurement: &Measurement) -> bool {
    matches!(measurement, Measurement::Worker(_) | Measurement::Profile(_) | Measurement::Scaling(_))
}

fn load(options: &Run) -> Result<Vec<Scenario>, Box<dyn Error>> {
    let mut scenarios = Vec::new();
    for name in &options.scenarios {
        let (names, killed) = match name.as_str() {
            "all" => (scenario::names(), &options.kill[..]),
            "ceiling" => (CEILING.to_vec(), &options.kill[..]),
            "kills" if options.kill.is_empty() => (KILLS.to_vec(), Victim::value_variants()),
            "kills" => (KILLS.to_vec(), &options.kill[..]),
            name => (vec![name], &options.kill[..]),
        };
        for name in names {
            let mut scenario = Scenario::load(name)?;
            scenario.kill(killed)?;
            scenario.set_rounds(options.rounds)?;
            scenarios.push(scenario);
        }
    }
    Ok(scenarios)
}

async fn measure(
    name: &str,
    measurement: Measurement,
    programs: &Programs,
    ingest_config: Option<&Path>,
) -> Result<Report, Box<dyn Error>> {
    Ok(match measurement {
        Measurement::Accept(scenario) => accept::run(name, scenario, programs, ingest_config).await?,
        Measurement::Worker(scenario) => worker::run(name, scenario, programs).await?,
        Measurement::Profile(profile) => profile_run::run(name, profile, programs).await?,
        Measurement::Scaling(scenario) => scaling::run(name, scenario, programs).await?,
        Measurement::Idle(scenario) => idle::run(name, scenario, &programs.embedded).await?,
        Measurement::Listing(scenario) => listing::run(name, &scenario)?,
        Measurement::Tables(scenario) => tables::run(name, &scenario).await?,
        Measurement::Growth(scenario) => growth::run(name, scenario, &programs.embedded).await?,
        Measurement::Heartbeats(scenario) => heartbeats::run(name, &scenario).await?,
        Measurement::Escalations(scenario) => escalations::run(name, scenario, programs).await?,
    })
}

/// One line for whoever watches; the result alone goes to standard output.
fn progress(line: &str) {
    // A terminal that is gone is no reason to stop measuring.
    let _gone = writeln!(std::io::stderr(), "{line}");
}
