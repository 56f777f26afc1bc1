//! The settings of the decision, and the times it goes by. Pure.

use std::time::Duration;

use config::DedupConfig;
use model::alert::Status;

use super::order::{self, Relation};
use crate::ledger::row::{AlertState, Claim, DeliveredState, Event, Holder, Millis};

/// How long a claim holds that nobody renews: longer than the longest pause between two attempts (deferred for ten
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
    pub(crate) sender_repeats: bool,
    pub(crate) holder: Holder,
}

impl Policy {
    pub(crate) fn new(config: &DedupConfig, holder: Holder) -> Self {
        Self {
            jitter: millis(config.jitter),
            window: millis(config.window),
            repeat_after: millis(config.repeat_after),
            sender_repeats: config.sender_repeats,
            holder,
        }
    }

    /// The same where nobody is to be reminded.
    pub(crate) const fn without_reminders(self) -> Self {
        Self { repeat_after: Millis::MAX, sender_repeats: false, ..self }
    }

    /// How far apart two times of this source may be without meaning that one event came before the other.
    pub(crate) const fn slack(&self, event: &Event<'_>) -> Millis {
        if event.starts_at.is_some() { self.jitter } else { 0 }
    }

    /// A reminder is due if the event came long after what was delivered. By the time it was received, not by the clock:
    /// what has waited for hours behind an outage is no reason to deliver again what was delivered at the end of it. But no
    /// later than now: of two ingests the clock of one may be hours ahead.
    pub(super) fn reminds(&self, delivered: &DeliveredState, event: &Event<'_>, now: Millis) -> bool {
        // One that the sender wants comes from each replica; those of one time are one reminder.
        let is_wanted = self.sender_repeats && event.is_repeat;
        let after = if is_wanted { self.jitter.min(self.repeat_after) } else { self.repeat_after };
        let came = event.received().min(now.saturating_add(self.jitter));
        event.status == Status::Firing && came >= delivered.at.saturating_add(after)
    }

    /// When it was delivered, where a clock that was ahead has recorded that: it would put reminders off until it is reached.
    pub(super) fn believable(&self, at: Millis, event: &Event<'_>, now: Millis) -> Millis {
        let horizon = now.saturating_add(self.jitter);
        if at > horizon && event.received() <= horizon { now } else { at }
    }

    /// How much later a state may be seen without the row having to learn of it.
    pub(crate) fn lag(&self, event: &Event<'_>) -> Millis {
        match event.status {
            Status::Firing => self.slack(event),
            Status::Resolved => 0,
        }
    }

    /// Whether what was delivered is this event, also in the eyes of somebody who is about to deliver it. Within the slack
    /// only: a firing that came later than that may have come after a resolution.
    pub(super) fn settled_by(&self, delivered: &DeliveredState, event: &Event<'_>, now: Millis) -> bool {
        let is_near =
            || order::effective(event, self) <= delivered.state.seen.saturating_add(self.slack(event));
        order::relation(&delivered.state, event, now, self) == Relation::Same
            && (delivered.envelope == event.envelope || (is_near() && !self.reminds(delivered, event, now)))
    }

    /// Whether a claim on what was delivered is no more than that: nothing came in between.
    pub(super) fn covers(&self, delivered: &DeliveredState, claim: &Claim, event: &Event<'_>) -> bool {
        let delivered = &delivered.state;
        let claimed = &claim.state;
        claimed.instance == delivered.instance
            && claimed.seen <= delivered.seen.saturating_add(self.slack(event))
    }

    pub(super) fn claim(&self, state: AlertState, event: &Event<'_>, now: Millis) -> Claim {
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
