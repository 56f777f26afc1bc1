//! What is written down of how alerts ended, beside the metrics that count it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use model::envelope::EnvelopeId;
use queue::Failure;

use super::batch::Batch;
use super::context::DeliveryContext;
use super::in_flight::{IfDelivered, InFlightEnvelope, event};
use super::requeue::Deferred;
use crate::history::{HistoryFacts, HistoryOutcome, HistoryRow, RepeatCause};
use crate::ledger::Standing;
use crate::metrics::Outcome;
use crate::render::Item;

impl DeliveryContext {
    /// Drops what does not stand any more, and writes down what has delivered it. Returns what another worker has in hand.
    pub(super) fn keep_standing(
        &self,
        receiver: &str,
        batch: &mut Batch,
        standings: &[Standing],
    ) -> Vec<InFlightEnvelope> {
        batch.keep_standing(standings, |item, outcome| {
            let ended = std::iter::once((*item, outcome.into()));
            self.history.note_again(receiver, None, ended, |item| {
                let by = self.ledger.known_by(&event(
                    item.envelope,
                    item.alert,
                    receiver,
                    IfDelivered::IsDuplicate,
                ));
                let reason = by.map_or("it was delivered meanwhile", |by| by.reason).to_owned();
                RepeatCause { reason, by: by.map(|by| by.envelope), ..RepeatCause::default() }
            });
        })
    }

    /// What a card has delivered, or counts; before it is settled.
    pub(super) fn note_delivered(&self, receiver: &str, batch: &Batch, shown: &[Vec<bool>]) {
        if !self.history.is_kept() {
            return;
        }
        let facts = match &batch.sent {
            Some(sent) => HistoryFacts::at(receiver).on_card(sent.card.as_str(), &sent.bot),
            None => HistoryFacts::at(receiver).because("a card had delivered it before", None),
        };
        let facts = Arc::new(facts);
        let shown_by = shown_by(batch, shown);
        let beside = shown_by.as_ref().map(|_| {
            let facts = HistoryFacts::at(receiver);
            Arc::new(facts.because("the same card shows it as another envelope has it", None))
        });
        let rows = batch.envelopes().iter().zip(shown).flat_map(|(in_flight, shown)| {
            let attempts = in_flight.tries.attempts();
            let facts = &facts;
            let beside = &beside;
            let shown_by = &shown_by;
            items(in_flight).zip(shown).map(move |(item, is_shown)| {
                let fingerprint = item.alert.fingerprint.as_str();
                if let (false, Some(beside)) = (*is_shown, beside) {
                    let by = shown_by.as_ref().and_then(|by| by.get(fingerprint)).copied();
                    return HistoryRow::new(&item, Outcome::Duplicate, beside).by(by);
                }
                let only_counted = batch.sent.as_ref().is_some_and(|sent| sent.only_counts(fingerprint));
                let outcome = if only_counted { Outcome::Summarised } else { Outcome::Delivered };
                HistoryRow::new(&item, outcome, facts).after(attempts)
            })
        });
        self.history.note(rows);
    }

    /// What went to the dead letters.
    pub(super) fn note_dead(&self, in_flight: &InFlightEnvelope, failure: &Failure) {
        if !self.history.is_kept() {
            return;
        }
        let reason = format!("{}: {}", failure.reason.as_str(), failure.message);
        let facts = Arc::new(HistoryFacts::at(&failure.receiver).because(&reason, failure.code));
        let row =
            |item: Item<'_>| HistoryRow::new(&item, Outcome::DeadLettered, &facts).after(failure.attempts);
        self.history.note(items(in_flight).map(row));
    }

    /// What another receiver is told of instead.
    pub(super) fn note_handed_over(&self, receiver: &str, told: &str, in_flight: &InFlightEnvelope) {
        let alerts = items(in_flight).map(|item| (item, HistoryOutcome::Deferred));
        self.history.note_again(receiver, None, alerts, |_| RepeatCause {
            reason: format!("it cannot be reached: {told} is told instead"),
            attempts: in_flight.tries.attempts(),
            ..RepeatCause::default()
        });
    }

    /// What was put aside, why, and until when.
    pub(super) fn note_deferred(&self, receiver: &str, deferral: &Deferred) {
        if !self.history.is_kept() {
            return;
        }
        let Deferred { in_flight, step, failure, counted: _ } = deferral;
        let until = self.clock.now().saturating_add(step.pause()).ok();
        let until_ms = until.map(Timestamp::as_millisecond);
        let alerts = items(in_flight).map(|item| (item, HistoryOutcome::Deferred));
        self.history.note_again(receiver, until_ms, alerts, |_| RepeatCause {
            reason: failure.message.clone(),
            code: failure.code,
            by: None,
            attempts: failure.attempts,
        });
    }
}

fn items(in_flight: &InFlightEnvelope) -> impl Iterator<Item = Item<'_>> {
    let envelope = &in_flight.envelope;
    envelope.alerts.iter().map(move |alert| Item::of(envelope, alert))
}

/// Of alerts that are there several times, which envelope the card shows them by; `None` where each is there once.
fn shown_by<'b>(batch: &'b Batch, shown: &[Vec<bool>]) -> Option<HashMap<&'b str, EnvelopeId>> {
    if shown.iter().flatten().all(|is_shown| *is_shown) {
        return None;
    }
    let of_envelope = |(in_flight, shown): (&'b InFlightEnvelope, &Vec<bool>)| {
        let id = in_flight.envelope.id;
        let alerts = in_flight.envelope.alerts.iter().zip(shown.clone()).filter(|(_, is_shown)| *is_shown);
        alerts.map(move |(alert, _)| (alert.fingerprint.as_str(), id))
    };
    Some(batch.envelopes().iter().zip(shown).flat_map(of_envelope).collect())
}
