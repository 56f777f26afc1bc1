//! What goes wrong, drawn by lot: the same seed draws the same faults in the same order.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use runtime::clock::Clock;
use testkit::chaos_proxy::{ChaosProxy, Direction};
use tokio::time::{Instant, sleep};

use crate::fleet::{CONSUMING, Fleet, FleetProcess, INGESTS, PUBLISHING, WORKERS};

/// Within this time of Feishu's answer a card is written down, or kept for later: `database.timeout` as nobody
/// sets it.
const RECORDED_WITHIN: SignedDuration = SignedDuration::from_secs(2);
/// How long after its return a worker may still take the database for away: the longest pause between two tries.
const NOTICED_WITHIN: SignedDuration = SignedDuration::from_secs(5);
/// How long a fault waits for a card to strike at.
const CARD_PATIENCE: Duration = Duration::from_secs(3);

/// What is drawn first: which kind of fault it is. Those from `KINDS_OF_OURS` on are Feishu's, and have one of the ways
/// to the services, or a worker that is asked to end, in the middle.
const KINDS: u64 = 17;
const KINDS_OF_OURS: u64 = 13;
const FIRST_KIND_OF_WAYS: u64 = 6;

/// Something that goes wrong with one process, or with the way of one or all of them to a service.
#[derive(Clone, Copy, Debug)]
enum Fault {
    CrashIngest(usize),
    CrashWorker(usize),
    /// As soon as Feishu has taken a card, which may be this worker's: between the answer and our record of it.
    CrashWorkerAtACard(usize),
    StopIngest(usize),
    StopWorker(usize),
    /// Of all, or of one worker.
    Broker(Break, Option<usize>),
    /// Of the connections of this name only, of all or of one worker.
    Connections(&'static str, Break, Option<usize>),
    Database(Break, Option<usize>),
}

/// What goes wrong next: one of these faults, in the middle of an absence of Feishu where there is one.
#[derive(Clone, Copy, Debug)]
struct Strike {
    fault: Fault,
    absence: Option<Duration>,
}

/// How a way is broken, for how long, and whether a worker is killed in the middle of it.
#[derive(Clone, Copy, Debug)]
struct Break {
    is_stall: bool,
    lasting: Duration,
    crashes: Option<usize>,
}

/// What went wrong, and what that excuses.
#[derive(Debug, Default)]
pub(crate) struct Account {
    crashes: usize,
    stops: usize,
    broker_breaks: usize,
    database_breaks: usize,
    absences: usize,
    /// Cards taken in these times may not have been written down: a worker was killed then, or was without the
    /// database, and whoever is without it tells what he does not know himself.
    excused: Vec<(Timestamp, Timestamp)>,
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { crashes, stops, broker_breaks, database_breaks, absences, .. } = self;
        write!(
            formatter,
            "{crashes} kills, {stops} stops, {broker_breaks} breaks of the broker, {database_breaks} of the database, \
             {absences} absences of Feishu"
        )
    }
}

impl Account {
    pub(crate) fn excuses(&self, at: Timestamp) -> bool {
        self.excused.iter().any(|(from, to)| (*from..=*to).contains(&at))
    }
}

/// `SplitMix64`: the numbers of a seed, the same with every version of everything.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one_of(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).unwrap()
    }

    fn between(&mut self, from_ms: u64, to_ms: u64) -> Duration {
        Duration::from_millis(from_ms + self.below(to_ms - from_ms))
    }

    fn strike(&mut self) -> Strike {
        let kind = self.below(KINDS);
        if kind < KINDS_OF_OURS {
            return Strike { fault: self.fault(kind), absence: None };
        }
        let absence = Some(self.between(8_000, 16_000));
        let kind = FIRST_KIND_OF_WAYS + self.below(KINDS_OF_OURS - FIRST_KIND_OF_WAYS);
        Strike { fault: self.fault(kind), absence }
    }

    fn fault(&mut self, kind: u64) -> Fault {
        let ingest = self.one_of(INGESTS);
        let worker = self.one_of(WORKERS);
        let is_stall = self.below(3) == 0;
        let whose = (self.below(2) == 0).then_some(worker);
        let crashes = (self.below(3) == 0).then_some(self.one_of(WORKERS));
        let longest_ms = if kind == 12 { 3_000 } else { 5_000 };
        let how = Break { is_stall, lasting: self.between(300, longest_ms), crashes };
        let name = [PUBLISHING, CONSUMING][self.one_of(2)];
        match kind {
            0 => Fault::CrashIngest(ingest),
            1 | 2 => Fault::CrashWorker(worker),
            3 | 4 => Fault::CrashWorkerAtACard(worker),
            5 => Fault::StopIngest(ingest),
            6 => Fault::StopWorker(worker),
            7..=9 => Fault::Broker(how, whose),
            10 | 11 => Fault::Connections(name, how, whose),
            _ => Fault::Database(how, whose),
        }
    }
}

/// Breaks one thing after the other, each mended before the next.
pub(crate) async fn strike(fleet: &mut Fleet, dice: &mut Dice, lasting: Duration) -> Account {
    let mut account = Account::default();
    let end = Instant::now() + lasting;
    while Instant::now() < end {
        // Not a wait for something to happen: the calm between two faults is part of what is drawn.
        sleep(dice.between(200, 2_500)).await;
        let strike = dice.strike();
        println!("{} {strike:?}", now());
        strike.happen(fleet, &mut account).await;
    }
    fleet.wait_until_ready().await;
    account
}

impl Strike {
    async fn happen(self, fleet: &mut Fleet, account: &mut Account) {
        let Some(absence) = self.absence else { return self.fault.happen(fleet, account).await };
        account.absences += 1;
        fleet.sim.away().await.unwrap();
        // What is in hand then has been held for less, and is put off while Feishu is still away.
        sleep(absence / 4).await;
        self.fault.happen(fleet, account).await;
        sleep(absence * 3 / 4).await;
        fleet.sim.back().await.unwrap();
    }
}

impl Fault {
    async fn happen(self, fleet: &mut Fleet, account: &mut Account) {
        match self {
            Self::CrashIngest(number) => {
                account.crashes += 1;
                fleet.ingests[number].crash().await;
            }
            Self::CrashWorker(number) => crash(&mut fleet.workers[number], account).await,
            Self::CrashWorkerAtACard(number) => {
                // A calm moment without a card is as good as any other in the end.
                let next = fleet.sim.totals().accepted + 1;
                let _came = fleet.sim.wait_for_accepted(next, CARD_PATIENCE).await;
                crash(&mut fleet.workers[number], account).await;
            }
            Self::StopIngest(number) => stop(&mut fleet.ingests[number], account).await,
            Self::StopWorker(number) => stop(&mut fleet.workers[number], account).await,
            Self::Broker(how, whose) => {
                account.broker_breaks += 1;
                how.happen(fleet, whose, None, |member| &member.broker, account).await;
            }
            Self::Connections(name, how, whose) => {
                account.broker_breaks += 1;
                how.happen(fleet, whose, Some(name), |member| &member.broker, account).await;
            }
            Self::Database(how, whose) => {
                account.database_breaks += 1;
                let from = now() - RECORDED_WITHIN;
                how.happen(fleet, whose, None, |member| &member.database, account).await;
                account.excused.push((from, now() + NOTICED_WITHIN));
            }
        }
    }
}

impl Break {
    /// Breaks the way of this worker, or everybody's; where there is a name, only the connections of that name, which
    /// may come back at once, or get no answers.
    async fn happen(
        self,
        fleet: &mut Fleet,
        whose: Option<usize>,
        name: Option<&str>,
        way: impl Fn(&FleetProcess) -> &ChaosProxy,
        account: &mut Account,
    ) {
        let concerned: Vec<_> = match whose {
            Some(number) => vec![&fleet.workers[number]],
            None => fleet.members().collect(),
        };
        for member in concerned {
            match (name, self.is_stall) {
                (None, true) => way(member).stall(Direction::Both),
                (None, false) => way(member).cut(),
                (Some(name), true) => way(member).stall_named(name, Direction::ToClient),
                (Some(name), false) => way(member).cut_named(name),
            }
        }
        sleep(self.lasting / 2).await;
        if let Some(number) = self.crashes {
            crash(&mut fleet.workers[number], account).await;
        }
        sleep(self.lasting / 2).await;
        for member in fleet.members() {
            way(member).restore();
        }
    }
}

async fn crash(worker: &mut FleetProcess, account: &mut Account) {
    let from = now() - RECORDED_WITHIN;
    worker.crash().await;
    account.crashes += 1;
    account.excused.push((from, now()));
}

async fn stop(member: &mut FleetProcess, account: &mut Account) {
    // It may have been started a moment ago, and does not know yet what a signal is.
    member.wait_until_ready().await;
    member.stop().await;
    member.start_again();
    account.stops += 1;
}

pub(crate) fn now() -> Timestamp {
    Clock::system().now()
}
