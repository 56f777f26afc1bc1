//! The one-machine binary with nothing to do: how fast it is ready, what it holds, and how often it wakes.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use testkit::ports::free_address;
use testkit::process::Launch;
use thiserror::Error;
use tokio::time::sleep;

use crate::figure::{Figures, Goal, float};
use crate::harness::{HarnessError, ready};
use crate::machine::Machine;
use crate::proc_fs::{cpu_time, resident_memory, voluntary_switches};
use crate::progress;
use crate::report::{Report, note};
use crate::scenario::Idle;

/// Why nothing was measured.
#[derive(Debug, Error)]
pub(crate) enum IdleError {
    #[error(transparent)]
    Stage(#[from] HarnessError),
    /// `/proc`, or a temporary directory.
    #[error("cannot measure: {0}")]
    Io(#[from] io::Error),
    #[error("cannot write the scenario down: {0}")]
    Json(#[from] serde_json::Error),
}

/// Starts it in an empty directory, waits, watches, and ends it; as often as the scenario says.
pub(crate) async fn run(name: &str, scenario: Idle, program: &Path) -> Result<Report, IdleError> {
    let machine = Machine::describe();
    let mut figures = Figures::default();
    for round in 1..=scenario.rounds {
        progress(&format!("{name}, round {round} of {}", scenario.rounds));
        watch(&scenario, program, &mut figures).await?;
    }
    let about = "The one-machine binary with a bot to send to and nothing to send";
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

async fn watch(scenario: &Idle, program: &Path, figures: &mut Figures) -> Result<(), IdleError> {
    let folder = tempfile::tempdir()?;
    let admin = free_address();
    let launch = Launch::program(program)
        .directory(folder.path())
        .variable("LARKFIRE_LISTEN", free_address().to_string())
        .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string())
        // Nothing is sent there, and nobody listens.
        .variable("FEISHU_WEBHOOK_URL", format!("http://{}/open-apis/bot/v2/hook/idle", free_address()));
    let begun = Instant::now();
    let process = launch.start();
    let id = ready(&process, "larkfire", admin, "/readyz").await?;
    let started = begun.elapsed();
    sleep(scenario.settle()).await;
    let cpu_before = cpu_time(id)?;
    let switches_before = voluntary_switches(id)?;
    sleep(scenario.watched()).await;
    let cpu = cpu_time(id)?.saturating_sub(cpu_before);
    let wake_ups = float(voluntary_switches(id)? - switches_before) / scenario.watched().as_secs_f64();
    let at_most = |most| Some(Goal::AtMost(most));
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    note(figures, "cold start to ready, ms", at_most(scenario.ready_ms_max), ms(started));
    let resident_mb = float(resident_memory(id)?) / 1e6;
    note(figures, "resident memory, MB", at_most(scenario.resident_mb_max), resident_mb);
    note(figures, "wake-ups/s, all threads", at_most(scenario.wake_ups_per_second_max), wake_ups);
    note(figures, "CPU, ms in a second", None, ms(cpu) / scenario.watched().as_secs_f64());
    Ok(())
}
