//! A profile, run as often as it says: each round with a deployment of its own, so that none inherits from the one before.

use std::time::Duration;

use thiserror::Error;

use crate::account::{Account, Books, per_second, percentile_ms};
use crate::conduct::{ConductError, Round, conduct};
use crate::deployment::{Deployment, DeploymentError, Programs, Services};
use crate::figure::{Figures, Goal, float};
use crate::machine::Machine;
use crate::plan::Plan;
use crate::proc_fs::{cpu_time, find};
use crate::progress;
use crate::report::{Report, RoundReport};
use crate::scenario::Profile;
use crate::timeline::{self, Service};

/// What else works in a run: this program, which is sender and simulator, and the services, whoever else they serve.
const OTHERS: [(&str, &str, Service); 2] =
    [("RabbitMQ", "beam.smp", Service::Broker), ("MariaDB", "mariadbd", Service::Database)];

/// Why there is no report.
#[derive(Debug, Error)]
pub(crate) enum ProfileError {
    #[error(transparent)]
    House(#[from] DeploymentError),
    #[error(transparent)]
    Conduct(#[from] ConductError),
    #[error("cannot write the scenario down: {0}")]
    Json(#[from] serde_json::Error),
}

/// Runs all rounds.
pub(crate) async fn run(name: &str, profile: Profile, programs: &Programs) -> Result<Report, ProfileError> {
    let machine = Machine::describe();
    let mut figures = Figures::default();
    let mut rounds = Vec::new();
    for number in 1..=profile.rounds {
        progress(&format!("{name}, round {number} of {}: {}", profile.rounds, profile.about));
        let mut deployment = Deployment::start(&profile, programs).await?;
        let before = Others::now(&deployment.services);
        let round = conduct(&mut deployment, &profile).await?;
        let account = account(&profile, &round);
        note_times(&mut figures, &profile, &account);
        note_costs(&mut figures, &profile, &account, &deployment, &before);
        rounds.push(RoundReport::new(&profile, &account, round.samples));
    }
    let scenario = serde_json::to_value(&profile)?;
    Ok(Report { name: name.to_owned(), about: profile.about, machine, scenario, figures, rounds })
}

fn account(profile: &Profile, round: &Round) -> Account {
    let books = Books {
        plan: Plan::of(profile),
        zero_us: round.zero_us,
        sent: &round.sent,
        written: &round.written,
        cards: &round.cards,
        counters: round.counters,
    };
    let mut account = books.account();
    account.verdict.over_budget = round.over_budget;
    account.verdict.forgotten = round.forgotten;
    account
}

fn note_times(figures: &mut Figures, profile: &Profile, account: &Account) {
    let goals = profile.goals;
    let at_most = |goal: Option<f64>| goal.map(Goal::AtMost);
    let took = account.accept.iter().map(|timed| timed.due + Duration::from_secs_f64(timed.ms / 1e3)).max();
    let verdict = &account.verdict;
    figures.add("accepted, alerts/s", None, per_second(verdict.accepted, took.unwrap_or_default()));
    if let Some(last) = account.last_delivered {
        figures.add("delivered, alerts/s", None, per_second(verdict.delivered, last));
    }
    for percent in [50, 95, 99, 100_usize] {
        let goal = (percent == 99).then_some(goals.accept_p99_ms).flatten();
        figures.add(
            format!("accept, {}, ms", part(percent)),
            at_most(goal),
            percentile_ms(&account.accept, percent),
        );
    }
    figures.add("accept: of it in the sender, p99, ms", None, percentile_ms(&account.sender, 99));
    for percent in [50, 95, 99, 100_usize] {
        let goal = match percent {
            50 => goals.card_p50_ms,
            99 => goals.card_p99_ms,
            100 => goals.card_max_ms,
            _ => None,
        };
        let name = format!("due to card, {}, ms", part(percent));
        figures.add(name, at_most(goal), percentile_ms(&account.card, percent));
    }
    figures.add("cards", at_most(goals.cards_max), float(verdict.cards));
    if let Some(end) = timeline::end(&profile.faults) {
        let after = account.delivered_after(end).as_secs_f64();
        figures.add(
            "what was due before the end of the fault: delivered after it, s",
            at_most(goals.delivered_after_fault_seconds),
            after,
        );
    }
}

fn note_costs(
    figures: &mut Figures,
    profile: &Profile,
    account: &Account,
    deployment: &Deployment,
    before: &Others,
) {
    let thousands = float(account.verdict.accepted.max(1)) / 1e3;
    let goals = profile.goals;
    for name in ["larkfire-ingest", "larkfire-worker"] {
        let roles = || deployment.roles.iter().filter(|role| role.name() == name);
        let cpu: Duration = roles().map(crate::deployment::Role::cpu).sum();
        figures.add(format!("CPU of {name}, s per 1 000 alerts"), None, cpu.as_secs_f64() / thousands);
        let goal = if name == "larkfire-ingest" { goals.ingest_mb } else { goals.worker_mb };
        let peak = roles().map(crate::deployment::Role::peak_bytes).max().unwrap_or(0);
        figures.add(format!("peak memory of {name}, MB"), goal.map(Goal::AtMost), float(peak) / 1e6);
    }
    for (name, cpu) in Others::now(&deployment.services).since(before) {
        figures.add(format!("CPU of {name}, s per 1 000 alerts"), None, cpu.as_secs_f64() / thousands);
    }
}

fn part(percent: usize) -> String {
    if percent == 100 { "max".to_owned() } else { format!("p{percent}") }
}

/// CPU time of what else works in a run.
struct Others(Vec<(&'static str, Duration)>);

impl Others {
    fn now(services: &Services) -> Self {
        let own = [("sender and simulator", Some(std::process::id()))];
        // One that is killed has several lives, and the machine's does nothing for this run.
        let shared = OTHERS.into_iter().filter(|(_, _, service)| !services.is_own(*service));
        let all = own.into_iter().chain(shared.map(|(name, process, _)| (name, find(process))));
        Self(all.filter_map(|(name, id)| Some((name, cpu_time(id?).ok()?))).collect())
    }

    fn since(&self, before: &Self) -> Vec<(&'static str, Duration)> {
        let earlier =
            |name| before.0.iter().find(|(known, _)| *known == name).map_or(Duration::ZERO, |(_, cpu)| *cpu);
        self.0.iter().map(|(name, cpu)| (*name, cpu.saturating_sub(earlier(*name)))).collect()
    }
}
