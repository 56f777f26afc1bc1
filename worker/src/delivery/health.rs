//! How a receiver is doing, and therefore whether to send to it now. One outbox sends to it, so what one card met
//! with holds for all that follow. Pure: times and dice are arguments.

use std::time::Duration;

use runtime::retry::{Pauses, RetryPolicy};
use tokio::time::Instant;

/// Pauses after a "slow down" without a hint: 1 s, 2 s, 4 s … a minute (reference "Feishu", 1.6).
const SLOW_DOWN: RetryPolicy =
    RetryPolicy { first: Duration::from_secs(1), cap: Duration::from_mins(1), attempts_max: None };
/// Pauses between attempts in place.
const IN_PLACE: RetryPolicy =
    RetryPolicy { first: Duration::from_millis(500), cap: Duration::from_secs(10), attempts_max: None };
/// How long a receiver that does not answer is left alone before one card tries again. Short, because that card is
/// the only request meanwhile, and everything is delivered as soon as it is taken: after a minute of 500 alerts a second the
/// cards alone take ten seconds (loadtest, `feishu-away`).
const AWAY: RetryPolicy =
    RetryPolicy { first: Duration::from_secs(1), cap: Duration::from_secs(2), attempts_max: None };
/// How long one whose settings are wrong is left alone: somebody has to change them first.
const BROKEN: RetryPolicy =
    RetryPolicy { first: Duration::from_mins(1), cap: Duration::from_mins(10), attempts_max: None };

/// How a receiver is doing.
#[derive(Debug)]
pub(super) enum ReceiverHealth {
    /// It takes what it is sent.
    Healthy,
    /// It said to slow down.
    Throttled(Backoff),
    /// The last attempts failed; there are more in place.
    Retrying(Backoff),
    /// It cannot be reached, or fails again and again.
    Unreachable(Backoff),
    /// It refuses everything until an operator changes something.
    Misconfigured(Backoff),
}

/// A time in which nothing is sent, and the pauses so far.
#[derive(Debug)]
pub(super) struct Backoff {
    /// When it last took what it was sent, as far as anybody tried.
    since: Instant,
    until: Instant,
    pauses: Pauses,
    failures: u32,
}

impl ReceiverHealth {
    /// When to go on; `None` if there is nothing to wait for.
    pub(super) fn until(&self) -> Option<Instant> {
        self.spell().map(|spell| spell.until)
    }

    /// Since when it has not been fair, whatever came after what; `None` if it is.
    pub(super) fn since(&self) -> Option<Instant> {
        self.spell().map(|spell| spell.since)
    }

    const fn spell(&self) -> Option<&Backoff> {
        match self {
            Self::Healthy => None,
            Self::Throttled(spell)
            | Self::Retrying(spell)
            | Self::Unreachable(spell)
            | Self::Misconfigured(spell) => Some(spell),
        }
    }

    /// The same, where the pause may be long enough to be spent deferred: between attempts in place it is not.
    pub(super) const fn keeps_waiting_until(&self) -> Option<Instant> {
        match self {
            Self::Healthy | Self::Retrying(_) => None,
            Self::Throttled(spell) | Self::Unreachable(spell) | Self::Misconfigured(spell) => {
                Some(spell.until)
            }
        }
    }

    /// It said to slow down; returns for how long. A hint may lengthen the pause.
    pub(super) fn slow_down(&mut self, now: Instant, roll: f64, hint: Option<Duration>) -> Duration {
        let mut pauses = match self {
            Self::Throttled(spell) => spell.pauses.clone(),
            Self::Healthy | Self::Retrying(_) | Self::Unreachable(_) | Self::Misconfigured(_) => {
                SLOW_DOWN.pauses()
            }
        };
        // The cap is for pauses of our own choice; a reset time of the gateway is to be obeyed.
        let pause = pauses.after_failure(roll, None).unwrap_or(SLOW_DOWN.cap).max(hint.unwrap_or_default());
        let since = self.since().unwrap_or(now);
        *self = Self::Throttled(Backoff { since, until: now + pause, pauses, failures: 0 });
        pause
    }

    /// Somebody else was told that it has to wait.
    pub(super) fn held(&mut self, now: Instant, until: Instant) {
        let since = self.since().unwrap_or(now);
        *self = Self::Throttled(Backoff { since, until, pauses: SLOW_DOWN.pauses(), failures: 0 });
    }

    /// Others beside it were told to slow down for what they send together.
    pub(super) fn wait_with_others(&mut self, now: Instant, until: Instant) {
        match self {
            Self::Healthy => self.held(now, until),
            Self::Throttled(spell) => spell.until = spell.until.max(until),
            Self::Retrying(_) | Self::Unreachable(_) | Self::Misconfigured(_) => {}
        }
    }

    /// An attempt failed; after so many it counts as away.
    pub(super) fn failed(&mut self, attempts: u32, now: Instant, roll: f64, hint: Option<Duration>) {
        let (was_away, failures, mut pauses) = match self {
            Self::Retrying(spell) => (false, spell.failures + 1, spell.pauses.clone()),
            Self::Unreachable(spell) => (true, spell.failures + 1, spell.pauses.clone()),
            Self::Healthy | Self::Throttled(_) | Self::Misconfigured(_) => (false, 1, IN_PLACE.pauses()),
        };
        let is_away = was_away || failures >= attempts;
        if is_away && !was_away {
            pauses = AWAY.pauses();
        }
        let pause = pauses.after_failure(roll, hint).unwrap_or(AWAY.cap);
        let spell = Backoff { since: self.since().unwrap_or(now), until: now + pause, pauses, failures };
        *self = if is_away { Self::Unreachable(spell) } else { Self::Retrying(spell) };
    }

    /// It refuses everything; returns how long it is left alone.
    pub(super) fn broke(&mut self, now: Instant, roll: f64) -> Duration {
        let mut pauses = match self {
            Self::Misconfigured(spell) => spell.pauses.clone(),
            Self::Healthy | Self::Throttled(_) | Self::Retrying(_) | Self::Unreachable(_) => BROKEN.pauses(),
        };
        let pause = pauses.after_failure(roll, None).unwrap_or(BROKEN.cap);
        let since = self.since().unwrap_or(now);
        *self = Self::Misconfigured(Backoff { since, until: now + pause, pauses, failures: 0 });
        pause
    }

    /// Whether somebody has to do something first.
    pub(super) const fn is_broken(&self) -> bool {
        matches!(self, Self::Misconfigured(_))
    }

    /// One that is left alone is tried now. What it was told to wait for is waited for.
    pub(super) fn try_now(&mut self, now: Instant) {
        match self {
            Self::Unreachable(spell) | Self::Misconfigured(spell) => spell.until = spell.until.min(now),
            Self::Healthy | Self::Throttled(_) | Self::Retrying(_) => {}
        }
    }

    /// Whether there are attempts in place left.
    pub(super) const fn is_rough(&self) -> bool {
        matches!(self, Self::Retrying(_))
    }

    /// Whether the last attempt failed, in place or after.
    pub(super) const fn is_failing(&self) -> bool {
        matches!(self, Self::Retrying(_) | Self::Unreachable(_))
    }

    /// Whether it failed in all attempts in place.
    pub(super) const fn is_away(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_spell_is_waited_out_longer_each_time() {
        let mut health = ReceiverHealth::Healthy;
        let pauses = [(); 8].map(|()| health.slow_down(Instant::now(), 0.5, None).as_secs());
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_lengthens_the_pause_even_past_our_own_cap() {
        let mut health = ReceiverHealth::Healthy;
        let hint = Duration::from_mins(5);
        assert_eq!(health.slow_down(Instant::now(), 0.5, Some(hint)), hint);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_in_place_come_first_and_an_absence_is_looked_at_every_few_seconds() {
        let mut health = ReceiverHealth::Healthy;
        let mut waits = Vec::new();
        for _ in 0..7 {
            health.failed(3, Instant::now(), 0.5, None);
            waits.push((health.until().unwrap() - Instant::now()).as_millis());
        }
        assert_eq!(waits, [500, 1000, 1000, 2000, 2000, 2000, 2000]);
        assert!(matches!(health, ReceiverHealth::Unreachable(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_absence_has_lasted_since_its_first_failure_whatever_was_answered_meanwhile() {
        let mut health = ReceiverHealth::Healthy;
        let began = Instant::now();
        health.failed(3, began, 0.5, None);
        for _ in 0..4 {
            tokio::time::advance(Duration::from_secs(1)).await;
            health.failed(3, Instant::now(), 0.5, None);
        }
        health.slow_down(Instant::now(), 0.5, None);
        health.broke(Instant::now(), 0.5);
        assert_eq!(health.since(), Some(began));
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_receiver_is_tried_every_ten_minutes_in_the_end() {
        let mut health = ReceiverHealth::Healthy;
        let pauses = [(); 6].map(|()| health.broke(Instant::now(), 0.5).as_secs());
        assert_eq!(pauses, [60, 120, 240, 480, 600, 600]);
    }
}
