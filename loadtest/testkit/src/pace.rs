//! How fast something was sent: the most in any window, and a clock that goes with simulated time.

use jiff::Timestamp;
use runtime::clock::Clock;
use tokio::time::Instant;

/// A minute and a second, which are what bots have limits for.
const MINUTE_MS: i64 = 60_000;
const SECOND_MS: i64 = 1_000;

/// The most that was sent in a minute and in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// In any minute.
    pub minute: usize,
    /// In any second.
    pub second: usize,
}

impl Most {
    /// Of what was sent at these times, in any order.
    pub fn of(sent: &[Instant]) -> Self {
        let Some(begun) = sent.iter().min() else { return Self { minute: 0, second: 0 } };
        let since = |at: &Instant| i64::try_from(at.duration_since(*begun).as_millis()).expect("some time");
        let times: Vec<_> = sent.iter().map(since).collect();
        Self { minute: most_within(&times, MINUTE_MS), second: most_within(&times, SECOND_MS) }
    }
}

/// The most of these times, in any order, that lie in one window with both its ends. All in milliseconds.
pub fn most_within(times_ms: &[i64], window_ms: i64) -> usize {
    let mut times_ms = times_ms.to_vec();
    times_ms.sort_unstable();
    let from = |index: usize| times_ms[index..].partition_point(|time| *time <= times_ms[index] + window_ms);
    (0..times_ms.len()).map(from).max().unwrap_or(0)
}

/// A clock that begins at `start_ms` since 1970 and goes with the runtime's time, paused or not.
pub fn clock_from(start_ms: i64) -> Clock {
    let begun = Instant::now();
    Clock::from_fn(move || {
        let elapsed_ms = i64::try_from(begun.elapsed().as_millis()).expect("some time");
        Timestamp::from_millisecond(start_ms + elapsed_ms).expect("a time")
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn both_ends_of_a_window_are_in_it() {
        assert_eq!(most_within(&[2_000, 0, 1_000, 1_001], SECOND_MS), 3);
        assert_eq!(most_within(&[], SECOND_MS), 0);
        let begun = Instant::now();
        let sent = [0, 59, 60, 61].map(|seconds| begun + Duration::from_secs(seconds));
        assert_eq!(Most::of(&sent), Most { minute: 3, second: 2 });
    }
}
