//! How throughput changes with one thing at a time: what goes in, by alerts in a body, connections and shards; what
//! comes out, by workers and shards.

use testkit::rabbitmq::amqp_url;
use thiserror::Error;

use crate::broker::{Broker, BrokerError};
use crate::deployment::Programs;
use crate::drain::{DrainError, HistoryUse, drain};
use crate::figure::{Figures, float};
use crate::harness::{HarnessError, Server};
use crate::load::{LoadError, closed_loop};
use crate::machine::Machine;
use crate::progress;
use crate::report::{Report, note};
use crate::scenario::{Load, Scaling};

/// Why nothing was measured.
#[derive(Debug, Error)]
pub(crate) enum ScalingError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Stage(#[from] HarnessError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Drain(#[from] DrainError),
    /// The configuration of ingest.
    #[error("a temporary file: {0}")]
    Io(#[from] std::io::Error),
    #[error("cannot write the scenario down: {0}")]
    Json(#[from] serde_json::Error),
}

/// Measures everything, as often as the scenario says.
pub(crate) async fn run(name: &str, scenario: Scaling, programs: &Programs) -> Result<Report, ScalingError> {
    let machine = Machine::describe();
    let mut figures = Figures::default();
    for round in 1..=scenario.rounds {
        progress(&format!("{name}, round {round} of {}", scenario.rounds));
        inwards(&scenario, programs, &mut figures).await?;
        outwards(&scenario, programs, &mut figures).await?;
    }
    let about = "Throughput by alerts in a body, connections, shards and workers, one at a time";
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

async fn inwards(scenario: &Scaling, programs: &Programs, figures: &mut Figures) -> Result<(), ScalingError> {
    let connections = scenario.body_connections;
    for shards in &scenario.shards {
        let load = Load::of(1, connections);
        let rate = accepted(scenario, programs, *shards, &[load]).await?[0];
        note(figures, format!("accepted with {shards} shards, 1 per request, alerts/s"), None, rate);
    }
    let bodies = scenario.alerts_per_request.iter().map(|alerts| Load::of(*alerts, connections));
    let senders = scenario.connections.iter().map(|connections| Load::of(1, *connections));
    let loads: Vec<_> = bodies.chain(senders).collect();
    let rates = accepted(scenario, programs, 1, &loads).await?;
    for (load, rate) in loads.iter().zip(rates) {
        let what =
            format!("accepted, {} per request, {} connections, alerts/s", load.alerts, load.connections);
        note(figures, what, None, rate);
    }
    Ok(())
}

/// Alerts/s that ingest accepts of each load.
async fn accepted(
    scenario: &Scaling,
    programs: &Programs,
    shards: u32,
    loads: &[Load],
) -> Result<Vec<f64>, ScalingError> {
    let broker = Broker::connect(amqp_url(), shards).await?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("larkfire.yaml");
    std::fs::write(&config, format!("queue: {{ shards: {shards} }}\n"))?;
    let ingest = Server::ingest(&programs.ingest, &broker.prefix, Some(&config)).await?;
    let mut rates = Vec::new();
    for load in loads {
        rates.push(closed_loop(ingest.target, load, &scenario.window).await?.per_second);
        broker.empty().await?;
    }
    Ok(rates)
}

async fn outwards(
    scenario: &Scaling,
    programs: &Programs,
    figures: &mut Figures,
) -> Result<(), ScalingError> {
    let most = scenario.workers.iter().copied().max().unwrap_or(1);
    let with_one_shard = scenario.workers.iter().map(|workers| (*workers, 1));
    let with_most_workers =
        scenario.worker_shards.iter().filter(|shards| **shards > 1).map(|shards| (most, *shards));
    for (workers, shards) in with_one_shard.chain(with_most_workers) {
        let drained = drain(&scenario.fill, workers, shards, HistoryUse::Kept, programs).await?;
        let what = format!("settled by {workers} workers, {shards} shards, {}", scenario.fill.name);
        note(figures, format!("{what}, alerts/s"), None, drained.per_second);
        note(figures, format!("{what}, CPU µs/alert"), None, drained.cpu_us);
        note(figures, format!("{what}, largest peak, MB"), None, float(drained.peak_bytes) / 1e6);
    }
    Ok(())
}
