//! How a receiver is doing, and therefore whether to send to it now. One outbox sends to it, so what one card met
//! with holds for all that follow. Pure: times and dice are arguments.

use std::time::Duration;

use shared::retry::{Pauses, RetryPolicy};
use tokio::time::Instant;

/// Pauses after a "slow down" without a hint: 1 s, 2 s, 4 s … a minute (reference "Feishu", 1.6).
const SLOW_DOWN: RetryPolicy =
    RetryPolicy { first: Duration::from_secs(1), cap: Duration::from_mins(1), attempts_max: None };
/// Pauses between attempts in place.
const IN_PLACE: RetryPolicy =
    RetryPolicy { first: Duration::from_millis(500), cap: Duration::from_secs(10), attempts_max: None };
/// How long a receiver that does not answer is left alone before one card tries again. Short, because that card is
/// the only request meanwhile, and everything is told as soon as it is taken: after a minute of 500 alerts a second the
/// cards alone take ten seconds (loadtest, `feishu-away`).
const AWAY: RetryPolicy =
    RetryPolicy { first: Duration::from_secs(1), cap: Duration::from_secs(2), attempts_max: None };
/// How long one whose settings are wrong is left alone: somebody has to change them first.
const BROKEN: RetryPolicy =
    RetryPolicy { first: Duration::from_mins(1), cap: Duration::from_mins(10), attempts_max: None };

/// How a receiver is doing.
#[derive(Debug)]
pub(super) enum Weather {
    /// It takes what it is sent.
    Fair,
    /// It said to slow down.
    Slow(Spell),
    /// The last attempts failed; there are more in place.
    Rough(Spell),
    /// It cannot be reached, or fails again and again.
    Away(Spell),
    /// It refuses everything until an operator changes something.
    Broken(Spell),
}

/// A time in which nothing is sent, and the pauses so far.
#[derive(Debug)]
pub(super) struct Spell {
    until: Instant,
    pauses: Pauses,
    failures: u32,
}

impl Weather {
    /// When to go on; `None` if there is nothing to wait for.
    pub(super) const fn until(&self) -> Option<Instant> {
        match self {
            Self::Fair => None,
            Self::Slow(spell) | Self::Rough(spell) | Self::Away(spell) | Self::Broken(spell) => {
                Some(spell.until)
            }
        }
    }

    /// The same, where the pause may be long enough to be spent parked: between attempts in place it is not.
    pub(super) const fn keeps_waiting_until(&self) -> Option<Instant> {
        match self {
            Self::Fair | Self::Rough(_) => None,
            Self::Slow(spell) | Self::Away(spell) | Self::Broken(spell) => Some(spell.until),
        }
    }

    /// It said to slow down; returns for how long. A hint may lengthen the pause.
    pub(super) fn slow_down(&mut self, now: Instant, roll: f64, hint: Option<Duration>) -> Duration {
        let mut pauses = match self {
            Self::Slow(spell) => spell.pauses.clone(),
            Self::Fair | Self::Rough(_) | Self::Away(_) | Self::Broken(_) => SLOW_DOWN.pauses(),
        };
        // The cap is for pauses of our own choice; a reset time of the gateway is to be obeyed.
        let pause = pauses.after_failure(roll, None).unwrap_or(SLOW_DOWN.cap).max(hint.unwrap_or_default());
        *self = Self::Slow(Spell { until: now + pause, pauses, failures: 0 });
        pause
    }

    /// Somebody else was told that it has to wait.
    pub(super) fn held(&mut self, until: Instant) {
        *self = Self::Slow(Spell { until, pauses: SLOW_DOWN.pauses(), failures: 0 });
    }

    /// Others beside it were told to slow down for what they send together.
    pub(super) fn wait_with_others(&mut self, until: Instant) {
        match self {
            Self::Fair => self.held(until),
            Self::Slow(spell) => spell.until = spell.until.max(until),
            Self::Rough(_) | Self::Away(_) | Self::Broken(_) => {}
        }
    }

    /// An attempt failed; after so many it counts as away.
    pub(super) fn failed(&mut self, attempts: u32, now: Instant, (roll, hint): (f64, Option<Duration>)) {
        let (was_away, failures, mut pauses) = match self {
            Self::Rough(spell) => (false, spell.failures + 1, spell.pauses.clone()),
            Self::Away(spell) => (true, spell.failures + 1, spell.pauses.clone()),
            Self::Fair | Self::Slow(_) | Self::Broken(_) => (false, 1, IN_PLACE.pauses()),
        };
        let is_away = was_away || failures >= attempts;
        if is_away && !was_away {
            pauses = AWAY.pauses();
        }
        let pause = pauses.after_failure(roll, hint).unwrap_or(AWAY.cap);
        let spell = Spell { until: now + pause, pauses, failures };
        *self = if is_away { Self::Away(spell) } else { Self::Rough(spell) };
    }

    /// It refuses everything; returns how long it is left alone.
    pub(super) fn broke(&mut self, now: Instant, roll: f64) -> Duration {
        let mut pauses = match self {
            Self::Broken(spell) => spell.pauses.clone(),
            Self::Fair | Self::Slow(_) | Self::Rough(_) | Self::Away(_) => BROKEN.pauses(),
        };
        let pause = pauses.after_failure(roll, None).unwrap_or(BROKEN.cap);
        *self = Self::Broken(Spell { until: now + pause, pauses, failures: 0 });
        pause
    }

    /// Whether somebody has to do something first.
    pub(super) const fn is_broken(&self) -> bool {
        matches!(self, Self::Broken(_))
    }

    /// One that is left alone is tried now. What it was told to wait for is waited for.
    pub(super) fn try_now(&mut self, now: Instant) {
        match self {
            Self::Away(spell) | Self::Broken(spell) => spell.until = spell.until.min(now),
            Self::Fair | Self::Slow(_) | Self::Rough(_) => {}
        }
    }

    /// Whether there are attempts in place left.
    pub(super) const fn is_rough(&self) -> bool {
        matches!(self, Self::Rough(_))
    }

    /// Whether it failed in all attempts in place.
    pub(super) const fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
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
    async fn attempts_in_place_come_first_and_an_absence_is_looked_at_every_few_seconds() {
        let mut weather = Weather::Fair;
        let mut waits = Vec::new();
        for _ in 0..7 {
            weather.failed(3, Instant::now(), (0.5, None));
            waits.push((weather.until().unwrap() - Instant::now()).as_millis());
        }
        assert_eq!(waits, [500, 1000, 1000, 2000, 2000, 2000, 2000]);
        assert!(matches!(weather, Weather::Away(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_receiver_is_tried_every_ten_minutes_in_the_end() {
        let mut weather = Weather::Fair;
        let pauses = [(); 6].map(|()| weather.broke(Instant::now(), 0.5).as_secs());
        assert_eq!(pauses, [60, 120, 240, 480, 600, 600]);
    }
}
