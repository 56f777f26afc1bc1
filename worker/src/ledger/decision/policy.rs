//! The settings of the decision, and the times it goes by.

use std::time::Duration;

use shared::alert::Status;
use shared::config::DedupConfig;

use super::order::{self, Relation};
use crate::ledger::row::{Claim, Event, Holder, Millis, State, Told};

/// How long a claim holds that nobody renews: longer than the longest pause between two attempts (parked for ten
/// minutes), and some minutes to be taken up again after it.
pub(crate) const LEASE: Duration = Duration::from_mins(15);
/// A lease that is younger than this is not renewed: it would be a write for nothing.
const LEASE_SLACK: Duration = Duration::from_mins(1);

/// The settings, and who we are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) jitter: Millis,
    pub(crate) window: Millis,
    pub(crate) repeat_after: Millis,
    pub(crate) holder: Holder,
}

impl Policy {
    pub(crate) fn new(config: &DedupConfig, holder: Holder) -> Self {
        Self {
            jitter: millis(config.jitter),
            window: millis(config.window),
            repeat_after: millis(config.repeat_after),
            holder,
        }
    }

    /// How far apart two times of this source may be without meaning that one event came before the other.
    pub(crate) const fn slack(&self, event: &Event<'_>) -> Millis {
        if event.starts_at.is_some() { self.jitter } else { 0 }
    }

    /// A reminder is due if the event came long after what was told. By the time it was received, not by the clock:
    /// what has waited for hours behind an outage is no reason to tell again what was told at the end of it.
    pub(super) fn reminds(&self, told: &Told, event: &Event<'_>) -> bool {
        event.status == Status::Firing && event.received() >= told.at.saturating_add(self.repeat_after)
    }

    /// Whether what was told is this event, also in the eyes of somebody who is about to tell it. Within the slack
    /// only: a firing that came later than that may have come after a resolution.
    pub(super) fn settled_by(&self, told: &Told, event: &Event<'_>) -> bool {
        let is_near = || order::effective(event, self) <= told.state.seen.saturating_add(self.slack(event));
        order::relation(&told.state, event, self) == Relation::Same
            && (told.envelope == event.envelope || (is_near() && !self.reminds(told, event)))
    }

    pub(super) fn claim(&self, state: State, event: &Event<'_>, now: Millis) -> Claim {
        let until = now.saturating_add(millis(LEASE));
        Claim { state, until, envelope: event.envelope, holder: self.holder }
    }

    /// The claim in our hands, good for another while.
    pub(super) fn renewed(&self, claim: Claim, now: Millis) -> Claim {
        let until = now.saturating_add(millis(LEASE));
        // A lease that ends later than ours would is one of a clock that is wrong; it is put right as well.
        let is_young = until.abs_diff(claim.until) <= millis(LEASE_SLACK).unsigned_abs();
        Claim { until: if is_young { claim.until } else { until }, holder: self.holder, ..claim }
    }
}

pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
