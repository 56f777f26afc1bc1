//! One ingest and one worker, alerts that Feishu cannot take yet, and the account of what became of them.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use testkit::bodies;
use testkit::broker_node::BrokerNode;
use testkit::http;
use testkit::wait_until::wait_until;
use tokio::task::JoinSet;

use crate::cards::{self, Card};
use crate::fleet::{Fleet, FleetProcess, Plan, counted};
use crate::ledger;

/// Requests under way at once.
const SENDERS: usize = 16;
/// How long each step may take. The longest pause on the way is the second one of a deferred envelope: 30 s.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);
/// Looks without anything under way after which nothing is: between two looks a message may be on its way from a queue
/// into a hand.
const CALM_LOOKS: u32 = 15;

/// A fleet of two, and what was promised.
pub(super) struct Scene {
    pub(super) fleet: Fleet,
    promised: BTreeSet<usize>,
    /// Whether the worker's counters are of its whole life.
    is_restarted: bool,
}

impl Scene {
    /// With this configuration file, on the broker of the machine.
    pub(super) async fn start(config: &str) -> Self {
        Self::of(Self::plan(config)).await
    }

    /// The same on a broker of the test's own.
    pub(super) async fn on(broker: &BrokerNode, config: &str) -> Self {
        Self::of(Plan { broker: broker.port(), ..Self::plan(config) }).await
    }

    fn plan(config: &str) -> Plan {
        Plan { ingests: 1, workers: 1, config: config.to_owned(), ..Plan::default() }
    }

    async fn of(plan: Plan) -> Self {
        Self { fleet: Fleet::of(plan).await, promised: BTreeSet::new(), is_restarted: false }
    }

    pub(super) fn ingest(&self) -> &FleetProcess {
        &self.fleet.ingests[0]
    }

    pub(super) fn worker(&self) -> &FleetProcess {
        &self.fleet.workers[0]
    }

    /// Sends so many alerts, each with this much text, and sees to it that each is promised.
    pub(super) async fn send(&mut self, count: usize, text_bytes: usize) {
        self.promised.extend(send(self.ingest().listen, count, text_bytes).await);
    }

    /// Waits until a counter of the worker has grown by so much.
    pub(super) async fn worker_counts(&self, metric: &str, more: u64) {
        counts(self.worker().admin, metric, more).await;
    }

    /// Waits until Feishu was tried in vain so many times more.
    pub(super) async fn tried(&self, times: u64) {
        self.worker_counts("larkfire_feishu_requests_total{", times).await;
    }

    /// Cuts the worker's connections to the broker once, and waits until it has everything in hand again that it had:
    /// meanwhile the broker puts that back into the queue.
    pub(super) async fn cut_worker_once(&self) {
        self.worker().broker.cut();
        wait_until(PATIENCE, "what was in hand to lie in the queue", async || {
            if self.fleet.lying().await > 0 { Ok(()) } else { Err(()) }
        })
        .await;
        self.worker().broker.restore();
        wait_until(PATIENCE, "the queues to be empty", async || match self.fleet.lying().await {
            0 => Ok(()),
            lying => Err(lying),
        })
        .await;
    }

    /// Ends the worker as a crash would, or asks it to end, and starts it again.
    pub(super) async fn restart_worker(&mut self, is_crash: bool) {
        self.is_restarted = true;
        let worker = &mut self.fleet.workers[0];
        if is_crash {
            worker.crash().await;
        } else {
            worker.stop().await;
            worker.start_again();
        }
        worker.wait_until_ready().await;
    }

    /// Waits until nothing is under way any more, then counts; prints what it found, and fails if anything is lost.
    pub(super) async fn account(mut self, row: &str) {
        let in_hand = async || self.worker().counted("larkfire_envelopes_in_flight").await;
        calm(async || u64::from(self.fleet.lying().await) + in_hand().await).await;
        let database = self.fleet.database.url();
        let delivered = ledger::delivered(&database).await;
        let dead = ledger::dead_alerts(&database).await;
        let counted = if self.is_restarted { None } else { Some(self.ended().await) };
        let verdict = Verdict::of(
            &self.promised,
            |name| delivered.contains_key(name),
            |name| dead.contains(name),
            &cards::all(&self.fleet.sim),
            counted,
        );
        println!("{row}: {verdict}");
        self.fleet.stop().await;
        verdict.hold();
    }

    /// By the counters: how many alerts were accepted, and how many have ended.
    async fn ended(&self) -> (u64, u64) {
        let accepted = self.ingest().counted("larkfire_ingest_alerts_accepted_total{").await;
        (accepted, self.worker().counted("larkfire_alerts_total{").await)
    }
}

/// Waits until nothing is under way: `look` says what is.
pub(super) async fn calm(mut look: impl AsyncFnMut() -> u64) {
    let mut calm_looks = 0;
    wait_until(PATIENCE, "everything under way to end", async || {
        let under_way = look().await;
        calm_looks = if under_way == 0 { calm_looks + 1 } else { 0 };
        if calm_looks >= CALM_LOOKS { Ok(()) } else { Err(under_way) }
    })
    .await;
}

/// Waits until a counter of the process with this address for operators has grown by so much.
pub(super) async fn counts(admin: SocketAddr, metric: &str, more: u64) {
    let wanted = counted(admin, metric).await + more;
    wait_until(PATIENCE, &format!("{metric} to reach {wanted}"), async || {
        let counted = counted(admin, metric).await;
        if counted >= wanted { Ok(()) } else { Err(counted) }
    })
    .await;
}

/// Sends so many alerts, each in a request of its own with this much text, and sees to it that each is promised.
/// Returns their numbers.
pub(super) async fn send(listen: SocketAddr, count: usize, text_bytes: usize) -> BTreeSet<usize> {
    let mut senders = JoinSet::new();
    for first in 0..SENDERS.min(count) {
        senders.spawn(async move {
            let url = format!("http://{listen}/api/alert");
            for number in (first..count).step_by(SENDERS) {
                let answer = http::post_json(&url, &body(number, text_bytes)).await.unwrap();
                assert_eq!(answer.status, 202, "{}", answer.text());
            }
        });
    }
    senders.join_all().await;
    (0..count).collect()
}

/// What became of what was promised.
pub(super) struct Verdict {
    promised: usize,
    delivered: usize,
    dead: usize,
    /// In no ledger as delivered, and in no dead letter, with nothing on any queue.
    lost: Vec<usize>,
    /// Alerts on all cards together.
    on_cards: usize,
    /// Accepted and ended, by the counters of processes that nobody restarted.
    counted: Option<(u64, u64)>,
}

impl Verdict {
    pub(super) fn of(
        promised: &BTreeSet<usize>,
        is_delivered: impl Fn(&str) -> bool,
        is_dead: impl Fn(&str) -> bool,
        cards: &[Card],
        counted: Option<(u64, u64)>,
    ) -> Self {
        let with =
            |is: &dyn Fn(&str) -> bool| promised.iter().filter(|number| is(&fingerprint(**number))).count();
        let delivered = with(&is_delivered);
        let dead = with(&is_dead);
        let is_lost =
            |number: &&usize| !is_delivered(&fingerprint(**number)) && !is_dead(&fingerprint(**number));
        let lost = promised.iter().filter(is_lost).copied().collect();
        let on_cards = cards.iter().map(Card::alerts).sum();
        Self { promised: promised.len(), delivered, dead, lost, on_cards, counted }
    }

    pub(super) fn hold(&self) {
        assert!(self.lost.is_empty(), "{self}; lost are {:?}", self.lost);
        assert_eq!(self.on_cards, self.delivered, "each is on one card: {self}");
        if let Some((accepted, ended)) = self.counted {
            assert_eq!(accepted, ended, "accepted is what has ended: {self}");
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { promised, delivered, dead, lost, on_cards, counted } = self;
        write!(
            formatter,
            "{} of {promised} lost; {delivered} delivered, {dead} dead letters, {on_cards} on cards",
            lost.len()
        )?;
        match counted {
            Some((accepted, ended)) => write!(formatter, "; counted: {accepted} accepted, {ended} ended"),
            None => Ok(()),
        }
    }
}

fn body(number: usize, text_bytes: usize) -> serde_json::Value {
    let alert = json!({
        "status": "firing", "labels": { "alertname": "Copied", "number": number.to_string() },
        "annotations": { "description": "x".repeat(text_bytes) },
        "startsAt": "2026-01-15T10:30:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": fingerprint(number)
    });
    json!({
        "version": "4", "groupKey": number.to_string(), "status": "firing", "receiver": "default",
        "alerts": [alert]
    })
}

fn fingerprint(number: usize) -> String {
    bodies::fingerprint([("alertname", "Copied"), ("number", &*number.to_string())])
}
