//! `simulate`: the whole worker, ingest's publisher and the spool in one process and one thread, under paused time, against
//! a broker, a database and a Feishu that fail in every way the real ones were seen to fail. Each seed is one run of some
//! simulated hours; afterwards the invariants of docs/ARCHITECTURE.md are checked. A seed that breaks one prints the story
//! of the alert it was broken for, and can be run again.

mod broker;
mod check;
mod conditions;
mod database;
mod failure_report;
mod feishu;
mod ingest;
mod plan;
mod ports;
mod records;
mod run;
mod sender;
mod worker_process;
mod world;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;

use check::Violation;
use plan::{Kind, Scope};
use run::Outcome;

/// Failing seeds told about in one run; more say nothing new.
const STORIES_MAX: usize = 5;

/// Runs Larkfire by seeds, in simulated time, and checks that nothing is lost, muted, doubled or flooded.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// How many seeds to run
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Threads, one seed at a time on each
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Runs this one seed and tells its whole story
    #[arg(long)]
    seed: Option<u64>,
    /// Runs every seed twice and says where the two differ: a seed has to be a story that can be told again
    #[arg(long)]
    twice: bool,
    /// Goes on after a seed has failed
    #[arg(long)]
    keep_going: bool,
    /// Only these kinds of faults, and each of them in every seed
    #[arg(long, value_enum, value_delimiter = ',')]
    faults: Vec<Kind>,
    /// Only the embedded queue (true), or only RabbitMQ (false)
    #[arg(long)]
    embedded: Option<bool>,
    /// Only with a spool before the broker
    #[arg(long)]
    spool: bool,
}

#[expect(clippy::print_stdout, reason = "what a command says")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(seed) = cli.seed {
        let outcome = run::in_thread(seed, &cli.scope(), true);
        println!("{}", failure_report::whole(&outcome.story));
        return if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let began = Instant::now();
    let summary = run_all(&cli);
    let wall = began.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "nobody waits for 2^52 seeds")]
    let per_minute = summary.seeds as f64 / wall.as_secs_f64() * 60.0;
    println!(
        "{} seeds, {:.0} simulated hours in {:.1} s ({per_minute:.0} seeds a minute on {} threads): {} failed",
        summary.seeds,
        summary.simulated.as_secs_f64() / 3600.0,
        wall.as_secs_f64(),
        cli.jobs,
        summary.failed.len()
    );
    println!("{}", summary.tally);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, violations) in &summary.failed {
        for kind in violations.iter().map(Violation::kind).collect::<std::collections::BTreeSet<_>>() {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    for (kind, seeds) in &kinds {
        println!("  {kind}: {seeds} seeds");
    }
    for (seed, violations) in summary.failed.iter().take(STORIES_MAX) {
        println!("\nseed {seed} (again: simulate --seed {seed}):");
        for violation in violations.iter().take(3) {
            println!("  {violation}");
        }
    }
    if let Some((seed, _)) = summary.failed.first() {
        println!(
            "\n{}",
            failure_report::of_first_violation(&run::in_thread(*seed, &cli.scope(), true).story)
        );
    }
    if summary.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Cli {
    fn scope(&self) -> Scope {
        Scope { faults: self.faults.clone(), is_embedded: self.embedded, has_spool: self.spool }
    }
}

/// What all seeds came to.
#[derive(Default)]
struct Summary {
    seeds: u64,
    simulated: Duration,
    failed: Vec<(u64, Vec<Violation>)>,
    tally: check::Tally,
}

fn run_all(cli: &Cli) -> Summary {
    let next = AtomicU64::new(cli.from);
    let end = cli.from + cli.seeds;
    let summary = Mutex::new(Summary::default());
    let scope = cli.scope();
    std::thread::scope(|threads| {
        for _ in 0..cli.jobs.max(1) {
            threads.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let mut outcome = run::in_thread(seed, &scope, false);
                    if cli.twice {
                        let again: Outcome = run::in_thread(seed, &scope, false);
                        if again.print != outcome.print {
                            outcome.violations.push(Violation::NotRepeatable);
                        }
                    }
                    let Ok(mut summary) = summary.lock() else { return };
                    summary.seeds += 1;
                    summary.simulated += outcome.simulated;
                    summary.tally.add(&outcome.tally);
                    if !outcome.violations.is_empty() {
                        summary.failed.push((seed, outcome.violations));
                        if !cli.keep_going {
                            next.store(end, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let mut summary = summary.into_inner().unwrap_or_default();
    summary.failed.sort_unstable_by_key(|(seed, _)| *seed);
    summary
}
