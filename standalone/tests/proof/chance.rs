//! Everything is killed and cut off by chance, for a while; then it is counted what Feishu was told.
//!
//! `LARKFIRE_PROOF_SEED` draws other faults, `LARKFIRE_PROOF_SECONDS` draws more of them.

use std::fmt;
use std::time::Duration;

use testkit::alertmanager::Alertmanager;
use testkit::wait_until::wait_until;

use crate::alerts::Alerts;
use crate::cards::{self, Card};
use crate::faults::{Account, Dice, strike};
use crate::fleet::Fleet;
use crate::ledger::{self, Told};
use crate::turn;

/// How long things go wrong where nothing else is asked for.
const SECONDS: u64 = 60;
/// How long the calm afterwards is, in which everything is counted.
const CALM: Duration = Duration::from_secs(5);
/// How long what is still under way may take to end.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often an Alertmanager says what has not changed.
const REPEAT_INTERVAL: &str = "5s";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_behind_a_clustered_pair_everything_is_told_once_and_within_the_budget() {
    let _turn = turn::mine().await;
    let fleet = Fleet::start().await;
    let urls = urls(&fleet);
    let pair = Alertmanager::pair(urls.each_ref().map(String::as_str), REPEAT_INTERVAL).await;
    prove(fleet, pair, 20_260_115).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_behind_a_pair_that_is_cut_off_from_each_other_everything_is_told_once() {
    let _turn = turn::mine().await;
    let fleet = Fleet::start().await;
    let [one, other] = urls(&fleet);
    let pair = [
        Alertmanager::alone(&one, REPEAT_INTERVAL).await,
        Alertmanager::alone(&other, REPEAT_INTERVAL).await,
    ];
    prove(fleet, pair, 1_030).await;
}

/// Each Alertmanager has an ingest of its own.
fn urls(fleet: &Fleet) -> [String; 2] {
    [0, 1].map(|number| format!("http://{}/api/alert", fleet.ingests[number].listen))
}

async fn prove(mut fleet: Fleet, pair: [Alertmanager; 2], seed: u64) {
    let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = asked("LARKFIRE_PROOF_SEED").unwrap_or(seed);
    let lasting = Duration::from_secs(asked("LARKFIRE_PROOF_SECONDS").unwrap_or(SECONDS));
    println!("LARKFIRE_PROOF_SEED={seed} LARKFIRE_PROOF_SECONDS={}", lasting.as_secs());
    let database = fleet.database.url();
    let mut alerts = Alerts::named("Stormy");
    let (mut of_faults, mut of_alerts) = (Dice(seed), Dice(!seed));
    let (account, ()) = tokio::join!(
        strike(&mut fleet, &mut of_faults, lasting),
        alerts.flow(&pair, &database, &mut of_alerts, lasting),
    );
    alerts.end(&pair, &fleet, &account).await;
    quiet(&fleet).await;
    let verdict = Verdict::of(&alerts, &cards::all(&fleet.sim), &account);
    println!("seed {seed}, {} s: {verdict}; {account}; {:?}", lasting.as_secs(), fleet.sim.totals());
    assert_eq!(ledger::dead(&database).await, 0, "nothing was given up");
    verdict.hold(&fleet);

    // And now without faults, by the counters of processes that nobody kills.
    fleet.renew().await;
    let mut calm = Alerts::named("Calm");
    calm.flow(&pair, &database, &mut of_alerts, CALM).await;
    calm.end(&pair, &fleet, &Account::default()).await;
    drop(pair);
    quiet(&fleet).await;
    balance(&fleet, calm.all.len()).await;
    let on_cards: usize = cards::all(&fleet.sim).iter().map(Card::alerts).sum();
    assert_eq!(on_cards, verdict.on_cards + 2 * calm.all.len(), "in calm each state is on one card");
    fleet.stop().await;
}

/// Waits until nothing is under way any more: not in the queues, not parked, and in nobody's hands.
async fn quiet(fleet: &Fleet) {
    let mut calm_looks = 0;
    wait_until(PATIENCE, "everything under way to end", async || {
        let (mut in_hand, lying) = (0, fleet.lying().await);
        for worker in &fleet.workers {
            in_hand += worker.counted("larkfire_in_flight_envelopes").await;
        }
        // Between two looks a message may be on its way from a queue into a hand.
        calm_looks = if in_hand == 0 && lying == 0 { calm_looks + 1 } else { 0 };
        if calm_looks >= 10 { Ok(()) } else { Err((in_hand, lying)) }
    })
    .await;
}

/// As many alerts have ended as were accepted, each in one way.
async fn balance(fleet: &Fleet, alerts: usize) {
    let (mut accepted, mut told, mut ended) = (0, 0, 0);
    for ingest in &fleet.ingests {
        accepted += ingest.counted("larkfire_ingest_alerts_accepted_total{").await;
    }
    for worker in &fleet.workers {
        told += worker.counted("larkfire_alerts_total{outcome=\"told\"}").await;
        ended += worker.counted("larkfire_alerts_total{").await;
    }
    assert_eq!((accepted, told), (ended, 2 * alerts as u64), "accepted is what ended; told is each state");
}

/// What the cards say.
struct Verdict {
    /// States of alerts: each fires, and is over.
    states: usize,
    cards: usize,
    /// Alerts on all cards together.
    on_cards: usize,
    /// Alerts on cards that may not have been written down.
    excused: usize,
    /// States that are named on two cards of which neither is one of those.
    inexcusable: Vec<(String, Told)>,
}

impl Verdict {
    fn of(alerts: &Alerts, cards: &[Card], account: &Account) -> Self {
        let is_excused: Vec<_> = cards.iter().map(|card| account.excuses(card.at)).collect();
        let mut inexcusable = Vec::new();
        for alert in &alerts.all {
            for told in [Told::Firing, Told::Resolved] {
                let naming = (0..cards.len()).filter(|index| cards[*index].names(&alert.name) == Some(told));
                let naming: Vec<_> = naming.collect();
                if naming.windows(2).any(|pair| !is_excused[pair[0]] && !is_excused[pair[1]]) {
                    inexcusable.push((alert.name.clone(), told));
                }
            }
        }
        let excused = cards.iter().zip(&is_excused).filter(|(_, excused)| **excused);
        Self {
            states: 2 * alerts.all.len(),
            cards: cards.len(),
            on_cards: cards.iter().map(Card::alerts).sum(),
            excused: excused.map(|(card, _)| card.alerts()).sum(),
            inexcusable,
        }
    }

    /// Nothing is lost: each alert was told as firing before it was ended, and has been told as over; so what is on
    /// the cards beyond that was told twice.
    fn doubled(&self) -> Option<usize> {
        self.on_cards.checked_sub(self.states)
    }

    fn hold(&self, fleet: &Fleet) {
        let doubled = self.doubled().unwrap_or_else(|| panic!("lost: {self}"));
        assert!(doubled <= self.excused, "{self}");
        assert!(self.inexcusable.is_empty(), "told twice without need: {:?}", self.inexcusable);
        let totals = fleet.sim.totals();
        assert_eq!((totals.throttled, totals.over_budget), (0, 0), "the budget was kept: {totals:?}");
        assert!(totals.refused.is_empty(), "{totals:?}");
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, cards, on_cards, excused, .. } = self;
        let doubled = self.doubled();
        write!(
            formatter,
            "{states} states, {on_cards} told on {cards} cards, doubled {doubled:?} of at most {excused}"
        )
    }
}
