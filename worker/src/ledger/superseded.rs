//! Says what is not delivered because something newer was. After an outage that is as it should be; at any other time a lead of
//! more than the jitter means that somebody's clock is wrong, and nobody is to be left to guess whose alerts that costs.

use tracing::{info, warn};

use super::Ledger;
use super::decision::{Decision, lead};
use super::row::{Event, Millis};

/// Alerts of one call that are named in the log; of a backlog of thousands the rest is counted.
const NAMED_MAX: usize = 20;

impl Ledger {
    /// Counts the times that lie ahead of us, and counts and names the alerts that were left behind by more than the jitter.
    pub(super) fn say_superseded(&self, events: &[Event<'_>], decisions: &[Decision], now: Millis) {
        let horizon = now.saturating_add(self.policy.jitter);
        let is_ahead =
            |event: &&Event<'_>| event.started().unwrap_or(event.received()).max(event.received()) > horizon;
        self.metrics.ahead.inc_by(events.iter().filter(is_ahead).count() as u64);
        if !decisions.contains(&Decision::Superseded) {
            return;
        }
        let mut memory = self.memory();
        let superseded: Vec<(&Event<'_>, Millis)> = events
            .iter()
            .zip(decisions)
            .filter(|(_, decision)| **decision == Decision::Superseded)
            .filter_map(|(event, _)| Some((event, lead(&memory.row_of(event)?, event, &self.policy))))
            .filter(|(_, lead)| *lead > self.policy.jitter)
            .collect();
        drop(memory);
        self.metrics.superseded.inc_by(superseded.len() as u64);
        for (event, lead) in superseded.iter().take(NAMED_MAX) {
            let fingerprint = event.fingerprint;
            let status = event.status.as_str();
            let envelope = event.envelope;
            info!(
                outcome = "superseded",
                alert.fingerprint = fingerprint,
                envelope.id = %envelope,
                receiver = event.receiver,
                status,
                lead_ms = *lead,
                starts_at = event.starts_at.map(tracing::field::display),
                received_at = %event.received_at,
                "superseded by a state that is newer by more than dedup.jitter"
            );
        }
        let unnamed = superseded.len().saturating_sub(NAMED_MAX);
        if unnamed > 0 {
            warn!(
                alerts = unnamed,
                "more alerts were superseded by states that are newer by more than dedup.jitter"
            );
        }
    }
}
