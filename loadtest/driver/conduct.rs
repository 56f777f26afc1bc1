//! One round of a profile: the sender, the faults at their times, and a look at everything twice a second, until all
//! that was promised has ended or the patience has.

use std::collections::HashSet;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use runtime::clock::Clock;
use serde::Serialize;
use thiserror::Error;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::broker::BrokerError;
use crate::cards::Card;
use crate::deployment::{Counters, Deployment, DeploymentError};
use crate::ledger::{Ledger, Written};
use crate::plan::Plan;
use crate::progress;
use crate::scenario::Profile;
use crate::sender::{Aim, Answer, Counts, Sent, send};
use crate::sim_host::receiver_name;
use crate::timeline::{self, Service, Step};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What the sender gets to set itself up before the first request is due.
const LEAD: Duration = Duration::from_millis(300);

/// Why a round came to no verdict.
#[derive(Debug, Error)]
pub(crate) enum ConductError {
    #[error(transparent)]
    House(#[from] DeploymentError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error("cannot read what the workers have written down: {0}")]
    Ledger(#[from] sqlx::Error),
    #[error("the sender failed: {0}")]
    Sender(#[from] JoinError),
    /// Nobody killed it.
    #[error("{name} has ended by itself; it said:\n{said}")]
    Ended { name: &'static str, said: String },
}

/// What was seen at a moment.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Sample {
    /// Seconds since the first request was due.
    pub(crate) at: f64,
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    /// As the workers count.
    pub(crate) delivered: f64,
    /// Messages on the broker's queues of alerts, and on those for later attempts; unknown while it is killed.
    pub(crate) waiting: Option<u64>,
    pub(crate) deferred: Option<u64>,
    pub(crate) cards: u64,
}

/// All there is to know of a round.
pub(crate) struct Round {
    pub(crate) zero_us: i64,
    pub(crate) sent: Vec<Sent>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) written: Written,
    pub(crate) cards: Vec<Card>,
    pub(crate) counters: Counters,
    pub(crate) over_budget: u64,
    pub(crate) forgotten: u64,
}

/// Runs a profile against a deployment that is ready.
pub(crate) async fn conduct(deployment: &mut Deployment, profile: &Profile) -> Result<Round, ConductError> {
    let plan = Plan::of(profile);
    let counts = Arc::new(Counts::default());
    let paths = (0..profile.feishu.receivers).map(|number| format!("/api/alert/{}", receiver_name(number)));
    let aim = Aim { address: deployment.listen, paths: paths.collect() };
    for role in &mut deployment.roles {
        role.count_from_here();
    }
    let begin = Instant::now() + LEAD;
    let zero_us = Clock::system().now().as_microsecond() + i64::try_from(LEAD.as_micros()).unwrap_or(0);
    let mut senders = JoinSet::new();
    let sending = &profile.sending;
    senders.spawn(send(plan, aim, sending.connections, sending.alert_bytes, begin, Arc::clone(&counts)));
    let ledger = Ledger::new(deployment.database.url(), plan);
    let mut watch = Watch { deployment, ledger, counts, begin, samples: Vec::new() };
    let sent = watch.until_sent(profile, &mut senders).await?;
    let patience = Instant::now() + profile.settle();
    watch.until_ended(promised(plan, &sent), patience).await?;
    watch.close(zero_us, sent).await
}

/// How many different alerts were answered 202.
fn promised(plan: Plan, sent: &[Sent]) -> u64 {
    let accepted = sent.iter().filter(|sent| sent.answer == Answer::Accepted);
    accepted.flat_map(|sent| plan.alerts(sent.request)).collect::<HashSet<_>>().len() as u64
}

struct Watch<'h> {
    deployment: &'h mut Deployment,
    ledger: Ledger,
    counts: Arc<Counts>,
    begin: Instant,
    samples: Vec<Sample>,
}

impl Watch<'_> {
    /// Until everything is sent and every fault is over.
    async fn until_sent(
        &mut self,
        profile: &Profile,
        senders: &mut JoinSet<Result<Vec<Sent>, JoinError>>,
    ) -> Result<Vec<Sent>, ConductError> {
        let mut steps = timeline::steps(&profile.faults).into_iter().peekable();
        let mut sent = None;
        let mut next_look = self.begin;
        loop {
            let next_step = steps.peek().map(|(at, _)| self.begin + *at);
            if sent.is_some() && next_step.is_none() {
                return Ok(sent.unwrap_or_default());
            }
            let wake = next_step.map_or(next_look, |step| step.min(next_look));
            tokio::select! {
                () = sleep_until(wake) => {}
                Some(done) = senders.join_next(), if sent.is_none() => sent = Some(done??),
            }
            let now = Instant::now();
            while let Some((at, step)) = steps.next_if(|(at, _)| self.begin + *at <= now) {
                if !matches!(step, Step::Hold | Step::Flow) {
                    progress(&format!("{:>6.1} s  {step:?}", at.as_secs_f64()));
                }
                self.deployment.apply(step).await?;
            }
            if now >= next_look {
                self.look().await?;
                next_look = now + LOOK_EVERY;
            }
        }
    }

    /// Until as many alerts have ended as were promised and nothing is on its way any more, or until then.
    async fn until_ended(&mut self, promised: u64, patience: Instant) -> Result<(), ConductError> {
        loop {
            let sample = self.look().await?;
            let in_flight = self.counters().in_flight;
            let is_quiet = sample.waiting == Some(0) && sample.deferred == Some(0) && in_flight < 0.5;
            if (is_quiet && self.have_ended(promised).await?) || Instant::now() >= patience {
                return Ok(());
            }
            sleep_until(Instant::now() + LOOK_EVERY).await;
        }
    }

    async fn have_ended(&mut self, promised: u64) -> Result<bool, ConductError> {
        match self.ledger.ended().await {
            Err(_) if self.deployment.services.is_own(Service::Database) => Ok(false),
            ended => Ok(ended? >= promised),
        }
    }

    async fn look(&mut self) -> Result<Sample, ConductError> {
        for role in &mut self.deployment.roles {
            role.look().await;
            if let Some(said) = role.died() {
                return Err(ConductError::Ended { name: role.name(), said });
            }
        }
        let (waiting, deferred) = self.deployment.depth().await?.unzip();
        let sample = Sample {
            at: self.begin.elapsed().as_secs_f64(),
            sent: self.counts.sent.load(Ordering::Relaxed),
            accepted: self.counts.accepted.load(Ordering::Relaxed),
            delivered: self.counters().delivered,
            waiting,
            deferred,
            cards: self.deployment.host.sim.totals().accepted,
        };
        self.samples.push(sample);
        self.show(&sample);
        Ok(sample)
    }

    /// A line a second where somebody watches, and every five where it goes to a file.
    fn show(&self, sample: &Sample) {
        let every = if std::io::stderr().is_terminal() { 2 } else { 10 };
        if !(self.samples.len() - 1).is_multiple_of(every) {
            return;
        }
        let Sample { at, sent, accepted, delivered, cards, .. } = sample;
        let depth =
            |messages: Option<u64>| messages.map_or_else(|| "?".to_owned(), |count| count.to_string());
        let waiting = depth(sample.waiting);
        let deferred = depth(sample.deferred);
        let failed =
            self.counts.refused.load(Ordering::Relaxed) + self.counts.unanswered.load(Ordering::Relaxed);
        progress(&format!(
            "{at:>6.1} s  sent {sent:>7}  accepted {accepted:>7}  not {failed:>6}  delivered {delivered:>7}  \
             waiting {waiting:>6}  deferred {deferred:>5}  cards {cards:>5}"
        ));
    }

    fn counters(&self) -> Counters {
        self.deployment.roles.iter().fold(Counters::default(), |sum, role| sum.plus(role.counters()))
    }

    async fn close(mut self, zero_us: i64, sent: Vec<Sent>) -> Result<Round, ConductError> {
        let totals = self.deployment.host.sim.totals();
        let cards = self.deployment.host.sim.accepted();
        let cards = cards
            .iter()
            .filter_map(|record| Some(Card::read(record.at.as_microsecond(), &record.message()?)));
        Ok(Round {
            zero_us,
            sent,
            cards: cards.collect(),
            written: self.ledger.read().await?,
            counters: self.counters(),
            over_budget: totals.over_budget,
            forgotten: totals.forgotten,
            samples: self.samples,
        })
    }
}
