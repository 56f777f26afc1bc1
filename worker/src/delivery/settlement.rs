//! Where it is written down how messages ended: in the metrics, in the memory of what was settled lately, and with
//! the dead letter that was sent again.

use queue::{DeadLetterId, Replay};
use tokio::sync::mpsc::UnboundedSender;

use super::recently_settled::{LineKey, RecentlySettled};
use super::unconfirmed::UnconfirmedLines;
use crate::dead_letters::ReplayOutcome;
use crate::metrics::{Metrics, Outcome};

/// One for all messages.
#[derive(Debug)]
pub(crate) struct SettlementRecorder {
    pub(super) metrics: Metrics,
    pub(super) recent: RecentlySettled,
    pub(super) held: UnconfirmedLines,
    // Unbounded, because a drop cannot wait; operators replay one letter at a time.
    replays: UnboundedSender<(DeadLetterId, ReplayOutcome)>,
}

/// How a message ended.
#[derive(Debug)]
pub(super) struct Settlement {
    /// Alerts, in the order of the outcomes.
    pub(super) counts: [u64; Outcome::ALL.len()],
    /// How many more there are of them than came, because some went to several receivers.
    pub(super) copied: u64,
    /// Alerts that came although their own envelope delivers them by another copy.
    pub(super) copies: u64,
    /// Lines that are settled for good.
    pub(super) finished: Vec<LineKey>,
    /// The dead letter it was, if it was one.
    pub(super) replay: Option<Replay>,
}

impl SettlementRecorder {
    pub(crate) fn new(metrics: Metrics, replays: UnboundedSender<(DeadLetterId, ReplayOutcome)>) -> Self {
        Self { metrics, recent: RecentlySettled::default(), held: UnconfirmedLines::default(), replays }
    }

    /// A message was requeued, or lost with its connection, after alerts of it had gone onto a card: it comes again, and
    /// they are copies then of what was delivered.
    pub(super) fn enter_delivered(&self, counts: [u64; Outcome::ALL.len()]) {
        for outcome in [Outcome::Delivered, Outcome::Summarised] {
            let alerts = counts[outcome as usize];
            if alerts > 0 {
                self.metrics.ended(outcome, alerts);
            }
        }
    }

    /// A message was settled.
    pub(super) fn enter(&self, entry: Settlement) {
        for (outcome, count) in Outcome::ALL.into_iter().zip(entry.counts) {
            // Most messages end in one way; each look at a counter by its label costs as much as the rest of this.
            if count > 0 {
                self.metrics.ended(outcome, count);
            }
        }
        self.metrics.copied.inc_by(entry.copied);
        self.metrics.redelivered(entry.copies);
        self.recent.remember(entry.finished);
        if let Some(replay) = entry.replay
            && let Some(outcome) = of_replay(entry.counts)
        {
            // At the very end of a shutdown nobody listens any more; the next replay is told that it was delivered.
            let _stopping = self.replays.send((replay.letter, outcome));
        }
    }
}

/// What an operator is told about a letter that was sent again. `None` if it was deferred, or became a dead letter again, which the dead
/// letters find out by themselves.
fn of_replay(
    [delivered, summarised, duplicate, superseded, dead_lettered, expected]: [u64; Outcome::ALL.len()],
) -> Option<ReplayOutcome> {
    // A heartbeat is where it was to come, and nobody is told of it.
    match (delivered + summarised, duplicate + expected, superseded, dead_lettered) {
        (1.., _, _, 0) => Some(ReplayOutcome::Delivered),
        (0, _, 1.., 0) => Some(ReplayOutcome::ResolvedSince),
        (0, 1.., 0, 0) => Some(ReplayOutcome::DeliveredSince),
        (_, _, _, 1..) | (0, 0, 0, 0) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_delivered_if_anything_of_it_was() {
        assert_eq!(of_replay([1, 0, 5, 5, 0, 0]), Some(ReplayOutcome::Delivered));
        assert_eq!(of_replay([0, 1, 5, 5, 0, 0]), Some(ReplayOutcome::Delivered));
        assert_eq!(of_replay([0, 0, 1, 1, 0, 0]), Some(ReplayOutcome::ResolvedSince));
        assert_eq!(of_replay([0, 0, 2, 0, 0, 0]), Some(ReplayOutcome::DeliveredSince));
        assert_eq!(of_replay([0, 0, 0, 0, 0, 2]), Some(ReplayOutcome::DeliveredSince));
        assert_eq!(of_replay([3, 0, 0, 0, 1, 0]), None);
        assert_eq!(of_replay([0, 0, 0, 0, 0, 0]), None);
    }
}
