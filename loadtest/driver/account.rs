//! What became of everything that was sent: the verdict of a round, and how long each alert took. Pure.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Serialize;

use crate::cards::Card;
use crate::deployment::Counters;
use crate::figure::float;
use crate::ledger::Written;
use crate::plan::Plan;
use crate::scenario::profile::Allowed;
use crate::sender::{Answer, Sent};

/// The counts of a round, in alerts where nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    /// Answered 202, repeats included.
    pub(crate) accepted: u64,
    /// Answered otherwise; a sender sends these again.
    pub(crate) refused: u64,
    pub(crate) unanswered: u64,
    /// Different alerts among those accepted: each has to end as delivered or dead-lettered.
    pub(crate) promised: u64,
    /// Written down as delivered, each once, those of unanswered requests included.
    pub(crate) delivered: u64,
    /// As the workers counted; what a killed one counted since the last look is missing.
    pub(crate) duplicate: u64,
    pub(crate) superseded: u64,
    pub(crate) dead_lettered: u64,
    /// Promised and neither delivered nor dead-lettered; or delivered, and on no card.
    pub(crate) lost: u64,
    /// On more than one card.
    pub(crate) doubled: u64,
    pub(crate) cards: u64,
    /// Cards beyond a bot's limits.
    pub(crate) over_budget: u64,
    /// Cards the simulator no longer remembers; where it is not 0 nothing above can be believed.
    pub(crate) forgotten: u64,
}

impl Verdict {
    /// Whether the round holds what was promised.
    pub(crate) const fn holds(&self, allowed: &Allowed) -> bool {
        self.lost <= allowed.lost
            && self.doubled <= allowed.doubled
            && self.over_budget <= allowed.over_budget
            && self.forgotten == 0
    }
}

/// Something that took a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timed {
    /// When it was due, counted from the first request.
    pub(crate) due: Duration,
    pub(crate) ms: f64,
}

/// A verdict and what it was come to from.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) verdict: Verdict,
    /// From due to 202, for each request that was accepted.
    pub(crate) accept: Vec<Timed>,
    /// From due to sent: the sender's own part.
    pub(crate) sender: Vec<Timed>,
    /// From due to its card, for each alert that was promised and delivered.
    pub(crate) card: Vec<Timed>,
    /// The last card, counted from the first request's due time.
    pub(crate) last_delivered: Option<Duration>,
}

impl Account {
    /// How long after a moment the last of what was due before it was delivered.
    pub(crate) fn delivered_after(&self, moment: Duration) -> Duration {
        let before = self.card.iter().filter(|timed| timed.due < moment);
        let times = before.map(|timed| timed.due + Duration::from_secs_f64(timed.ms.max(0.0) / 1e3));
        times.max().map_or(Duration::ZERO, |last| last.saturating_sub(moment))
    }
}

/// What there is to account for. `zero_us` is when the first request was due, in microseconds since 1970.
#[derive(Debug)]
pub(crate) struct Books<'a> {
    pub(crate) plan: Plan,
    pub(crate) zero_us: i64,
    pub(crate) sent: &'a [Sent],
    pub(crate) written: &'a Written,
    pub(crate) cards: &'a [Card],
    pub(crate) counters: Counters,
}

impl Books<'_> {
    pub(crate) fn account(&self) -> Account {
        let promised = self.promised();
        let shown = self.shown();
        let mut card = Vec::with_capacity(promised.len());
        let mut lost = 0;
        let mut last_us = None;
        for (alert, due) in &promised {
            let delivered_us = self.written.delivered.get(alert).map(|at_ms| at_ms * 1_000);
            // A card that shows the alert says when; of one that only counts it the ledger does, a little later.
            match (delivered_us, shown.get(alert)) {
                (Some(delivered_us), seen) => {
                    let at_us = seen.map_or(delivered_us, |(first_us, _)| *first_us);
                    last_us = last_us.max(Some(at_us));
                    card.push(Timed { due: *due, ms: self.since(at_us) - due.as_secs_f64() * 1e3 });
                }
                (None, _) => lost += u64::from(!self.written.dead_lettered.contains(alert)),
            }
        }
        let delivered = self.written.delivered.len() as u64;
        let counted: u64 = self.cards.iter().map(|card| card.counted).sum();
        let again: u64 = shown.values().map(|(_, cards)| cards - 1).sum();
        let alerts_of = |answer| {
            let requests = self.sent.iter().filter(|sent| sent.answer == answer).count() as u64;
            requests * u64::from(self.plan.alerts_per_request)
        };
        let verdict = Verdict {
            accepted: alerts_of(Answer::Accepted),
            refused: alerts_of(Answer::Refused),
            unanswered: alerts_of(Answer::None),
            promised: promised.len() as u64,
            delivered,
            duplicate: whole(self.counters.duplicate),
            superseded: whole(self.counters.superseded),
            dead_lettered: self.written.dead_lettered.len() as u64,
            lost: lost + delivered.saturating_sub(counted),
            doubled: counted.saturating_sub(delivered).max(again),
            cards: self.cards.len() as u64,
            over_budget: 0,
            forgotten: 0,
        };
        let last_delivered = last_us.map(|at| Duration::from_secs_f64(self.since(at).max(0.0) / 1e3));
        Account {
            verdict,
            accept: self.times(|sent| sent.answered),
            sender: self.times(|sent| sent.begun),
            card,
            last_delivered,
        }
    }

    /// The alerts of accepted requests, and when each was first due.
    fn promised(&self) -> BTreeMap<u32, Duration> {
        let mut promised = BTreeMap::new();
        for sent in self.accepted() {
            for alert in self.plan.alerts(sent.request) {
                let due = promised.entry(alert).or_insert(sent.due);
                *due = sent.due.min(*due);
            }
        }
        promised
    }

    /// The alerts that cards show by themselves: the first card's time, and on how many they are.
    fn shown(&self) -> HashMap<u32, (i64, u64)> {
        let mut shown = HashMap::new();
        for card in self.cards {
            for alert in &card.shown {
                let (first, cards) = shown.entry(*alert).or_insert((card.at_us, 0));
                *first = card.at_us.min(*first);
                *cards += 1;
            }
        }
        shown
    }

    fn times(&self, end: impl Fn(&Sent) -> Duration) -> Vec<Timed> {
        let timed =
            |sent: &Sent| Timed { due: sent.due, ms: end(sent).saturating_sub(sent.due).as_secs_f64() * 1e3 };
        self.accepted().map(timed).collect()
    }

    fn accepted(&self) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(|sent| sent.answer == Answer::Accepted)
    }

    /// Milliseconds since the first request was due.
    #[expect(clippy::cast_precision_loss, reason = "a run takes far less than 2^52 microseconds")]
    fn since(&self, at_us: i64) -> f64 {
        (at_us - self.zero_us) as f64 / 1e3
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters are counts")]
const fn whole(counter: f64) -> u64 {
    counter as u64
}

/// A part of sorted times below which `percent` of them lie, in milliseconds.
pub(crate) fn percentile_ms(times: &[Timed], percent: usize) -> f64 {
    let mut sorted: Vec<f64> = times.iter().map(|time| time.ms).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    crate::figure::percentile(&sorted, percent).unwrap_or(f64::NAN)
}

/// How many in a second, over a time.
pub(crate) fn per_second(count: u64, took: Duration) -> f64 {
    float(count) / took.as_secs_f64().max(1e-3)
}

#[cfg(test)]
mod tests;
