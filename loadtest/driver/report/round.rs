//! A round as it is shown: its verdict, and what happened over time.

use std::time::Duration;

use serde::Serialize;

use crate::account::{Account, Timed, Verdict, percentile_ms};
use crate::conduct::Sample;
use crate::scenario::Profile;
use crate::scenario::profile::Fault;

use super::count as count_of;

/// Points of a curve at most.
const POINTS_MAX: f64 = 120.0;

/// One round.
#[derive(Debug, Serialize)]
pub(crate) struct RoundReport {
    pub(crate) verdict: Verdict,
    /// Whether the verdict stays within what is allowed.
    pub(crate) holds: bool,
    pub(super) accept_ms: Vec<Point>,
    pub(super) card_ms: Vec<Point>,
    pub(super) samples: Vec<Sample>,
    pub(super) faults: Vec<Fault>,
    /// Bots with Feishu's limits; 0 where there are no limits.
    pub(super) limited_bots: u32,
}

/// Times of what was due in a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Point {
    /// The middle of the stretch, in seconds since the first request.
    pub(super) at: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
}

impl RoundReport {
    pub(crate) fn new(profile: &Profile, account: &Account, samples: Vec<Sample>) -> Self {
        let span = profile.sending.lasts();
        Self {
            verdict: account.verdict,
            holds: account.verdict.holds(&profile.allowed),
            accept_ms: curve(&account.accept, span),
            card_ms: curve(&account.card, span),
            samples,
            faults: profile.faults.clone(),
            limited_bots: if profile.feishu.limits { profile.feishu.receivers } else { 0 },
        }
    }

    /// The verdict in three lines.
    pub(super) fn words(&self) -> String {
        let Verdict { lost, doubled, over_budget, forgotten, .. } = self.verdict;
        let rows = self.rows();
        let words: Vec<_> = rows.iter().map(|(name, count)| format!("{name} {}", count_of(*count))).collect();
        let word = if self.holds { "held" } else { "BROKEN" };
        let mut words = format!(
            "{word}: lost {lost}, doubled {doubled}, over budget {over_budget}\n  {}\n",
            words.join(", ")
        );
        if forgotten > 0 {
            words.push_str("  the simulator forgot cards: nothing of this can be believed\n");
        }
        words
    }

    /// What is not a breach, by name.
    pub(super) const fn rows(&self) -> [(&'static str, u64); 9] {
        let verdict = &self.verdict;
        [
            ("accepted", verdict.accepted),
            ("refused", verdict.refused),
            ("unanswered", verdict.unanswered),
            ("promised", verdict.promised),
            ("delivered", verdict.delivered),
            ("duplicate", verdict.duplicate),
            ("superseded", verdict.superseded),
            ("dead_lettered", verdict.dead_lettered),
            ("cards", verdict.cards),
        ]
    }
}

/// Times by when they were due, in stretches of the same length.
fn curve(times: &[Timed], span: Duration) -> Vec<Point> {
    let width = (span.as_secs_f64() / POINTS_MAX).max(0.25);
    let mut stretches: Vec<Vec<Timed>> = Vec::new();
    for timed in times {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a run has some hundred stretches"
        )]
        let index = (timed.due.as_secs_f64() / width) as usize;
        if stretches.len() <= index {
            stretches.resize_with(index + 1, Vec::new);
        }
        stretches[index].push(*timed);
    }
    let point = |(index, times): (u32, &Vec<Timed>)| Point {
        at: (f64::from(index) + 0.5) * width,
        p50: percentile_ms(times, 50),
        p99: percentile_ms(times, 99),
        max: percentile_ms(times, 100),
    };
    (0..).zip(&stretches).filter(|(_, times)| !times.is_empty()).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_a_point_for_each_stretch_in_which_something_was_due() {
        let timed = |due_ms, ms| Timed { due: Duration::from_millis(due_ms), ms };
        let points = curve(&[timed(10, 1.0), timed(20, 3.0), timed(700, 9.0)], Duration::from_secs(1));
        assert_eq!(points[0], Point { at: 0.125, p50: 1.0, p99: 3.0, max: 3.0 });
        assert_eq!((points.len(), points[1].at, points[1].p50), (2, 0.625, 9.0));
    }
}
