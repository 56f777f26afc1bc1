//! Alerts as two Prometheus replicas send them to both Alertmanagers: each fires, and is over once its firing was told.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::alertmanager::Alertmanager;
use tokio::time::{Instant, sleep};

use crate::cards::{self, Card};
use crate::faults::{Account, Dice, now};
use crate::fleet::Fleet;
use crate::ledger::{self, Told};

/// How often something begins and ends.
const TICK: Duration = Duration::from_millis(500);
/// How many alerts begin at once, at most.
const AT_ONCE_MAX: u64 = 8;
/// Each fires at least so long, so that the Alertmanagers say so more than once.
const FIRING_AT_LEAST: SignedDuration = SignedDuration::from_secs(4);
/// How far apart the replicas' stamps of one alert are, in seconds, at most.
const STAMPS_APART_MAX: u64 = 15;
/// How long after the last one began all have to be over, and told.
const PATIENCE: Duration = Duration::from_mins(1);

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
            self.finish(pair, &ledger::told(database).await, &[]).await;
            sleep(TICK).await;
        }
    }

    /// Ends what is left, and waits until all of them were told as over.
    ///
    /// So it is written down; only where somebody was killed who could not write it down yet, the cards have to say
    /// so. Of many alerts a card does not name all: there may be as many unnamed ones as there are on such cards.
    pub(crate) async fn end(&mut self, pair: &[Alertmanager; 2], fleet: &Fleet, account: &Account) {
        let (database, deadline) = (fleet.database.url(), Instant::now() + PATIENCE);
        loop {
            let (told, cards) = (ledger::told(&database).await, cards::all(&fleet.sim));
            self.finish(pair, &told, &cards).await;
            let is_missing = |alert: &&Alert| told.get(&alert.fingerprint) != Some(&Told::Resolved);
            let mut missing: Vec<_> = self.all.iter().filter(is_missing).collect();
            if missing.is_empty() {
                return;
            }
            if missing.iter().all(|alert| alert.is_over) {
                let names = |card: &Card, alert: &Alert| card.names(&alert.name) == Some(Told::Resolved);
                missing.retain(|alert| !cards.iter().any(|card| names(card, alert)));
                let unnamed =
                    |card: &Card| card.resolved - self.all.iter().filter(|alert| names(card, alert)).count();
                let unwritten = cards.iter().filter(|card| account.excuses(card.at));
                if missing.len() <= unwritten.map(unnamed).sum() {
                    return;
                }
            }
            if Instant::now() > deadline {
                let (name, trace) = (&missing[0].name, fleet.trace(&missing[0].fingerprint).await);
                let count = missing.len();
                panic!("{count} of {} were not told as over, such as {name}:\n{trace}", self.all.len());
            }
            sleep(TICK).await;
        }
    }

    async fn begin(&mut self, pair: &[Alertmanager; 2], dice: &mut Dice) {
        let (count, first) = (1 + dice.below(AT_ONCE_MAX), self.all.len());
        for number in first as u64..first as u64 + count {
            let apart = SignedDuration::from_secs(i64::try_from(dice.below(STAMPS_APART_MAX)).unwrap());
            let (name, posted_at) = (format!("{}{number}", self.prefix), now());
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

    /// Ends what was told as firing and has fired for long enough: so either state of each alert has to be told.
    /// Also what a card says was told, where it could not be written down: the claim on it outlasts the test.
    async fn finish(&mut self, pair: &[Alertmanager; 2], told: &BTreeMap<String, Told>, cards: &[Card]) {
        let now = now();
        let is_due = |alert: &&mut Alert| {
            let is_told = told.get(&alert.fingerprint) == Some(&Told::Firing)
                || cards.iter().any(|card| card.names(&alert.name) == Some(Told::Firing));
            !alert.is_over && is_told && now.duration_since(alert.posted_at) >= FIRING_AT_LEAST
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

/// Prometheus' own: FNV-1a over the sorted names and values, each followed by a byte that is in no text.
fn fingerprint(name: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in labels(name).into_iter().flat_map(|(name, value)| [name, value]) {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}
