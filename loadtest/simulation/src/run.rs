//! One seed, from the first alert to the verdict: senders and faults for a quarter of an hour, then calm until nothing waits
//! any more; then every alert is sent once more, to see that none is mute; then everything stops.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use model::alert::Status;
use reqwest::Client;
use tempfile::TempDir;
use tokio::time::sleep;
use worker::feishu::http_client;
use worker::store::SimulatedDatabase;

use crate::broker::Broker;
use crate::check::{self, Tally, Violation};
use crate::database::Link;
use crate::failure_report::FailureReport;
use crate::feishu::Feishu;
use crate::ingest::Ingest;
use crate::plan::{Fault, Plan, PlannedState, Scope};
use crate::sender::{Ingests, Sender};
use crate::worker_process::{Fleet, Worker};
use crate::world::World;

/// How long it may take until nothing waits any more: a message can be in the longest retry queue, behind a receiver that
/// is left alone for ten minutes, more than once.
const QUIET_WITHIN: Duration = Duration::from_mins(90);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After which an alert that still fires is delivered again (`dedup.repeat_after`).
pub(crate) const REPEAT_AFTER: Duration = Duration::from_mins(56);

/// What a seed came to.
pub(crate) struct Outcome {
    pub(crate) violations: Vec<Violation>,
    pub(crate) simulated: Duration,
    pub(crate) tally: Tally,
    /// What happened, as a number.
    pub(crate) print: u64,
    pub(crate) story: FailureReport,
}

/// Runs a seed on a thread of its own: what is random there is the seed's.
pub(crate) fn in_thread(seed: u64, scope: &Scope, is_told: bool) -> Outcome {
    let plan = Plan::of(seed, scope);
    let run = move || {
        runtime::entropy::seed_this_thread(seed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.map(|runtime| runtime.block_on(run(seed, plan, is_told)))
    };
    match std::thread::spawn(run).join() {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::broken(error.to_string()),
        Err(_) => Outcome::broken("it panicked".to_owned()),
    }
}

async fn run(seed: u64, plan: Plan, is_told: bool) -> Outcome {
    let world = World::new(seed, is_told);
    let plan = Arc::new(plan);
    world.say(|| format!("{plan:#?}"));
    let _logs = is_told.then(|| crate::failure_report::follow_logs(&world));
    let broker = Broker::new(world.clone(), plan.shards);
    let fleet = Fleet {
        world: world.clone(),
        broker: broker.clone(),
        database: SimulatedDatabase::new(Arc::new(Link(world.clone()))),
        feishu: Feishu::new(&world, plan.bots, plan.request_timeout),
        client: client(),
        plan: Arc::clone(&plan),
    };
    let folders: Vec<Option<TempDir>> =
        (0..plan.ingests).map(|_| plan.has_spool.then(tempfile::tempdir).and_then(Result::ok)).collect();
    let spool = |folder: &Option<TempDir>| folder.as_ref().map(|folder| PathBuf::from(folder.path()));
    let each = folders.iter().enumerate();
    let ingests =
        each.map(|(number, folder)| Ingest::start(&world, &broker, number, plan.is_embedded, spool(folder)));
    let ingests: Ingests = Arc::new(Mutex::new(ingests.collect()));
    let mut workers: Vec<_> = (0..plan.workers).map(|number| Worker::start(&fleet, number)).collect();
    let senders = send_everything(&world, &plan, &ingests);
    bring_faults(&world, &plan, &mut workers, &ingests).await;
    let calm_from = plan.calm_from + Duration::from_mins(2);
    sleep(calm_from.saturating_sub(world.elapsed())).await;
    set_right(&mut workers, &ingests);
    let mut violations = Vec::new();
    world.say(|| "nothing is wrong any more".to_owned());
    if !is_quiet(&world, &broker).await {
        violations.push(Violation::NotQuiet(broker.depth()));
    }
    let faulty_until = world.elapsed();
    violations.extend(check::after_faults(&world.records(), &plan));
    if violations.is_empty() {
        violations.extend(everything_again(&world, &plan, &senders, &broker, faulty_until).await);
    }
    for worker in &mut workers {
        if !worker.stop().await {
            violations.push(Violation::StopWasCut);
        }
    }
    if violations.is_empty() && !broker.is_empty() {
        violations.push(Violation::NotQuiet(broker.depth()));
    }
    let records = world.records();
    violations.extend(check::memory(&records, &plan, broker.most()));
    let ended = workers.iter().map(|worker| worker.ended).sum();
    if violations.is_empty() {
        violations.extend(check::accounts(&records, &plan, ended));
    }
    let print = records.print();
    let tally = Tally::of(&records);
    drop(records);
    let story = FailureReport { text: world.story(), violations: violations.clone() };
    Outcome { violations, simulated: world.elapsed(), tally, print, story }
}

/// Starts the senders of all groups; returns the first of each pair.
fn send_everything(world: &World, plan: &Plan, ingests: &Ingests) -> Vec<Sender> {
    let sender = |group: usize| Sender {
        world: world.clone(),
        ingests: Arc::clone(ingests),
        group,
        bot: group % plan.bots,
        is_twin: false,
        later: Duration::ZERO,
    };
    let senders: Vec<_> = (0..plan.groups.len()).map(sender).collect();
    for (sender, group) in senders.iter().zip(&plan.groups) {
        World::spawn(sender.clone().run(group.sends.clone()));
        if let Some(later) = group.twin_after {
            let twin = Sender { is_twin: true, later, ..sender.clone() };
            World::spawn(twin.run(group.sends.clone()));
        }
    }
    senders
}

/// Everybody is there, and every clock is right.
fn set_right(workers: &mut [Worker], ingests: &Ingests) {
    for worker in workers {
        worker.start_again();
        worker.set_clock();
    }
    for ingest in ingests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        ingest.set_clock();
    }
}

/// Each fault at its time.
async fn bring_faults(world: &World, plan: &Plan, workers: &mut [Worker], ingests: &Ingests) {
    // What comes back by itself, and when.
    let mut returns: Vec<(Duration, usize)> = Vec::new();
    let mut faults = plan.faults.iter().peekable();
    loop {
        returns.sort_unstable();
        let next_fault = faults.peek().map(|(at, _)| *at);
        let next_return = returns.first().map(|(at, _)| *at);
        let Some(next) = next_fault.into_iter().chain(next_return).min() else { return };
        sleep(next.saturating_sub(world.elapsed())).await;
        if next_return == Some(next) {
            let (_, worker) = returns.remove(0);
            workers[worker].start_again();
            continue;
        }
        let Some((_, fault)) = faults.next() else { return };
        bring(world, *fault, workers, ingests).await;
        if let Fault::Kill(worker, down) | Fault::Stop(worker, down) = fault {
            returns.push((world.elapsed() + *down, *worker));
        }
    }
}

async fn bring(world: &World, fault: Fault, workers: &mut [Worker], ingests: &Ingests) {
    let ingest = |change: &dyn Fn(&mut Ingest), number: usize| {
        let mut ingests = ingests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ingest) = ingests.get_mut(number) {
            change(ingest);
        }
    };
    match fault {
        Fault::During(condition, lasts) => world.begin(condition, lasts),
        Fault::CutConsuming(worker) => workers[worker].links.cut_consuming(),
        Fault::CutPublishing(worker) => workers[worker].links.cut_publishing(),
        Fault::CutAll(worker) => {
            workers[worker].links.cut_consuming();
            workers[worker].links.cut_publishing();
        }
        Fault::CutIngest(number) => ingest(&|ingest| ingest.links.cut_publishing(), number),
        Fault::Kill(worker, _) => workers[worker].kill(),
        Fault::Stop(worker, _) => {
            workers[worker].stop().await;
        }
        Fault::KillIngest(number) => {
            ingest(&Ingest::restart, number);
            // Its tasks let go of its files when they are next looked at.
            tokio::task::yield_now().await;
            sleep(Duration::from_millis(10)).await;
            ingest(&Ingest::start_again, number);
        }
        Fault::Jump(process, by_ms) => match workers.get(process) {
            Some(worker) => worker.jump(by_ms),
            None => ingest(&|ingest| ingest.jump(by_ms), process - workers.len()),
        },
    }
}

/// Waits until nothing is on the queue any more.
async fn is_quiet(world: &World, broker: &Broker) -> bool {
    let until = world.elapsed() + QUIET_WITHIN;
    let mut quiet = 0;
    while world.elapsed() < until {
        sleep(LOOK_EVERY).await;
        // A spool brings what it holds within seconds.
        quiet = if broker.is_empty() { quiet + 1 } else { 0 };
        if quiet >= 8 {
            return true;
        }
    }
    false
}

/// Sends every alert once more, in calm: what fires is told again as a reminder, what is over fires anew. An alert that
/// is not told now is mute.
async fn everything_again(
    world: &World,
    plan: &Plan,
    senders: &[Sender],
    broker: &Broker,
    faulty_until: Duration,
) -> Vec<Violation> {
    sleep(REPEAT_AFTER).await;
    for (sender, group) in senders.iter().zip(&plan.groups) {
        let Some(last) = group.sends.last() else { continue };
        let again = |state: &PlannedState| match state.status {
            Status::Firing => *state,
            Status::Resolved => PlannedState { status: Status::Firing, instance: world.elapsed(), ..*state },
        };
        let states: Vec<_> = last.states.iter().map(again).collect();
        World::spawn({
            let sender = sender.clone();
            async move {
                sender.send(&states).await;
            }
        });
    }
    if !is_quiet(world, broker).await {
        return vec![Violation::NotQuiet(broker.depth())];
    }
    check::nobody_is_mute(&world.records(), plan, faulty_until)
}

/// One client for all: no request goes through it.
fn client() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| http_client(Duration::from_secs(1), None).unwrap_or_default()).clone()
}

impl Outcome {
    fn broken(why: String) -> Self {
        let violations = vec![Violation::Broken(why)];
        let story = FailureReport { text: String::new(), violations: violations.clone() };
        Self { violations, simulated: Duration::ZERO, tally: Tally::default(), print: 0, story }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_goes_the_same_way_again_and_another_one_another_way() {
        let print = |seed| in_thread(seed, &Scope::default(), false).print;
        assert_eq!([1, 2, 3].map(print), [1, 2, 3].map(print));
        assert_ne!(print(1), print(2));
    }
}
