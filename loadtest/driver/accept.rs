//! Taking alerts in, measured in rounds: the bare parts and ingest in turn, so that whatever else the machine
//! does meanwhile falls on all of them, and the ratios hold.

use std::path::Path;
use std::time::Duration;

use testkit::rabbitmq::amqp_url;
use thiserror::Error;

use crate::broker::{Broker, BrokerError};
use crate::deployment::Programs;
use crate::figure::{Figures, Goal, float, percentile};
use crate::harness::{HarnessError, Server};
use crate::load::{Delays, LoadError, closed_loop, open_loop, send_once};
use crate::machine::Machine;
use crate::payload::request;
use crate::proc_fs::peak_memory;
use crate::progress;
use crate::raw::{self, RawError};
use crate::report::{Report, note, number};
use crate::scenario::{Accept, Load, Memory};

/// As many shards as a Larkfire has by default.
const SHARDS: u32 = 1;

/// Why nothing was measured.
#[derive(Debug, Error)]
pub(crate) enum AcceptError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Stage(#[from] HarnessError),
    #[error(transparent)]
    Raw(#[from] RawError),
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A file, or `/proc`.
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("cannot write the scenario down: {0}")]
    Json(#[from] serde_json::Error),
}

/// Measures in rounds.
pub(crate) async fn run(
    name: &str,
    scenario: Accept,
    programs: &Programs,
    config: Option<&Path>,
) -> Result<Report, AcceptError> {
    let machine = Machine::describe();
    let mut bench = Bench::set_up(scenario, programs, config).await?;
    for round in 1..=bench.scenario.rounds {
        bench.round(round).await?;
    }
    bench.memory().await?;
    let Bench { scenario, figures, .. } = bench;
    let about = "Taking alerts in, beside what the broker's client and the HTTP library allow by themselves";
    let scenario = serde_json::to_value(&scenario)?;
    Ok(Report {
        name: name.to_owned(),
        about: about.to_owned(),
        machine,
        scenario,
        figures,
        rounds: Vec::new(),
    })
}

/// Everything a round needs. The processes go before the queues they use.
struct Bench {
    scenario: Accept,
    ingest: Server,
    bare_http: Server,
    broker: Broker,
    figures: Figures,
}

impl Bench {
    async fn set_up(
        scenario: Accept,
        programs: &Programs,
        config: Option<&Path>,
    ) -> Result<Self, AcceptError> {
        let own_program = std::env::current_exe().map_err(io("the path of this program"))?;
        let config = config.map(std::path::absolute).transpose().map_err(io("--ingest-config"))?;
        let broker = Broker::connect(amqp_url(), SHARDS).await?;
        Ok(Self {
            scenario,
            ingest: Server::ingest(&programs.ingest, &broker.prefix, config.as_deref()).await?,
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

fn io(what: impl ToString) -> impl FnOnce(std::io::Error) -> AcceptError {
    move |source| AcceptError::Io { what: what.to_string(), source }
}
