//! Alerts as two Prometheus replicas send them to both Alertmanagers: each fires, and is over once its firing was delivered.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::alertmanager::Alertmanager;
use testkit::bodies;
use tokio::time::{Instant, sleep};

use crate::cards::{self, Card};
use crate::chance::{PATIENCE, Senders};
use crate::faults::{Account, Dice, now};
use crate::fleet::Fleet;
use crate::ledger::{self, Delivered};

/// How often something begins and ends.
const TICK: Duration = Duration::from_millis(500);
/// How many alerts begin at once, at most.
const AT_ONCE_MAX: u64 = 8;
/// Each fires at least so long, so that the Alertmanagers say so more than once.
const FIRING_AT_LEAST: SignedDuration = SignedDuration::from_secs(4);
/// How far apart the replicas' stamps of one alert are, in seconds, at most.
const STAMPS_APART_MAX: u64 = 15;
/// Looks without anything under way and without anything new on a card after which what is missing is lost. Meanwhile
/// the Alertmanagers have sent it again.
const IDLE_LOOKS: u32 = 20;
/// Looks after which an end that was not sent will not be: longer than an Alertmanager's pauses between tries.
const UNSENT_LOOKS: u32 = 80;

/// One alert.
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) fingerprint: String,
    /// When it began, in the eyes of either replica.
    stamps: [Timestamp; 2],
    posted_at: Timestamp,
    is_over: bool,
}

/// Everything that was sent.
pub(crate) struct Alerts {
    pub(crate) all: Vec<Alert>,
    prefix: &'static str,
}

impl Alerts {
    pub(crate) const fn named(prefix: &'static str) -> Self {
        Self { all: Vec::new(), prefix }
    }

    /// Lets alerts begin and end for so long.
    pub(crate) async fn flow(
        &mut self,
        pair: &[Alertmanager; 2],
        database: &str,
        dice: &mut Dice,
        lasting: Duration,
    ) {
        let end = Instant::now() + lasting;
        while Instant::now() < end {
            self.begin(pair, dice).await;
            self.finish(pair, &ledger::delivered(database).await, &[]).await;
            sleep(TICK).await;
        }
    }

    /// Ends what is left, and waits until every end that was taken was delivered. Returns how many ends no Alertmanager has
    /// sent: one sends none where no notification of the firing was answered with 2xx, though we may have had it.
    ///
    /// That they were delivered is written down; only where somebody was killed who could not write it down yet, the cards
    /// have to say so. A card may not name all: there may be as many unnamed ones as there are on such cards.
    pub(crate) async fn end(&mut self, senders: &Senders, fleet: &Fleet, account: &Account) -> usize {
        let database = fleet.database.url();
        let deadline = Instant::now() + PATIENCE;
        let mut idle_looks = 0;
        let mut fewest = (usize::MAX, usize::MAX, usize::MAX);
        loop {
            let delivered = ledger::delivered(&database).await;
            let cards = cards::all(&fleet.sim);
            self.finish(&senders.pair, &delivered, &cards).await;
            let names = |card: &Card, alert: &Alert| card.names(&alert.name) == Some(Delivered::Resolved);
            let is_shown_over = |alert: &Alert| {
                delivered.get(&alert.fingerprint) == Some(&Delivered::Resolved)
                    || cards.iter().any(|card| names(card, alert))
            };
            let firing: Vec<_> = self.all.iter().filter(|alert| !alert.is_over).collect();
            let unshown: Vec<_> =
                self.all.iter().filter(|alert| alert.is_over && !is_shown_over(alert)).collect();
            let (owed, unsent): (Vec<_>, Vec<_>) =
                unshown.into_iter().partition(|alert| senders.have_handed_over_the_end(&alert.name));
            let unnamed =
                |card: &Card| card.resolved - self.all.iter().filter(|alert| names(card, alert)).count();
            let unwritten: usize = cards.iter().filter(|card| account.excuses(card.at)).map(unnamed).sum();
            let is_done = firing.is_empty() && owed.len() <= unwritten;
            if is_done && (unsent.is_empty() || idle_looks >= UNSENT_LOOKS) {
                return unsent.len();
            }
            let left = (firing.len(), owed.len(), unsent.len());
            idle_looks = if left < fewest { 0 } else { idle_looks };
            fewest = fewest.min(left);
            idle_looks += u32::from(fleet.under_way().await == 0);
            let is_lost = !is_done && idle_looks >= IDLE_LOOKS;
            if Instant::now() > deadline || is_lost {
                let missing = owed.first().or(firing.first()).or(unsent.first()).unwrap();
                let name = &missing.name;
                let trace = fleet.trace(&missing.fingerprint).await;
                panic!(
                    "of {} alerts {} were never delivered as firing, {} not as over though that was taken, {} ends were \
                     not sent; such as {name}:\n{trace}",
                    self.all.len(),
                    firing.len(),
                    owed.len(),
                    unsent.len()
                );
            }
            sleep(TICK).await;
        }
    }

    async fn begin(&mut self, pair: &[Alertmanager; 2], dice: &mut Dice) {
        let count = 1 + dice.below(AT_ONCE_MAX);
        let first = self.all.len();
        for number in first as u64..first as u64 + count {
            let apart = SignedDuration::from_secs(i64::try_from(dice.below(STAMPS_APART_MAX)).unwrap());
            let name = format!("{}{number}", self.prefix);
            let posted_at = now();
            let stamps = if dice.below(2) == 0 {
                [apart, SignedDuration::ZERO]
            } else {
                [SignedDuration::ZERO, apart]
            };
            let stamps = stamps.map(|before| posted_at - before);
            let fingerprint = fingerprint(&name);
            self.all.push(Alert { name, fingerprint, stamps, posted_at, is_over: false });
        }
        let news = &self.all[first..];
        for replica in [0, 1] {
            let firing = news.iter().map(|alert| alert.body(replica, None)).collect();
            post(pair, replica, firing).await;
        }
    }

    /// Ends what was delivered as firing and has fired for long enough: so either state of each alert has to be delivered.
    /// Also what a card says was delivered, where it could not be written down: the claim on it outlasts the test.
    async fn finish(
        &mut self,
        pair: &[Alertmanager; 2],
        delivered: &BTreeMap<String, Delivered>,
        cards: &[Card],
    ) {
        let now = now();
        let is_due = |alert: &&mut Alert| {
            let is_delivered = delivered.get(&alert.fingerprint) == Some(&Delivered::Firing)
                || cards.iter().any(|card| card.names(&alert.name) == Some(Delivered::Firing));
            !alert.is_over && is_delivered && now.duration_since(alert.posted_at) >= FIRING_AT_LEAST
        };
        let mut due: Vec<_> = self.all.iter_mut().filter(is_due).collect();
        if due.is_empty() {
            return;
        }
        for replica in [0, 1] {
            let over = due.iter().map(|alert| alert.body(replica, Some(now))).collect();
            post(pair, replica, over).await;
        }
        for alert in &mut due {
            alert.is_over = true;
        }
    }
}

impl Alert {
    fn body(&self, replica: usize, ends_at: Option<Timestamp>) -> Value {
        let mut body = json!({ "labels": labels(&self.name), "startsAt": self.stamps[replica].to_string() });
        if let Some(ends_at) = ends_at {
            body["endsAt"] = json!(ends_at.to_string());
        }
        body
    }
}

/// Each replica sends to both, in an order of its own.
async fn post(pair: &[Alertmanager; 2], replica: usize, alerts: Vec<Value>) {
    let alerts = Value::Array(alerts);
    pair[replica].post(&alerts).await;
    pair[1 - replica].post(&alerts).await;
}

fn labels(name: &str) -> BTreeMap<&str, &str> {
    BTreeMap::from([("alertname", name), ("severity", "warning")])
}

fn fingerprint(name: &str) -> String {
    bodies::fingerprint(labels(name))
}
