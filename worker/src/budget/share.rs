//! What one worker knows by itself about a bot, and the share it takes while the database is away. Pure.
//!
//! Nobody knows then who has spent what, so a share has no burst: a card, and the next one after the fleet's
//! distance times the number of workers. Whatever the database does in between, going and coming back any number of
//! times, the cards sent without it are that far apart. In any minute the fleet's own cards (90 of 100) and these
//! together are therefore at most 90 and one of each worker. In a second it is each worker's turn (`turns`) that keeps
//! them apart; and from what the fleet had just spent, a pause after the database was lost.

use std::time::Duration;

use tokio::time::Instant;

use super::rates::{JITTER_MS, SECOND_MS};

/// How long nobody sends after the database was lost: the fleet may have spent a second's cards just before.
const HUSH: Duration = Duration::from_millis((SECOND_MS + JITTER_MS).unsigned_abs());

/// What one worker knows by itself about one bot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BudgetShare {
    /// The latest slot this worker got, from whomever.
    last_slot: Option<Instant>,
    /// When it was first asked for a card without the database, since the fleet gave the last one.
    alone_since: Option<Instant>,
    /// Until then the last card without the database counts. The database knows nothing of it, so it is not asked
    /// before either.
    alone_until: Option<Instant>,
    /// Feishu said to slow down until then.
    held_until: Option<Instant>,
    /// Whether the last slot of the fleet was lost, as its answer came too late.
    was_late: bool,
}

/// The right to a share.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShareGuard {
    /// How far apart the cards of this worker are.
    pub(super) spacing: Duration,
    /// Whether there are others.
    pub(super) is_shared: bool,
}

impl BudgetShare {
    /// How long to leave the bot alone, whatever the database would say.
    pub(super) fn closed(&self, now: Instant) -> Option<Duration> {
        let until = self.alone_until.max(self.held_until)?;
        until.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// The fleet gave a slot.
    pub(super) fn follow(&mut self, slot: Instant) {
        self.last_slot = self.last_slot.max(Some(slot));
        self.alone_since = None;
        self.was_late = false;
    }

    /// A slot of the fleet was lost, as its answer came too late: whether the fleet is to be asked for another one.
    pub(super) fn may_ask_again(&mut self) -> bool {
        !std::mem::replace(&mut self.was_late, true)
    }

    /// A card without the database, and how long to wait for it: at most `ahead`. Or how long to wait before asking
    /// again. `turn` says how long after some moment it is this worker's turn.
    pub(super) fn take(
        &mut self,
        now: Instant,
        part: ShareGuard,
        ahead: Duration,
        turn: impl Fn(Instant) -> Duration,
    ) -> Result<Duration, Duration> {
        if let Some(left) = self.closed(now) {
            return Err(left);
        }
        let since = *self.alone_since.get_or_insert(now);
        let hush = if part.is_shared { HUSH } else { Duration::ZERO };
        let earliest = now.max(since + hush).max(self.last_slot.map_or(now, |slot| slot + part.spacing));
        let slot = earliest + turn(earliest);
        let wait = slot - now;
        if wait > ahead {
            return Err(wait.saturating_sub(ahead));
        }
        self.last_slot = Some(slot);
        self.alone_until = Some(slot + part.spacing);
        Ok(wait)
    }

    /// Feishu said to slow down. A hold is never shortened.
    pub(super) fn hold(&mut self, until: Instant) {
        self.held_until = self.held_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: Duration = Duration::from_secs(3);
    const SECOND: Duration = Duration::from_secs(1);
    const ALONE: ShareGuard = ShareGuard { spacing: SPACING, is_shared: false };

    fn take(share: &mut BudgetShare, now: Instant) -> Result<Duration, Duration> {
        share.take(now, ALONE, Duration::ZERO, |_| Duration::ZERO)
    }

    #[test]
    fn a_share_is_one_card_at_once_and_one_each_spacing() {
        let mut share = BudgetShare::default();
        let now = Instant::now();
        assert_eq!(take(&mut share, now), Ok(Duration::ZERO));
        assert_eq!(take(&mut share, now + SECOND), Err(2 * SECOND));
        assert_eq!(take(&mut share, now + SPACING), Ok(Duration::ZERO));
    }

    #[test]
    fn a_card_without_the_database_keeps_its_distance_from_the_fleet_on_both_sides() {
        let mut share = BudgetShare::default();
        let now = Instant::now();
        share.follow(now + SECOND);
        assert_eq!(share.closed(now), None, "the fleet's slots are the fleet's to count");
        assert_eq!(take(&mut share, now), Err(SECOND + SPACING));
        let later = now + SECOND + SPACING;
        assert_eq!(take(&mut share, later), Ok(Duration::ZERO));
        assert_eq!(share.closed(later), Some(SPACING), "the fleet does not know of this one");
        assert_eq!(share.closed(later + SPACING), None);
    }

    #[test]
    fn a_hold_closes_the_share_and_a_shorter_one_does_not_open_it() {
        let mut share = BudgetShare::default();
        let now = Instant::now();
        share.hold(now + 10 * SECOND);
        share.hold(now + SECOND);
        assert_eq!(share.closed(now + SECOND), Some(9 * SECOND));
        assert_eq!(take(&mut share, now + SECOND), Err(9 * SECOND));
    }

    #[test]
    fn among_others_the_first_card_waits_for_what_the_fleet_had_spent_and_for_its_turn() {
        let mut share = BudgetShare::default();
        let now = Instant::now();
        let part = ShareGuard { spacing: SPACING, is_shared: true };
        let turn = |_| 2 * SECOND;
        assert_eq!(share.take(now, part, SECOND, turn), Err(HUSH + SECOND));
        assert_eq!(share.take(now + SECOND, part, SPACING, turn), Ok(HUSH + SECOND));
        assert_eq!(share.closed(now + SECOND), Some(HUSH + SECOND + SPACING));
    }
}
