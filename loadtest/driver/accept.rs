//! Taking alerts in, measured in rounds: the bare parts and ingest in turn, so that whatever else the machine
//! does meanwhile falls on all of them, and the ratios hold.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use thiserror::Error;

use crate::broker::{Broker, BrokerError};
use crate::figure::{Figures, Goal, float, percentile};
use crate::load::{Delays, LoadError, closed_loop, open_loop, send_once};
use crate::machine::Machine;
use crate::payload::request;
use crate::proc_fs::peak_memory;
use crate::progress;
use crate::raw::{self, RawError};
use crate::release::{self, ReleaseError};
use crate::report::{Report, number};
use crate::scenario::{Load, Memory, Scenario, ScenarioError};
use crate::stage::{Server, StageError};

/// What can be chosen.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// A scenario other than loadtest/scenarios/accept.toml
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Rounds, in place of the scenario's
    #[arg(long, value_name = "COUNT")]
    rounds: Option<u32>,
    /// A configuration file for larkfire-ingest, to try settings; without it everything has its default
    #[arg(long, value_name = "FILE")]
    ingest_config: Option<PathBuf>,
    /// Write scenario, machine and every sample here, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Why nothing was measured, or nothing written.
#[derive(Debug, Error)]
pub(crate) enum AcceptError {
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Raw(#[from] RawError),
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A file, or `/proc`.
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("cannot write the figures as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Measures, shows the table, and writes the JSON where that is asked for.
pub(crate) async fn run(options: Options) -> Result<(), AcceptError> {
    let mut scenario = Scenario::load(options.scenario.as_deref())?;
    scenario.rounds = options.rounds.unwrap_or(scenario.rounds);
    scenario.check()?;
    let machine = Machine::describe();
    let mut bench = Bench::set_up(scenario, options.ingest_config.as_deref()).await?;
    for round in 1..=bench.scenario.rounds {
        bench.round(round).await?;
    }
    bench.memory().await?;
    let Bench { scenario, figures, .. } = bench;
    let report = Report { machine, scenario, figures };
    if let Some(path) = options.json {
        let json = serde_json::to_vec_pretty(&report)?;
        std::fs::write(&path, json).map_err(io(path.display()))?;
    }
    show(&report.table()).map_err(io("standard output"))
}

/// Everything a round needs. The processes go before the queues they use.
struct Bench {
    scenario: Scenario,
    ingest: Server,
    bare_http: Server,
    broker: Broker,
    figures: Figures,
}

impl Bench {
    async fn set_up(scenario: Scenario, config: Option<&Path>) -> Result<Self, AcceptError> {
        let program = release::build("larkfire-ingest").await?;
        let own_program = std::env::current_exe().map_err(io("the path of this program"))?;
        let config = config.map(std::path::absolute).transpose().map_err(io("--ingest-config"))?;
        let broker = Broker::connect().await?;
        Ok(Self {
            scenario,
            ingest: Server::ingest(&program, &broker.prefix, config.as_deref()).await?,
            bare_http: Server::bare_http(&own_program).await?,
            broker,
            figures: Figures::default(),
        })
    }

    async fn round(&mut self, round: u32) -> Result<(), AcceptError> {
        progress(&format!("round {round} of {}", self.scenario.rounds));
        let window = &self.scenario.window;
        let raw = raw::measure(&self.broker.raw_queue, &self.scenario.raw, window).await?.per_second;
        self.broker.empty().await?;
        note(&mut self.figures, "raw: bare lapin, messages/s", None, raw);
        for load in &self.scenario.loads {
            let Load { alerts, connections, .. } = load;
            let what = format!("{alerts} per request, {connections} connections");
            let bare = closed_loop(self.bare_http.target, load, window).await?;
            let ours = closed_loop(self.ingest.target, load, window).await?;
            self.broker.empty().await?;
            let figures = &mut self.figures;
            note(figures, format!("{what}: bare HTTP, alerts/s"), None, bare.per_second);
            note(figures, format!("{what}: accepted, alerts/s"), None, ours.per_second);
            let at_least = Some(Goal::AtLeast(load.ratio_min));
            note(figures, format!("{what}: accepted ÷ raw"), at_least, ours.per_second / raw);
            note(figures, format!("{what}: accepted ÷ bare HTTP"), None, ours.per_second / bare.per_second);
            let at_most = Some(Goal::AtMost(load.cpu_us_max));
            note(figures, format!("{what}: CPU of bare HTTP, µs/alert"), None, bare.cpu_us);
            note(figures, format!("{what}: CPU of ingest, µs/alert"), at_most, ours.cpu_us);
        }
        let latency = &self.scenario.latency;
        let delays = open_loop(self.ingest.target.address, latency, window).await?;
        self.broker.empty().await?;
        self.delays(&delays);
        Ok(())
    }

    fn delays(&mut self, Delays { answered, sent }: &Delays) {
        let latency = &self.scenario.latency;
        let what = format!("accept latency at {}/s", number(latency.requests_per_second.into()));
        let ms = |delays: &[Duration], percent| {
            percentile(delays, percent).map_or(f64::NAN, |delay| delay.as_secs_f64() * 1e3)
        };
        for percent in [50, 95, 99, 100] {
            let name = if percent == 100 { "max".to_owned() } else { format!("p{percent}") };
            let goal = (percent == 99).then_some(Goal::AtMost(latency.p99_ms_max));
            note(&mut self.figures, format!("{what}: {name}, ms"), goal, ms(answered, percent));
        }
        note(&mut self.figures, format!("{what}: of it in the sender, p99, ms"), None, ms(sent, 99));
    }

    /// The peak so far, and with a giant group on top of it.
    async fn memory(&mut self) -> Result<(), AcceptError> {
        let Memory { load_mb_max, giant_alerts, giant_alert_bytes, giant_mb_max } = self.scenario.memory;
        let target = self.ingest.target;
        let peak = || peak_memory(target.process).map(|bytes| float(bytes) / 1e6).map_err(io("/proc"));
        let goal = Goal::AtMost(load_mb_max);
        note(&mut self.figures, "peak memory of ingest under load, MB", Some(goal), peak()?);
        let request = request(target.address, giant_alerts, giant_alert_bytes, 0);
        send_once(target.address, &request).await?;
        self.broker.empty().await?;
        let megabytes = request.len() / 1_000_000;
        let goal = Goal::AtMost(giant_mb_max);
        note(&mut self.figures, format!("the same, after a body of {megabytes} MB"), Some(goal), peak()?);
        Ok(())
    }
}

/// Keeps a value, and shows it to whoever watches.
fn note(figures: &mut Figures, name: impl Into<String>, goal: Option<Goal>, value: f64) {
    let name = name.into();
    progress(&format!("  {name:<60} {:>10}", number(value)));
    figures.add(name, goal, value);
}

fn io(what: impl ToString) -> impl FnOnce(std::io::Error) -> AcceptError {
    move |source| AcceptError::Io { what: what.to_string(), source }
}

fn show(table: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    std::io::stdout().write_all(table.as_bytes())
}
