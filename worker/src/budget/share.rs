//! What one worker knows by itself about a receiver, and the share it takes while the database is away.
//!
//! Nobody knows then who has spent what, so a share has no burst: a card, and the next one after the fleet's
//! distance times the number of workers. Whatever the database does in between, going and coming back any number of
//! times, the cards sent without it are that far apart. In any minute the fleet's own cards (90 of 100) and these
//! together are therefore at most 90 and one of each worker. In one second, ten workers may send ten cards if their
//! turns meet, or if the fleet has spent its burst just before; Feishu then says to slow down, and they are held.

use std::time::Duration;

use tokio::time::Instant;

/// What one worker knows by itself about one receiver.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    /// The latest slot this worker got, from whomever.
    last_slot: Option<Instant>,
    /// Until then the last card without the database counts. The database knows nothing of it, so it is not asked
    /// before either.
    alone_until: Option<Instant>,
    /// Feishu said to slow down until then.
    held_until: Option<Instant>,
}

impl Share {
    /// How long to leave the receiver alone, whatever the database would say.
    pub(super) fn closed(&self, now: Instant) -> Option<Duration> {
        let until = self.alone_until.max(self.held_until)?;
        until.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// The fleet gave a slot.
    pub(super) fn follow(&mut self, slot: Instant) {
        self.last_slot = self.last_slot.max(Some(slot));
    }

    /// A card without the database, now; or how long to wait before asking again.
    pub(super) fn take(&mut self, now: Instant, spacing: Duration) -> Result<(), Duration> {
        if let Some(left) = self.closed(now) {
            return Err(left);
        }
        let earliest = self.last_slot.map_or(now, |slot| slot + spacing);
        if earliest > now {
            return Err(earliest - now);
        }
        self.last_slot = Some(now);
        self.alone_until = Some(now + spacing);
        Ok(())
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

    #[test]
    fn a_share_is_one_card_at_once_and_one_each_spacing() {
        let (mut share, now) = (Share::default(), Instant::now());
        assert_eq!(share.take(now, SPACING), Ok(()));
        assert_eq!(share.take(now + SECOND, SPACING), Err(2 * SECOND));
        assert_eq!(share.take(now + SPACING, SPACING), Ok(()));
    }

    #[test]
    fn a_card_without_the_database_keeps_its_distance_from_the_fleet_on_both_sides() {
        let (mut share, now) = (Share::default(), Instant::now());
        share.follow(now + SECOND);
        assert_eq!(share.closed(now), None, "the fleet's slots are the fleet's to count");
        assert_eq!(share.take(now, SPACING), Err(SECOND + SPACING));
        let later = now + SECOND + SPACING;
        assert_eq!(share.take(later, SPACING), Ok(()));
        assert_eq!(share.closed(later), Some(SPACING), "the fleet does not know of this one");
        assert_eq!(share.closed(later + SPACING), None);
    }

    #[test]
    fn a_hold_closes_the_share_and_a_shorter_one_does_not_open_it() {
        let (mut share, now) = (Share::default(), Instant::now());
        share.hold(now + 10 * SECOND);
        share.hold(now + SECOND);
        assert_eq!(share.closed(now + SECOND), Some(9 * SECOND));
        assert_eq!(share.take(now + SECOND, SPACING), Err(9 * SECOND));
    }
}
