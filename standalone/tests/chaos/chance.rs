//! Everything is killed and cut off by chance, for a while; then it is counted what Feishu was sent.
//!
//! `LARKFIRE_CHAOS_SEED` draws other faults, `LARKFIRE_CHAOS_SECONDS` draws more of them.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use testkit::alertmanager::Alertmanager;
use testkit::wait_until::wait_until;
use testkit::witness::Witness;

use crate::alerts::Alerts;
use crate::cards::{self, Card};
use crate::faults::{Account, Dice, strike};
use crate::fleet::Fleet;
use crate::ledger::{self, Delivered};
use crate::turn;

/// How long things go wrong where nothing else is asked for.
const SECONDS: u64 = 60;
/// How long the calm afterwards is, in which everything is counted.
const CALM: Duration = Duration::from_secs(5);
/// How long what is still under way may take to end: what may be in the chat already is tried again after ten minutes at
/// the latest.
pub(crate) const PATIENCE: Duration = Duration::from_mins(12);
/// How long alerts are held while Feishu is away: less than it mostly is away.
const HOLD: Duration = Duration::from_secs(5);
/// How long a firing that came just after its end waits for that end to come again (`Fleet::holding` sets the jitter).
const RETURN_WAIT: SignedDuration = SignedDuration::from_secs(6 * 20);
/// One of so many alerts may be delivered as having returned: an Alertmanager whose flush was held up sends it as firing after the
/// other has sent its end, and where the entries of their notification logs cross, neither sends the end again. Nobody
/// can then tell it from an alert that is back.
const RETURNS_ONE_IN: usize = 50;
/// Of so many alerts the end of one may not be sent: an Alertmanager sends none where no notification of the firing was
/// answered with 2xx, which happens while a broker takes alerts and does not say so. Nor is one sent again where a firing of
/// the other Alertmanager, which was held up, is taken after it.
const UNSENT_ONE_IN: usize = 50;
/// States shown that no card names.
const UNNAMED_SHOWN: usize = 10;
/// How often an Alertmanager says what has not changed.
const REPEAT_INTERVAL: &str = "5s";

/// A pair of Alertmanagers, each with an ingest of its own, and what those have taken.
pub(crate) struct Senders {
    pub(crate) pair: [Alertmanager; 2],
    witnesses: [Witness; 2],
}

impl Senders {
    /// Whether the end of the alert is the last that one of the ingests has taken of it.
    pub(crate) fn have_handed_over_the_end(&self, alertname: &str) -> bool {
        let last = self.witnesses.iter().filter_map(|witness| witness.last_taken(alertname)).max();
        last.is_some_and(|(_, is_over)| is_over)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_behind_a_clustered_pair_everything_is_delivered_once_and_within_the_budget() {
    let _turn = turn::mine().await;
    let fleet = Fleet::holding(HOLD).await;
    let witnesses = witnesses(&fleet).await;
    let urls = witnesses.each_ref().map(url);
    let pair = Alertmanager::pair(urls.each_ref().map(String::as_str), REPEAT_INTERVAL).await;
    prove(fleet, Senders { pair, witnesses }, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_behind_a_pair_that_is_cut_off_from_each_other_everything_is_delivered_once() {
    let _turn = turn::mine().await;
    let fleet = Fleet::holding(HOLD).await;
    let witnesses = witnesses(&fleet).await;
    let [one, other] = witnesses.each_ref().map(url);
    let pair = [
        Alertmanager::alone(&one, REPEAT_INTERVAL).await,
        Alertmanager::alone(&other, REPEAT_INTERVAL).await,
    ];
    prove(fleet, Senders { pair, witnesses }, 2).await;
}

async fn witnesses(fleet: &Fleet) -> [Witness; 2] {
    [Witness::start(fleet.ingests[0].listen).await, Witness::start(fleet.ingests[1].listen).await]
}

fn url(witness: &Witness) -> String {
    format!("http://{}/api/alert", witness.address())
}

async fn prove(mut fleet: Fleet, senders: Senders, seed: u64) {
    let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = asked("LARKFIRE_CHAOS_SEED").unwrap_or(seed);
    let lasting = Duration::from_secs(asked("LARKFIRE_CHAOS_SECONDS").unwrap_or(SECONDS));
    println!("LARKFIRE_CHAOS_SEED={seed} LARKFIRE_CHAOS_SECONDS={}", lasting.as_secs());
    let database = fleet.database.url();
    let mut alerts = Alerts::named("Stormy");
    let mut of_faults = Dice(seed);
    let mut of_alerts = Dice(!seed);
    let (account, ()) = tokio::join!(
        strike(&mut fleet, &mut of_faults, lasting),
        alerts.flow(&senders.pair, &database, &mut of_alerts, lasting),
    );
    let unsent = alerts.end(&senders, &fleet, &account).await;
    quiet(&fleet).await;
    let verdict = Verdict::of(&alerts, unsent, &cards::all(&fleet.sim), &account);
    println!("seed {seed}, {} s: {verdict}; {account}; {:?}", lasting.as_secs(), fleet.sim.totals());
    assert_eq!(ledger::dead(&database).await, 0, "nothing was given up");
    verdict.hold(&fleet);

    // And now without faults, by the counters of processes that nobody kills.
    fleet.renew().await;
    // What an Alertmanager has sent to a process before it ended may be counted by those after it.
    quiet(&fleet).await;
    let before = Counted::of(&fleet).await;
    let mut calm = Alerts::named("Calm");
    calm.flow(&senders.pair, &database, &mut of_alerts, CALM).await;
    assert_eq!(calm.end(&senders, &fleet, &Account::default()).await, 0, "in calm each end is sent");
    quiet(&fleet).await;
    // Not before: the end of what one of them has sent late comes once more, from the same one.
    drop(senders);
    Counted::of(&fleet).await.balance(before, calm.all.len());
    let on_cards: usize = cards::all(&fleet.sim).iter().map(Card::alerts).sum();
    assert_eq!(on_cards, verdict.on_cards + 2 * calm.all.len(), "in calm each state is on one card");
    fleet.stop().await;
}

/// Waits until nothing is under way any more: not in the queues, not parked, and in nobody's hands.
async fn quiet(fleet: &Fleet) {
    let mut calm_looks = 0;
    wait_until(PATIENCE, "everything under way to end", async || {
        let under_way = fleet.under_way().await;
        // Between two looks a message may be on its way from a queue into a hand.
        calm_looks = if under_way == 0 { calm_looks + 1 } else { 0 };
        if calm_looks >= 10 { Ok(()) } else { Err(under_way) }
    })
    .await;
}

/// What the counters of processes say that nobody kills.
#[derive(Clone, Copy, Debug)]
struct Counted {
    accepted: u64,
    delivered: u64,
    known: u64,
    stale: u64,
    dead: u64,
}

impl Counted {
    async fn of(fleet: &Fleet) -> Self {
        let mut accepted = 0;
        for ingest in &fleet.ingests {
            accepted += ingest.counted("larkfire_ingest_alerts_accepted_total{").await;
        }
        let mut ended = [0; 5];
        for worker in &fleet.workers {
            for (count, outcome) in
                ended.iter_mut().zip(["delivered", "summarised", "duplicate", "superseded", "dead_lettered"])
            {
                *count += worker.counted(&format!("larkfire_alerts_total{{outcome=\"{outcome}\"")).await;
            }
        }
        let [delivered, summarised, known, stale, dead] = ended;
        Self { accepted, delivered: delivered + summarised, known, stale, dead }
    }

    /// As many alerts have ended as were accepted, each in one way.
    fn balance(self, before: Self, alerts: usize) {
        let ended = |counted: Self| counted.delivered + counted.known + counted.stale + counted.dead;
        let accepted = self.accepted - before.accepted;
        let delivered = self.delivered - before.delivered;
        let both = (ended(self) - ended(before), 2 * alerts as u64);
        assert_eq!(
            (accepted, delivered),
            both,
            "accepted is what ended; delivered is each state: {before:?}, {self:?}"
        );
    }
}

/// What the cards say.
struct Verdict {
    /// States of alerts: each fires, and is over, as far as that was sent.
    states: usize,
    /// Ends that no Alertmanager has sent.
    unsent: usize,
    cards: usize,
    /// Alerts on all cards together.
    on_cards: usize,
    /// Alerts on cards that may not have been written down.
    excused: usize,
    /// Alerts that were delivered as firing once more, long after their end.
    returned: usize,
    /// States that are named on two cards of which neither is one of those.
    inexcusable: Vec<(String, Delivered)>,
    /// States that no card names.
    unnamed: Vec<(String, Delivered)>,
}

impl Verdict {
    fn of(alerts: &Alerts, unsent: usize, cards: &[Card], account: &Account) -> Self {
        let is_excused: Vec<_> = cards.iter().map(|card| account.excuses(card.at)).collect();
        let mut inexcusable = Vec::new();
        let mut unnamed = Vec::new();
        let mut returned = 0;
        for alert in &alerts.all {
            let ended = cards.iter().find(|card| card.names(&alert.name) == Some(Delivered::Resolved));
            let is_return = |card: &Card, delivered| {
                delivered == Delivered::Firing
                    && ended.is_some_and(|end| card.at.duration_since(end.at) >= RETURN_WAIT / 2)
            };
            for delivered in [Delivered::Firing, Delivered::Resolved] {
                let naming =
                    (0..cards.len()).filter(|index| cards[*index].names(&alert.name) == Some(delivered));
                let naming: Vec<_> = naming.collect();
                if naming.is_empty() {
                    unnamed.push((alert.name.clone(), delivered));
                }
                let (late, naming): (Vec<_>, Vec<_>) =
                    naming.into_iter().partition(|index| is_return(&cards[*index], delivered));
                returned += late.len();
                if naming.windows(2).any(|pair| !is_excused[pair[0]] && !is_excused[pair[1]]) {
                    inexcusable.push((alert.name.clone(), delivered));
                }
            }
        }
        let excused = cards.iter().zip(&is_excused).filter(|(_, excused)| **excused);
        Self {
            states: 2 * alerts.all.len() - unsent,
            unsent,
            cards: cards.len(),
            on_cards: cards.iter().map(Card::alerts).sum(),
            excused: excused.map(|(card, _)| card.alerts()).sum(),
            returned,
            inexcusable,
            unnamed,
        }
    }

    /// Nothing is lost: each alert was delivered as firing before it was ended, and has been delivered as over; so what is on
    /// the cards beyond that was delivered twice.
    fn doubled(&self) -> Option<usize> {
        self.on_cards.checked_sub(self.states)
    }

    fn hold(&self, fleet: &Fleet) {
        let unnamed = &self.unnamed[..self.unnamed.len().min(UNNAMED_SHOWN)];
        let doubled = self.doubled().unwrap_or_else(|| panic!("lost: {self}; not named: {unnamed:?}"));
        assert!(doubled <= self.excused + self.returned, "{self}");
        assert!(self.returned <= self.states / 2 / RETURNS_ONE_IN, "{self}");
        assert!(self.unsent <= self.states / 2 / UNSENT_ONE_IN, "{self}");
        assert!(self.inexcusable.is_empty(), "delivered twice without need: {:?}", self.inexcusable);
        let totals = fleet.sim.totals();
        assert_eq!((totals.throttled, totals.over_budget), (0, 0), "the budget was kept: {totals:?}");
        assert!(totals.refused.is_empty(), "{totals:?}");
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, unsent, cards, on_cards, excused, returned, unnamed, .. } = self;
        let unnamed = unnamed.len();
        let doubled = self.doubled();
        write!(
            formatter,
            "{states} states, {on_cards} delivered on {cards} cards, doubled {doubled:?} of at most {excused}, \
             {returned} said to have returned, {unsent} ends not sent, {unnamed} states not named"
        )
    }
}
