//! What a seed means: how large the world is, who sends what when, and what goes wrong. Pure: the dice are those of the seed.
//!
//! Few kinds of faults in one run find more than all at once, so each seed has a few, and each of those several times.

use std::time::Duration;

use clap::ValueEnum;
use model::alert::Status;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::conditions::Condition;

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// One process on the embedded queue; else ingest and workers on RabbitMQ.
    pub(crate) is_embedded: bool,
    pub(crate) workers: usize,
    pub(crate) ingests: usize,
    pub(crate) has_spool: bool,
    pub(crate) bots: usize,
    pub(crate) shards: u64,
    pub(crate) prefetch: usize,
    pub(crate) hold: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) alerts: usize,
    /// By group of alerts: what its sender sends, in its order.
    pub(crate) groups: Vec<Group>,
    pub(crate) faults: Vec<(Duration, Fault)>,
    /// When the last fault is over.
    pub(crate) calm_from: Duration,
}

/// What a sender sends at one time.
#[derive(Clone, Debug)]
pub(crate) struct Send {
    pub(crate) at: Duration,
    pub(crate) states: Vec<PlannedState>,
}

/// Alerts that are sent together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// In their order.
    pub(crate) sends: Vec<Send>,
    /// By how much the other one of an HA pair is later, where there is one. It says everything the first one says.
    pub(crate) twin_after: Option<Duration>,
}

/// A state of an alert.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlannedState {
    pub(crate) alert: usize,
    pub(crate) status: Status,
    pub(crate) instance: Duration,
    /// When it ended last.
    pub(crate) ended: Duration,
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Something holds for a while.
    During(Condition, Duration),
    /// The connections by which a worker consumes are cut.
    CutConsuming(usize),
    /// The connection by which a worker publishes is cut.
    CutPublishing(usize),
    /// Both.
    CutAll(usize),
    /// The connections of an ingest are cut.
    CutIngest(usize),
    /// A worker dies, and is started again after a while.
    Kill(usize, Duration),
    /// A worker is told to stop, and another one is started after a while.
    Stop(usize, Duration),
    /// An ingest dies, and is started again.
    KillIngest(usize),
    /// A process's clock jumps, in milliseconds; workers first, then ingests.
    Jump(usize, i64),
}

/// The kinds of faults a seed can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Feishu answers strangely, late, or not at all.
    Feishu,
    /// Feishu cannot be reached.
    FeishuAway,
    /// Connections to the broker are cut.
    Cuts,
    /// Confirms of the broker come late.
    Confirms,
    /// The broker refuses some of what is deferred.
    Nacks,
    /// The broker, or the embedded queue's disk, is slow or away.
    Broker,
    /// The database is away, slow, hangs, refuses, or loses answers.
    Database,
    /// Processes die.
    Kills,
    /// Workers are stopped and started.
    Stops,
    /// Clocks jump.
    Jumps,
}

/// What seeds are drawn from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Only faults of these kinds, each of them in every seed; empty means any.
    pub(crate) faults: Vec<Kind>,
    /// Only the embedded queue, or only RabbitMQ.
    pub(crate) is_embedded: Option<bool>,
    /// Only with a spool.
    pub(crate) has_spool: bool,
}

/// How long senders send, and faults come.
const BUSY: Duration = Duration::from_mins(15);

impl Plan {
    pub(crate) fn of(seed: u64, scope: &Scope) -> Self {
        let dice = &mut StdRng::seed_from_u64(seed);
        let is_embedded = dice.random_bool(0.25);
        let is_embedded = scope.is_embedded.unwrap_or(is_embedded);
        let workers = if is_embedded { 1 } else { dice.random_range(1..=3) };
        let ingests = if is_embedded { 1 } else { dice.random_range(1..=2) };
        let bots = dice.random_range(1..=2);
        let alerts = dice.random_range(1..=10);
        let mut plan = Self {
            is_embedded,
            workers,
            ingests,
            has_spool: !is_embedded && (scope.has_spool || dice.random_bool(0.3)),
            bots,
            shards: if is_embedded { 1 } else { dice.random_range(1..=3) },
            prefetch: *[2, 20, 2_000].choose(dice).unwrap_or(&20),
            hold: secs(*[0, 20, 60, 300].choose(dice).unwrap_or(&300)),
            request_timeout: secs(*[2, 10].choose(dice).unwrap_or(&10)),
            alerts,
            groups: groups(dice, alerts),
            faults: Vec::new(),
            calm_from: BUSY,
        };
        plan.add_faults(dice, scope);
        plan
    }

    fn add_faults(&mut self, dice: &mut StdRng, scope: &Scope) {
        for kind in Kind::value_variants() {
            let is_wanted =
                if scope.faults.is_empty() { dice.random_bool(0.3) } else { scope.faults.contains(kind) };
            if !is_wanted {
                continue;
            }
            for _ in 0..dice.random_range(1..=3) {
                let at = time(dice, BUSY);
                let fault = self.fault(dice, *kind);
                self.calm_from = self.calm_from.max(at + fault.lasts());
                self.faults.push((at, fault));
            }
        }
        self.faults.sort_by_key(|(at, _)| *at);
    }

    fn fault(&self, dice: &mut StdRng, kind: Kind) -> Fault {
        let bot = dice.random_range(0..self.bots);
        let worker = dice.random_range(0..self.workers);
        let ingest = dice.random_range(0..self.ingests);
        let lasts = lasting(dice);
        match kind {
            Kind::FeishuAway => Fault::During(Condition::FeishuAway(bot), lasts),
            Kind::Feishu => {
                let kinds = [
                    Condition::FeishuSlow(bot),
                    Condition::FeishuLosesAnswers(bot),
                    Condition::FeishuThrottles(bot),
                    Condition::FeishuUnknown(bot),
                    Condition::FeishuErrors(bot),
                    Condition::FeishuBroken(bot),
                ];
                Fault::During(*kinds.choose(dice).unwrap_or(&kinds[0]), lasts)
            }
            Kind::Cuts if self.is_embedded => Fault::During(Condition::SlowBroker, lasts),
            Kind::Cuts => match dice.random_range(0..4) {
                0 => Fault::CutConsuming(worker),
                1 => Fault::CutPublishing(worker),
                2 => Fault::CutIngest(ingest),
                _ => Fault::CutAll(worker),
            },
            Kind::Confirms => Fault::During(Condition::LateConfirms, lasts),
            Kind::Nacks => Fault::During(Condition::Nacks, lasts),
            Kind::Broker if self.is_embedded || dice.random_bool(0.5) => {
                Fault::During(Condition::SlowBroker, lasts)
            }
            Kind::Broker => Fault::During(Condition::BrokerAway, lasts.min(secs(120))),
            Kind::Database => {
                let kinds = [
                    Condition::DatabaseAway,
                    Condition::DatabaseSlow,
                    Condition::DatabaseHangs,
                    Condition::DatabaseLosesAnswers,
                    Condition::DatabaseErrors,
                ];
                let kind = *kinds.choose(dice).unwrap_or(&kinds[0]);
                // For longer than anybody has patience a hanging database is one that is away.
                let is_hanging = kind == Condition::DatabaseHangs;
                Fault::During(kind, if is_hanging { lasts.min(secs(5)) } else { lasts })
            }
            Kind::Kills if dice.random_bool(0.2) => Fault::KillIngest(ingest),
            Kind::Kills => Fault::Kill(worker, time(dice, secs(60))),
            Kind::Stops => Fault::Stop(worker, time(dice, secs(60))),
            Kind::Jumps => {
                let process = dice.random_range(0..self.workers + self.ingests);
                // An ingest may be in local time for a while. One that is hours behind says so of every alert, and
                // nothing contradicts it; by a worker that is hours ahead reminders are late.
                let is_ingest = process >= self.workers;
                let most_ms = if is_ingest && dice.random_bool(0.3) { 9 * 3_600_000 } else { 20_000 };
                Fault::Jump(process, dice.random_range(-20_000..=most_ms))
            }
        }
    }

    /// Whether there is a fault of this kind.
    pub(crate) fn has(&self, is_it: impl Fn(&Fault) -> bool) -> bool {
        self.faults.iter().any(|(_, fault)| is_it(fault))
    }
}

impl Fault {
    fn lasts(&self) -> Duration {
        match self {
            Self::During(_, lasts) | Self::Kill(_, lasts) | Self::Stop(_, lasts) => *lasts,
            Self::CutConsuming(_)
            | Self::CutPublishing(_)
            | Self::CutAll(_)
            | Self::CutIngest(_)
            | Self::KillIngest(_)
            | Self::Jump(..) => Duration::ZERO,
        }
    }
}

/// The lives of alerts: each fires, is repeated, ends, and may come back.
fn groups(dice: &mut StdRng, alerts: usize) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut first = 0;
    while first < alerts {
        let count = dice.random_range(1..=3).min(alerts - first);
        groups.push(group(dice, first..first + count));
        first += count;
    }
    groups
}

fn group(dice: &mut StdRng, alerts: std::ops::Range<usize>) -> Group {
    let mut now = time(dice, BUSY / 2);
    let mut states: Vec<PlannedState> = alerts
        .map(|alert| PlannedState { alert, status: Status::Firing, instance: now, ended: now })
        .collect();
    let twin_after = dice.random_bool(0.25).then(|| time(dice, secs(15)));
    let mut sends = Vec::new();
    for _ in 0..dice.random_range(1..=7) {
        sends.push(Send { at: now, states: states.clone() });
        now += Duration::from_millis(dice.random_range(1_000..180_000));
        if now > BUSY {
            break;
        }
        for state in &mut states {
            match state.status {
                Status::Firing if dice.random_bool(0.4) => {
                    state.status = Status::Resolved;
                    state.ended = now;
                }
                Status::Resolved if dice.random_bool(0.6) => {
                    state.status = Status::Firing;
                    state.instance = now;
                }
                Status::Firing | Status::Resolved => {}
            }
        }
    }
    Group { sends, twin_after }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn time(dice: &mut StdRng, most: Duration) -> Duration {
    most.mul_f64(dice.random_range(0.0..1.0))
}

/// From a second to eleven minutes, short ones as often as long ones.
fn lasting(dice: &mut StdRng) -> Duration {
    Duration::from_secs_f64(dice.random_range(0.0_f64..6.5).exp())
}
