//! When to try again. Pure: the dice are an argument. The only file that uses `backoff`, which is
//! unmaintained (deny.toml dates the exception), so that replacing it stays a change of one file.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;

/// An exponential pause between attempts: each about twice the one before, spread by ±50 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The pause after the first failure, before it is spread.
    pub first: Duration,
    /// What no pause exceeds, whatever the hint.
    pub cap: Duration,
    /// Attempts in all, the first included; `None` means for ever.
    pub attempts_max: Option<u32>,
}

impl RetryPolicy {
    /// For connections of ours to something that is away: for ever, soon at first, then every few seconds.
    pub const RECONNECT: Self =
        Self { first: Duration::from_millis(100), cap: Duration::from_secs(5), attempts_max: None };

    /// The pauses of one undertaking, from its first failure on.
    pub fn pauses(&self) -> Pauses {
        let steps = ExponentialBackoff {
            current_interval: self.first,
            initial_interval: self.first,
            max_interval: self.cap,
            multiplier: 2.0,
            // Chance is the caller's argument, so the library is to add none.
            randomization_factor: 0.0,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        Pauses { steps, cap: self.cap, failures: 0, attempts_max: self.attempts_max }
    }
}

/// The pauses of one undertaking.
#[derive(Clone, Debug)]
pub struct Pauses {
    steps: ExponentialBackoff,
    cap: Duration,
    failures: u32,
    attempts_max: Option<u32>,
}

impl Pauses {
    /// How long to wait after one more failure; `None` once the attempts are used up. `roll` is chance, from
    /// 0 to 1. A `hint` of the other side can lengthen the pause, never past the cap.
    pub fn after_failure(&mut self, roll: f64, hint: Option<Duration>) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        if self.attempts_max.is_some_and(|most| self.failures >= most) {
            return None;
        }
        let step = self.steps.next_backoff()?;
        let spread = step.mul_f64(0.5 + roll.clamp(0.0, 1.0));
        Some(spread.max(hint.unwrap_or_default()).min(self.cap))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: RetryPolicy =
        RetryPolicy { first: Duration::from_millis(500), cap: Duration::from_mins(1), attempts_max: Some(4) };

    #[test]
    fn pauses_double_and_end_with_the_attempts() {
        let mut pauses = POLICY.pauses();
        let waits: Vec<_> = std::iter::from_fn(|| pauses.after_failure(0.5, None)).collect();
        assert_eq!(waits, [500, 1000, 2000].map(Duration::from_millis));
    }

    #[test]
    fn reconnecting_never_ends() {
        let mut pauses = RetryPolicy::RECONNECT.pauses();
        assert!((0..10_000).all(|_| pauses.after_failure(0.5, None).is_some()));
    }

    proptest! {
        #[test]
        fn a_pause_is_never_below_the_hint_nor_above_the_cap(roll in 0.0..=1.0_f64, hint in 0_u64..120) {
            let hint = Duration::from_secs(hint);
            let mut pauses = POLICY.pauses();
            while let Some(wait) = pauses.after_failure(roll, Some(hint)) {
                prop_assert!(wait >= hint.min(POLICY.cap) && wait <= POLICY.cap);
            }
        }
    }
}
