//! A queue that is full, and workers that empty it: filled by ingest, so that envelopes share messages as they do
//! under load.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::task::JoinError;
use tokio::time::{Instant, sleep};

use crate::deployment::{Counters, Deployment, DeploymentError, Programs, Role};
use crate::figure::float;
use crate::harness::HarnessError;
use crate::plan::Plan;
use crate::raw::RawError;
use crate::raw_consume::take;
use crate::scenario::{Fill, Profile};
use crate::sender::{Aim, Answer, Counts, send};
use crate::sim_host::receiver_name;
use crate::timeline::KilledProcess;

/// Between two looks at how many alerts are settled.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long the slowest worker may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Why nothing was measured.
#[derive(Debug, Error)]
pub(crate) enum DrainError {
    #[error(transparent)]
    House(#[from] DeploymentError),
    #[error(transparent)]
    Stage(#[from] HarnessError),
    #[error(transparent)]
    Raw(#[from] RawError),
    #[error("the sender failed: {0}")]
    Sender(#[from] JoinError),
    #[error("cannot write the scenario down: {0}")]
    Json(#[from] serde_json::Error),
    /// What is on the queue is not what was meant to be.
    #[error("only {accepted} of {wanted} requests to fill the queue were accepted")]
    NotFilled { accepted: usize, wanted: u32 },
    /// They were too slow, or something else took what was on the queue.
    #[error("{settled} of {wanted} alerts were settled within {} s", PATIENCE.as_secs())]
    TooSlow { settled: f64, wanted: u32 },
}

/// A row of history that counts repeats is written ten seconds after it was begun: until then and a little longer its cost is
/// waited for, where that is asked for.
const HISTORY_WRITTEN_WITHIN: Duration = Duration::from_secs(13);

/// Whether the workers keep what became of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HistoryUse {
    /// As they do unless it is turned off.
    Kept,
    /// They do not.
    Off,
}

impl HistoryUse {
    /// The other of the two.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Kept => Self::Off,
            Self::Off => Self::Kept,
        }
    }
}

/// How fast a queue was emptied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drained {
    /// Alerts/s of the workers together.
    pub(crate) per_second: f64,
    /// Alerts/s of bare lapin, of the same messages.
    pub(crate) raw_per_second: f64,
    /// Alerts in a message, on average.
    pub(crate) alerts_per_message: f64,
    /// CPU time of the workers, in microseconds per alert.
    pub(crate) cpu_us: f64,
    /// The largest worker's peak.
    pub(crate) peak_bytes: u64,
}

/// Fills the queue, lets bare lapin empty it, puts everything back, and lets the workers empty it.
pub(crate) async fn drain(
    fill: &Fill,
    workers: u32,
    shards: u32,
    history: HistoryUse,
    programs: &Programs,
) -> Result<Drained, DrainError> {
    let profile = fill.profile(shards);
    let mut deployment = Deployment::without_processes(&profile).await?;
    if history == HistoryUse::Off {
        deployment.without_history(&profile)?;
    }
    // Once, before there is anything on the queue: it makes the tables, which is no part of the measurement.
    deployment.add(KilledProcess::Worker, &programs.worker);
    start_all(&mut deployment).await?;
    deployment.roles.clear();
    deployment.add(KilledProcess::Ingest, &programs.ingest);
    start_all(&mut deployment).await?;
    fill_queue(&deployment, &profile).await?;
    deployment.roles.clear();
    let mut taken = take(deployment.alerts_queues()).await?;
    if fill.unpacked {
        taken.unpack().put_back().await?;
        taken = take(deployment.alerts_queues()).await?;
    }
    let raw_per_second = float(fill.alerts().into()) / taken.took.as_secs_f64();
    let messages = taken.len();
    taken.put_back().await?;
    for _ in 0..workers {
        deployment.add(KilledProcess::Worker, &programs.worker);
    }
    let per_second = empty_queue(&mut deployment, fill).await?;
    if fill.history_ratio_max.is_some() {
        // With or without: what a worker with nothing to do costs is in both.
        sleep(HISTORY_WRITTEN_WITHIN).await;
        for role in &mut deployment.roles {
            role.look().await;
        }
    }
    let cpu: Duration = deployment.roles.iter().map(Role::cpu).sum();
    Ok(Drained {
        per_second,
        raw_per_second,
        alerts_per_message: float(fill.alerts().into()) / float(messages.max(1) as u64),
        cpu_us: cpu.as_secs_f64() * 1e6 / float(fill.alerts().into()),
        peak_bytes: deployment.roles.iter().map(Role::peak_bytes).max().unwrap_or(0),
    })
}

async fn start_all(deployment: &mut Deployment) -> Result<(), HarnessError> {
    for role in &mut deployment.roles {
        role.start().await?;
    }
    Ok(())
}

async fn fill_queue(deployment: &Deployment, profile: &Profile) -> Result<(), DrainError> {
    let plan = Plan::of(profile);
    let sending = profile.sending;
    let aim = Aim { address: deployment.listen, paths: vec![format!("/api/alert/{}", receiver_name(0))] };
    let counts = Arc::new(Counts::default());
    let sent = send(plan, aim, sending.connections, sending.alert_bytes, Instant::now(), counts).await?;
    let accepted = sent.iter().filter(|sent| sent.answer == Answer::Accepted).count();
    if accepted as u64 == u64::from(sending.requests) {
        return Ok(());
    }
    Err(DrainError::NotFilled { accepted, wanted: sending.requests })
}

/// Alerts/s, from the first that was settled: starting a process is no part of it.
async fn empty_queue(deployment: &mut Deployment, fill: &Fill) -> Result<f64, DrainError> {
    let wanted = f64::from(fill.alerts());
    for role in &mut deployment.roles {
        role.start_unready();
    }
    let patience = Instant::now() + PATIENCE;
    let mut first: Option<(Instant, f64)> = None;
    loop {
        sleep(LOOK_EVERY).await;
        for role in &mut deployment.roles {
            role.look().await;
        }
        let counters =
            deployment.roles.iter().fold(Counters::default(), |sum, role| sum.plus(role.counters()));
        let now = Instant::now();
        let settled = counters.delivered + counters.duplicate + counters.superseded + counters.dead_lettered;
        if settled < 0.5 {
            // Nothing yet, and no patience lost over it: the deadline is for all of it.
        } else if let Some((begun, before)) = first {
            if settled >= wanted {
                return Ok((settled - before) / (now - begun).as_secs_f64());
            }
        } else {
            first = Some((now, settled));
        }
        if now >= patience {
            return Err(DrainError::TooSlow { settled, wanted: fill.alerts() });
        }
    }
}
