//! Since when a receiver has taken nothing, as its outbox sees it and the way in wants to know: what is meant for one that is
//! away for long need not be passed round every few seconds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// From so long on the pauses of what has no place in hand grow. Whatever was deferred with such a pause comes back when the
/// receiver takes a message again.
const LONG: Duration = Duration::from_secs(5);
/// Between two recalls of a receiver that this process has not seen away: another may have, and be gone.
const RECALLED_EVERY: Duration = Duration::from_secs(30);

/// Of one receiver. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Absence(Arc<Mutex<AbsenceState>>);

#[derive(Debug, Default)]
struct AbsenceState {
    since: Option<Instant>,
    recalled_at: Option<Instant>,
}

/// A message that was taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// Since when none was before it.
    pub(super) absent_since: Option<Instant>,
    /// Whether anything on it was deferred before.
    pub(super) was_deferred: bool,
}

impl Absence {
    /// It has taken nothing since then; `None`: it takes what it is sent.
    pub(super) fn show(&self, since: Option<Instant>) {
        self.state().since = since;
    }

    /// Whether it has lasted for long.
    pub(super) fn is_long(&self, now: Instant) -> bool {
        self.state().since.is_some_and(|since| is_long(since, now))
    }

    /// Whether what was deferred for it is to come back now that it has taken this: there may be some after a long absence,
    /// and where something comes that was deferred before.
    pub(super) fn recalls(&self, taken: Taken, now: Instant) -> bool {
        let mut state = self.state();
        let is_recent = |at: Instant| now.saturating_duration_since(at) < RECALLED_EVERY;
        let was_long = taken.absent_since.is_some_and(|since| is_long(since, now));
        let recalls = was_long || (taken.was_deferred && !state.recalled_at.is_some_and(is_recent));
        if recalls {
            state.recalled_at = Some(now);
        }
        recalls
    }

    fn state(&self) -> MutexGuard<'_, AbsenceState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_long(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) >= LONG
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_deferred_is_called_back_after_a_long_absence_and_else_now_and_then() {
        let absence = Absence::default();
        let began = Instant::now();
        absence.show(Some(began));
        let later = |seconds| began + Duration::from_secs(seconds);
        assert!(!absence.is_long(later(4)) && absence.is_long(later(5)));
        let recalls = |absent_since, was_deferred, seconds| {
            absence.recalls(Taken { absent_since, was_deferred }, later(seconds))
        };
        assert!(!recalls(None, false, 6), "nothing says that there is anything");
        assert!(!recalls(Some(later(3)), false, 6), "it was short");
        assert!(recalls(None, true, 6));
        assert!(!recalls(None, true, 35));
        assert!(recalls(Some(began), false, 35));
        assert!(recalls(None, true, 65));
    }
}
