//! Two rate limits, measured over sliding windows: the strictest reading of "5 per second and 100 per minute".

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::settings::Limits;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// When the latest messages came; never more of them than the larger limit.
#[derive(Debug, Default)]
pub(crate) struct Window {
    sent: VecDeque<Timestamp>,
}

impl Window {
    /// Whether one more message now stays within both limits.
    pub(crate) fn admits(&self, limits: &Limits, now: Timestamp) -> bool {
        self.within(limits.per_second, SECOND, now) && self.within(limits.per_minute, MINUTE, now)
    }

    /// How many seconds from now one more will stay within both limits, rounded up.
    pub(crate) fn wait_seconds(&self, limits: &Limits, now: Timestamp) -> u64 {
        let waits = [(limits.per_second, SECOND), (limits.per_minute, MINUTE)].map(|(count, span)| {
            let place = self.sent.len().checked_sub(count);
            let sent = place.and_then(|place| self.sent.get(place));
            sent.map_or(SignedDuration::ZERO, |sent| span - now.duration_since(*sent))
        });
        let longest = waits.into_iter().max().unwrap_or_default();
        u64::try_from((longest.as_millis() + 999) / 1000).unwrap_or(0)
    }

    /// Counts a message.
    pub(crate) fn note(&mut self, limits: &Limits, now: Timestamp) {
        self.sent.push_back(now);
        while self.sent.len() > limits.per_second.max(limits.per_minute) {
            self.sent.pop_front();
        }
    }

    /// The window has room when the message `count` places back has left it.
    fn within(&self, count: usize, span: SignedDuration, now: Timestamp) -> bool {
        match self.sent.len().checked_sub(count) {
            None => true,
            // A limit of 0 finds nothing here and admits nothing.
            Some(place) => self.sent.get(place).is_some_and(|sent| now.duration_since(*sent) >= span),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_second: usize, per_minute: usize) -> Limits {
        Limits { per_second, per_minute, enforced: true }
    }

    /// Offers a message at each of the given milliseconds and says which were admitted.
    fn offered(limits: &Limits, at_ms: &[i64]) -> Vec<bool> {
        let mut window = Window::default();
        at_ms
            .iter()
            .map(|ms| {
                let now = Timestamp::from_millisecond(*ms).unwrap();
                let admitted = window.admits(limits, now);
                if admitted {
                    window.note(limits, now);
                }
                admitted
            })
            .collect()
    }

    #[test]
    fn the_sixth_message_within_any_second_is_too_many() {
        assert_eq!(
            offered(&limits(5, 100), &[0, 200, 400, 600, 800, 999, 1000, 1100, 1200]),
            [true, true, true, true, true, false, true, false, true]
        );
    }

    #[test]
    fn the_minute_limit_holds_also_when_the_second_limit_is_kept() {
        assert_eq!(
            offered(&limits(5, 3), &[0, 1_000, 2_000, 59_999, 60_000]),
            [true, true, true, false, true]
        );
    }

    #[test]
    fn the_wait_is_the_longer_of_both_limits_in_whole_seconds() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let limits = limits(1, 2);
        let mut window = Window::default();
        assert_eq!(window.wait_seconds(&limits, at(0)), 0);
        window.note(&limits, at(0));
        assert_eq!(window.wait_seconds(&limits, at(1)), 1);
        window.note(&limits, at(2_000));
        assert_eq!(window.wait_seconds(&limits, at(2_500)), 58);
    }

    #[test]
    fn a_limit_of_zero_admits_nothing() {
        assert_eq!(offered(&limits(0, 100), &[0, 5_000]), [false, false]);
    }
}
