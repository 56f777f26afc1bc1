//! Cards that are tried again by themselves: what may be in the chat already, and what drew an answer nobody knows.
//! Pure.
//!
//! Each has pauses of its own that grow with its attempts, however its receiver is doing: an alert that Feishu shows and
//! answers too late would else be shown with every attempt, and one that it alone refuses would hold up all others. What
//! has not met with that goes on meanwhile, at the receiver's own pace.

use std::time::Duration;

use tokio::time::Instant;

use super::batch::{Batch, tried_with};
use super::in_flight::InFlightEnvelope;
use crate::feishu::limits::ONCE_WITHIN;

/// The pauses after the first, second … attempt that was left unresolved; the last of them for all that follow. About as
/// long as the trouble has lasted, so that what is away for a minute delays nothing by much more than that.
const PAUSES: [Duration; 8] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(5),
    Duration::from_mins(10),
];
/// The longest pause of what is shown once however often it is sent: an app's bot sends the same `uuid` each time.
const PAUSE_SHOWN_ONCE_MAX: Duration = Duration::from_mins(1);
/// From this pause on, what may be in the chat spends it in a retry queue: there a crash does not shorten it.
const DEFERRED_FROM: Duration = Duration::from_secs(30);

/// How long to leave a card alone after so many unresolved attempts, and for `at_least` so long.
pub(super) fn pause(attempts: u32, at_least: Duration) -> Duration {
    let last = PAUSES.len() - 1;
    let first = PAUSES.iter().position(|pause| *pause >= at_least).unwrap_or(last);
    let more = usize::try_from(attempts.saturating_sub(1)).unwrap_or(last);
    PAUSES[first.saturating_add(more).min(last)]
}

/// The same where it is shown once, for as long as Feishu knows that; `age` is how long ago it was sent first.
pub(super) fn pause_shown_once(attempts: u32, age: Duration) -> Duration {
    let pause = pause(attempts, Duration::ZERO);
    if age < ONCE_WITHIN { pause.min(PAUSE_SHOWN_ONCE_MAX) } else { pause }
}

/// Whether a pause of this length is spent deferred, where it would end `in_hand` after the message was taken.
pub(super) fn is_deferred(
    pause: Duration,
    may_have_arrived: bool,
    in_hand: Duration,
    hold: Duration,
) -> bool {
    (may_have_arrived && pause >= DEFERRED_FROM) || in_hand > hold
}

/// How it stands beside what is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    /// Whether anything else waits.
    pub(super) others_wait: bool,
    /// Whether the receiver is away.
    pub(super) is_away: bool,
}

/// What waits for its next attempt.
#[derive(Debug, Default)]
pub(super) struct Retries {
    batches: Vec<(Instant, Batch)>,
    /// Whether one of them was the last that was sent: then it is somebody else's turn.
    was_last: bool,
}

/// Attempts that were left unresolved since a card was accepted.
#[derive(Debug, Default)]
pub(super) struct Unresolved {
    pub(super) in_a_row: u32,
    pub(super) halved: u32,
}

impl Retries {
    /// To be tried again then.
    pub(super) fn push(&mut self, due: Instant, batch: Batch) {
        self.batches.push((due, batch));
    }

    /// The receiver takes cards again: what it has refused for no known reason need not wait. What may have arrived does.
    pub(super) fn call_refused_in(&mut self, now: Instant) {
        let may_have_arrived =
            |batch: &Batch| batch.envelopes().iter().any(|in_flight| in_flight.tries.may_have_arrived());
        for (due, batch) in &mut self.batches {
            if !may_have_arrived(batch) {
                *due = now.min(*due);
            }
        }
    }

    /// Everything on them.
    pub(super) fn envelopes(&self) -> impl Iterator<Item = &InFlightEnvelope> {
        self.batches.iter().flat_map(|(_, batch)| batch.envelopes())
    }

    /// The same, to be changed.
    pub(super) fn envelopes_mut(&mut self) -> impl Iterator<Item = &mut InFlightEnvelope> {
        self.batches.iter_mut().flat_map(|(_, batch)| batch.envelopes_mut())
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.batches.iter().map(|(due, _)| *due).min()
    }

    /// What is due, if it is its turn. What goes under a name of its own is the same message each time; all others go
    /// together, so that whatever was left unresolved while nothing was delivered becomes one card; as long as the receiver
    /// is away, the first of them.
    pub(super) fn take_due(
        &mut self,
        now: Instant,
        beside: Beside,
        has_name: impl Fn(&Batch) -> bool,
    ) -> Option<Batch> {
        let was_last = std::mem::replace(&mut self.was_last, false);
        if (was_last && beside.others_wait) || self.next_due().is_none_or(|due| due > now) {
            return None;
        }
        self.was_last = true;
        self.batches.sort_by_key(|(due, _)| *due);
        if self.batches.first().is_some_and(|(_, batch)| has_name(batch)) {
            return Some(self.batches.remove(0).1);
        }
        let is_due = |(due, batch): &mut (Instant, Batch)| *due <= now && !has_name(batch);
        let due = self.batches.extract_if(.., is_due).flat_map(|(_, batch)| batch.into_envelopes());
        let mut due: Vec<_> = due.collect();
        if beside.is_away {
            let rest = due.split_off(tried_with(&due));
            if !rest.is_empty() {
                self.batches.push((now, Batch::of(rest)));
            }
        }
        let mut together = Batch::of(due);
        together.is_piece = true;
        Some(together)
    }

    /// Everything, with what is left of its pause.
    pub(super) fn drain(&mut self, now: Instant) -> Vec<(Duration, Batch)> {
        self.was_last = false;
        self.batches.drain(..).map(|(due, batch)| (due.saturating_duration_since(now), batch)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// When each attempt begins, in seconds, within so many; each takes as long as `takes`.
    fn attempts(within: u64, takes: u64, pause: impl Fn(u32) -> Duration) -> Vec<u64> {
        let mut at = 0;
        let begins = (1..).map(|attempt| {
            let began = at;
            at += takes + pause(attempt).as_secs();
            began
        });
        begins.take_while(|began| *began < within).collect()
    }

    #[test]
    fn what_is_answered_too_late_is_sent_six_times_in_twenty_minutes() {
        let begins = attempts(1200, 10, |attempt| pause(attempt, 20 * SECOND));
        assert_eq!(begins, [0, 40, 110, 240, 550, 1160]);
    }

    #[test]
    fn what_breaks_at_once_is_tried_again_soon_and_then_ever_more_rarely() {
        let begins = attempts(1200, 0, |attempt| pause(attempt, Duration::ZERO));
        assert_eq!(begins, [0, 1, 6, 16, 46, 106, 226, 526, 1126]);
    }

    #[test]
    fn pauses_have_a_longest() {
        for at_least in [0, 7, 600, 100_000] {
            assert_eq!(pause(u32::MAX, at_least * SECOND), Duration::from_mins(10));
        }
        assert_eq!(pause(0, Duration::ZERO), SECOND);
    }

    #[test]
    fn what_is_shown_once_is_tried_every_minute_for_as_long_as_that_is_sure() {
        let minutes = |minutes| Duration::from_mins(minutes);
        assert_eq!(pause_shown_once(1, Duration::ZERO), SECOND);
        assert_eq!(pause_shown_once(40, minutes(49)), minutes(1));
        assert_eq!(pause_shown_once(40, minutes(50)), minutes(10));
    }
}
