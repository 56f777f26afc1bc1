//! How a receiver is doing, and therefore whether to send to it now. One lane sends to it, so what one envelope
//! met with holds for all that follow. Pure: times and dice are arguments.

use std::time::Duration;

use shared::retry::{Pauses, RetryPolicy};
use tokio::time::Instant;

/// Pauses after a "slow down" without a hint: 1 s, 2 s, 4 s … a minute (reference "Feishu", 1.6).
const SLOW_DOWN: RetryPolicy =
    RetryPolicy { first: Duration::from_secs(1), cap: Duration::from_mins(1), attempts_max: None };
/// How long a receiver that does not answer is left alone before one envelope tries again.
const AWAY: RetryPolicy =
    RetryPolicy { first: Duration::from_secs(2), cap: Duration::from_secs(30), attempts_max: None };

/// How a receiver is doing.
#[derive(Debug)]
pub(super) enum Weather {
    /// It takes what it is sent.
    Fair,
    /// It said to slow down: what is in hand waits.
    Slow {
        /// When to go on.
        until: Instant,
        /// The pauses of this slow spell.
        pauses: Pauses,
    },
    /// It cannot be reached, or fails: what comes is parked at once, and after `until` one envelope tries once.
    Away {
        /// When to try.
        until: Instant,
        /// The pauses of this absence.
        pauses: Pauses,
    },
}

impl Weather {
    /// It said to slow down; returns for how long. A hint may lengthen the pause.
    pub(super) fn slow_down(&mut self, now: Instant, roll: f64, hint: Option<Duration>) -> Duration {
        let mut pauses = match self {
            Self::Slow { pauses, .. } => pauses.clone(),
            Self::Fair | Self::Away { .. } => SLOW_DOWN.pauses(),
        };
        // The cap is for pauses of our own choice; a reset time of the gateway is to be obeyed.
        let pause = pauses.after_failure(roll, None).unwrap_or(SLOW_DOWN.cap).max(hint.unwrap_or_default());
        *self = Self::Slow { until: now + pause, pauses };
        pause
    }

    /// An envelope has used up its attempts.
    pub(super) fn away(&mut self, now: Instant, roll: f64) {
        let mut pauses = match self {
            Self::Away { pauses, .. } => pauses.clone(),
            Self::Fair | Self::Slow { .. } => AWAY.pauses(),
        };
        let pause = pauses.after_failure(roll, None).unwrap_or(AWAY.cap);
        *self = Self::Away { until: now + pause, pauses };
    }

    /// Whether the last envelope found nobody there: then one attempt is enough to know it is still so.
    pub(super) const fn is_away(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_spell_is_waited_out_longer_each_time() {
        let mut weather = Weather::Fair;
        let pauses = [(); 8].map(|()| weather.slow_down(Instant::now(), 0.5, None).as_secs());
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_lengthens_the_pause_even_past_our_own_cap() {
        let mut weather = Weather::Fair;
        let hint = Duration::from_mins(5);
        assert_eq!(weather.slow_down(Instant::now(), 0.5, Some(hint)), hint);
    }

    #[tokio::test(start_paused = true)]
    async fn an_absence_that_lasts_is_looked_at_more_rarely() {
        let mut weather = Weather::Fair;
        let mut waits = Vec::new();
        for _ in 0..6 {
            weather.away(Instant::now(), 0.5);
            let Weather::Away { until, .. } = &weather else { panic!("not away") };
            waits.push((*until - Instant::now()).as_secs());
        }
        assert_eq!(waits, [2, 4, 8, 16, 30, 30]);
        assert!(weather.is_away());
    }
}
