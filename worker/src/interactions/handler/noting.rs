//! Who did what about an alert stands in its history.

use std::sync::Arc;

use jiff::Timestamp;
use model::alert::{Labels, Status};

use super::{ActionContext, InteractionHandler};
use crate::history::{HistoryFacts, HistoryOutcome, HistoryRow, HistorySubject};
use crate::interactions::target::TargetAlert;
use crate::ledger::TracedAlert;

impl InteractionHandler {
    /// Writes down that the person has done this about these alerts, until when that lasts.
    pub(super) async fn note<'t>(
        &self,
        wanting: ActionContext<'_>,
        targets: impl Iterator<Item = (&'t TargetAlert, Option<Timestamp>)>,
        act: HistoryOutcome,
    ) {
        if !self.history.is_kept() {
            return;
        }
        let who = self.author(wanting).await;
        self.history.note(targets.map(|(target, until)| {
            let alert = HistorySubject {
                identity: &target.fingerprint,
                name: &target.name,
                labels: &target.labels,
                status: if target.is_firing { Status::Firing } else { Status::Resolved },
                envelope: target.envelope,
            };
            HistoryRow::about(alert, act, &facts(&target.receiver, &who)).until(until)
        }));
    }

    /// The same of alerts of which no more is known than what the ledger has.
    pub(super) async fn note_taken_on(&self, wanting: ActionContext<'_>, entries: &[&TracedAlert]) {
        if !self.history.is_kept() {
            return;
        }
        let who = self.author(wanting).await;
        let labels = Labels::default();
        let rows = entries.iter().filter_map(|entry| {
            let delivered = entry.delivered.as_ref()?;
            let alert = HistorySubject {
                identity: &entry.fingerprint,
                name: "",
                labels: &labels,
                status: delivered.state.status,
                envelope: delivered.envelope,
            };
            Some(HistoryRow::about(alert, HistoryOutcome::Acknowledged, &facts(&entry.receiver, &who)))
        });
        self.history.note(rows);
    }
}

fn facts(receiver: &str, who: &str) -> Arc<HistoryFacts> {
    Arc::new(HistoryFacts::at(receiver).because(&format!("by {who}"), None))
}
