//! How late an answer of the database comes. A slot counts from the moment at which it was reserved, which only the
//! database knows; what lies between that moment and the answer is the same for everybody in calm times, and does no
//! harm. But a database, or a way to it, that hangs for some seconds answers whoever has asked all at once, and cards
//! for slots that were apart would go together.
//!
//! Two clocks are compared, so only differences count. No answer has left before its question came; that says how far
//! the clocks are apart at least, and so how long an answer was on its way at most. Where every way is long, an answer is
//! as late as it took longer than the quickest of the last ones. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::rates::JITTER_MS;

/// How late an answer may be: half of what the rates allow for; the other half is for timers and requests.
const LATE_MAX: Duration = Duration::from_millis(JITTER_MS.unsigned_abs() / 2);
/// How many answers are compared. After so many, a clock that was set back has been forgotten.
const COMPARED_MAX: usize = 16;
/// From how many on the quickest of them is taken for one that was not held up.
const COMPARED_MIN: usize = 4;
/// How long an answer is compared with: in a minute two clocks come apart by 30 ms at most.
const COMPARED_FOR: Duration = Duration::from_mins(1);

/// The last answers.
#[derive(Debug, Default)]
pub(super) struct AnswerTimes {
    /// When the first one came: what this process's times are measured from.
    begun: Option<Instant>,
    recent: VecDeque<PastAnswer>,
}

/// All of these milliseconds are by this process's clock less the database's.
#[derive(Clone, Copy, Debug)]
struct PastAnswer {
    at: Instant,
    /// When it came.
    came_ms: i64,
    /// When it was asked for.
    asked_ms: i64,
}

/// A question and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerTime {
    pub(super) asked: Instant,
    pub(super) answered: Instant,
    /// When it was answered by the database's clock, in milliseconds since 1970.
    pub(super) at_ms: i64,
}

impl AnswerTimes {
    /// How late this answer came. Never later than its question took.
    pub(super) fn lateness(&mut self, time: AnswerTime) -> Duration {
        let AnswerTime { asked, answered, at_ms } = time;
        let begun = *self.begun.get_or_insert(answered);
        while self.recent.front().is_some_and(|past| answered > past.at + COMPARED_FOR) {
            self.recent.pop_front();
        }
        let came_ms = millis(answered.duration_since(begun)).saturating_sub(at_ms);
        let asked_ms = came_ms.saturating_sub(millis(answered.duration_since(asked)));
        let least_apart_ms = self.recent.iter().map(|past| past.asked_ms).fold(asked_ms, i64::max);
        let mut late_ms = came_ms.saturating_sub(least_apart_ms);
        if self.recent.len() >= COMPARED_MIN {
            let quickest_ms = self.recent.iter().map(|past| past.came_ms).fold(came_ms, i64::min);
            late_ms = late_ms.min(came_ms.saturating_sub(quickest_ms));
        }
        if self.recent.len() >= COMPARED_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(PastAnswer { at: answered, came_ms, asked_ms });
        Duration::from_millis(late_ms.max(0).unsigned_abs())
    }
}

/// How long to wait yet for a slot that is `wait` after the moment of an answer which came so late; `None` if it is over.
pub(super) fn left_of(wait: Duration, lateness: Duration) -> Option<Duration> {
    (lateness <= wait + LATE_MAX).then(|| wait.saturating_sub(lateness))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_705_314_600_000;

    /// What is said of answers that the database gave and the worker had these milliseconds after the first moment.
    fn lateness(begun: Instant, times: &mut AnswerTimes, at: u64, [asked, answered]: [u64; 2]) -> u128 {
        let after = |ms| begun + Duration::from_millis(ms);
        let at_ms = NOW_MS + i64::try_from(at).unwrap();
        times.lateness(AnswerTime { asked: after(asked), answered: after(answered), at_ms }).as_millis()
    }

    #[test]
    fn an_answer_was_on_its_way_for_as_long_as_the_clocks_allow_at_most() {
        let times = &mut AnswerTimes::default();
        let begun = Instant::now();
        assert_eq!(lateness(begun, times, 40, [0, 4_000]), 4_000, "nothing to compare it with: what it took");
        assert_eq!(lateness(begun, times, 60, [20, 4_000]), 3_980, "nor is the one before it anything");
        assert_eq!(lateness(begun, times, 4_101, [4_100, 4_102]), 2);
        assert_eq!(
            lateness(begun, times, 4_250, [4_200, 8_290]),
            4_041,
            "at most: it left when it was asked, or later"
        );
        assert_eq!(lateness(begun, times, 12_000, [8_300, 12_001]), 0, "it hung before it was answered");
    }

    #[test]
    fn where_every_way_is_long_an_answer_is_late_by_what_it_took_longer_than_the_quickest() {
        let times = &mut AnswerTimes::default();
        let begun = Instant::now();
        for n in 0..4 {
            assert_eq!(lateness(begun, times, 1_000 * n + 300, [1_000 * n, 1_000 * n + 600]), 600);
        }
        assert_eq!(lateness(begun, times, 4_300, [4_000, 4_620]), 20);
        assert_eq!(lateness(begun, times, 5_300, [5_000, 8_600]), 3_000);
    }

    #[test]
    fn a_clock_that_is_set_back_is_forgotten() {
        let times = &mut AnswerTimes::default();
        let begun = Instant::now();
        assert_eq!(lateness(begun, times, 60_000, [0, 400]), 400);
        let mut late = |n: u64| lateness(begun, times, 1_000 * n, [1_000 * n, 1_000 * n + 400]);
        let late: Vec<_> = (1..20).map(&mut late).collect();
        assert_eq!((late[0], late[15], late[18]), (400, 400, 0), "16 answers later: {late:?}");
        assert_eq!(
            lateness(begun, times, 900_000, [1_000_000, 1_000_400]),
            400,
            "a minute later: what it took"
        );
    }

    #[test]
    fn of_a_slot_that_lies_ahead_the_rest_is_left_and_one_that_is_over_is_lost() {
        let ms = Duration::from_millis;
        assert_eq!(left_of(ms(900), ms(300)), Some(ms(600)));
        assert_eq!(left_of(ms(0), LATE_MAX), Some(ms(0)));
        assert_eq!(left_of(ms(900), ms(1_100)), None);
    }
}
