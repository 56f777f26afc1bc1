//! How fast to send, so that what a receiver takes is not exceeded at the receiver. Pure.
//!
//! A slot is a time here; Feishu counts when the card comes in. In between lie the answer of the database, a timer
//! and a request: the card of one slot may come in `JITTER_MS` late and the next one at once. So every window is
//! taken to be that much longer: the slots of *window + jitter* fit into the limit, and with them the arrivals of any
//! window. A GCRA with a burst of `burst` and one more slot every `interval` gives at most
//! `burst + floor(window / interval)` slots in any window, which is what the numbers below are solved for.
//!
//! For the 100 a minute and 5 a second of a bot: 18 at once after a quiet minute, then one every 827 ms, which is at
//! most 90 in any minute; and 4 in one instant, the fifth 651 ms later. So a storm is delivered on four cards in the first
//! instant, about 90 in its first minute and 73 in every other, and each carries everything that waits.

use std::time::Duration;

use super::Limits;

/// How much later than its slot a card may come in, compared with the next one.
pub(super) const JITTER_MS: i64 = 300;
const MINUTE_MS: i64 = 60_000;
pub(super) const SECOND_MS: i64 = 1_000;
/// Of the minute's limit; the rest is for what no budget sees: somebody else's script on the same bot, a card whose
/// database answered late, and one card of each worker when the database goes away.
const USED_PERCENT: i64 = 90;
/// Of what is used, how much may go at once after a quiet minute. The more, the slower the cards after them.
const BURST_PERCENT: i64 = 20;

/// One limit: so many at once, and one more each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At least 1.
    pub burst: i64,
    /// At least 1 ms.
    pub interval_ms: i64,
}

/// Both limits of a receiver; they hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Of a minute.
    pub minute: Rate,
    /// Of a second.
    pub second: Rate,
}

impl Rate {
    /// The longest interval is not needed: the shortest with which `window_ms`, both ends included, has at most
    /// `most` slots, `burst` of them at once.
    fn fitting(most: i64, burst: i64, window_ms: i64) -> Self {
        Self { burst, interval_ms: window_ms / (most + 1 - burst) + 1 }
    }

    /// How far a burst runs ahead of the interval.
    pub fn tolerance_ms(self) -> i64 {
        (self.burst - 1) * self.interval_ms
    }
}

impl Rates {
    /// As fast as possible below `limits`, and at least one card per window.
    pub fn below(limits: Limits) -> Self {
        let used = (i64::from(limits.per_minute) * USED_PERCENT / 100).max(1);
        let minute = Rate::fitting(used, (used * BURST_PERCENT / 100).max(1), MINUTE_MS + JITTER_MS);
        // The second's limit is to shape bursts, not to slow down the minute: as many at once as leave it that
        // pace. Where it is the tighter one of the two it is the pace itself, and the fewer go at once the faster it is.
        let most = i64::from(limits.per_second).max(1);
        let window_ms = SECOND_MS + JITTER_MS;
        let burst = (most - window_ms / minute.interval_ms).max(1);
        Self { minute, second: Rate::fitting(most, burst, window_ms) }
    }

    /// The distance between two cards in the long run.
    pub fn spacing(self) -> Duration {
        let spacing_ms = self.minute.interval_ms.max(self.second.interval_ms);
        Duration::from_millis(spacing_ms.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_of_feishu_gets_the_rates_the_documentation_here_names() {
        let rates = Rates::below(Limits { per_minute: 100, per_second: 5 });
        assert_eq!(rates.minute, Rate { burst: 18, interval_ms: 827 });
        assert_eq!(rates.second, Rate { burst: 4, interval_ms: 651 });
    }

    #[test]
    fn three_bots_of_one_group_send_three_times_what_one_may() {
        let one = Rates::below(Limits { per_minute: 100, per_second: 5 });
        let group = Rates::below(Limits { per_minute: 300, per_second: 5 });
        assert_eq!(group.second, Rate { burst: 1, interval_ms: 261 });
        assert!(3 * group.spacing() < one.spacing() + Duration::from_millis(10), "{group:?}");
    }

    #[test]
    fn the_smallest_limits_still_let_a_card_through() {
        let rates = Rates::below(Limits { per_minute: 1, per_second: 1 });
        assert_eq!(rates.minute, Rate { burst: 1, interval_ms: 60_301 });
        assert_eq!(rates.second, Rate { burst: 1, interval_ms: 1_301 });
    }

    #[test]
    fn the_second_does_not_slow_down_the_minute_where_it_is_wide_enough() {
        for (per_minute, per_second) in [(20, 1), (100, 5), (1_000, 50), (6_000, 1_000)] {
            let rates = Rates::below(Limits { per_minute, per_second });
            assert!(rates.second.interval_ms <= rates.minute.interval_ms + 1, "{rates:?}");
        }
    }
}
