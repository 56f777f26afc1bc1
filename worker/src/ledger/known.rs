//! Says which alerts were not delivered because they were known, why, and by which envelope that is so: whoever misses a card
//! finds here where it went. One line for each call, and one for each alert where somebody reads that much.

use tracing::{Level, debug, enabled, info};

use super::Ledger;
use super::decision::{Decision, KnownBy, known_by};
use super::row::{Event, Millis};

impl Ledger {
    /// What makes an event a duplicate or superseded, as far as it is remembered here.
    pub(crate) fn known_by(&self, event: &Event<'_>) -> Option<KnownBy> {
        self.by_what(event, self.now())
    }

    fn by_what(&self, event: &Event<'_>, now: Millis) -> Option<KnownBy> {
        let row = self.memory().row_of(event)?;
        known_by(&row, event, now, &self.policy)
    }

    /// Names what is a duplicate or superseded.
    pub(super) fn say_known(&self, events: &[Event<'_>], decisions: &[Decision], now: Millis) {
        let count = |wanted: Decision| decisions.iter().filter(|decision| **decision == wanted).count();
        let duplicates = count(Decision::Duplicate);
        let superseded = count(Decision::Superseded);
        if duplicates + superseded == 0 {
            return;
        }
        let is_known = |decision: &Decision| matches!(decision, Decision::Duplicate | Decision::Superseded);
        let known = || events.iter().zip(decisions).filter(|(_, decision)| is_known(decision));
        let first = known().next().map(|(event, _)| event);
        info!(
            duplicates,
            superseded,
            envelope.id = first.map(|event| tracing::field::display(event.envelope)),
            alert.fingerprint = first.map(|event| event.fingerprint),
            receiver = first.map(|event| event.receiver),
            "alerts were known and are not delivered again; each is named at the level debug"
        );
        if !enabled!(Level::DEBUG) {
            return;
        }
        for (event, decision) in known() {
            let by = self.by_what(event, now);
            debug!(
                outcome = if *decision == Decision::Duplicate { "duplicate" } else { "superseded" },
                alert.fingerprint = event.fingerprint,
                envelope.id = %event.envelope,
                receiver = event.receiver,
                status = event.status.as_str(),
                reason = by.map(|by| by.reason),
                by = by.map(|by| tracing::field::display(by.envelope)),
                "an alert was known and is not delivered again"
            );
        }
    }
}
