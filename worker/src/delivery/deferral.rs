//! What cannot be delivered now and has waited in hand for long enough: deferred, or, at the end of patience, dead-lettered.

use std::sync::Arc;
use std::time::Duration;

use config::BrokenReceiver;
use queue::{DeferStep, Reason};
use tokio::time::Instant;

use super::batch::Batch;
use super::context::DeliveryContext;
use super::in_flight::InFlightEnvelope;
use super::outbox::Outbox;
use super::requeue::DeadLetter;
use super::requeue::Deferred;
use crate::test_alert::is_test;

impl Outbox {
    /// Whoever mended a receiver sends a test, or what died of it, once more: neither is told of what was before.
    pub(super) fn try_for_operator(&mut self) {
        let now = Instant::now();
        if !self.bots.health(now).is_some_and(|health| health.is_broken() || health.is_away()) {
            return;
        }
        // A replay that has failed, also before a parking, waits like all others.
        let is_asked_for = |in_flight: &InFlightEnvelope| {
            is_test(&in_flight.envelope)
                || (in_flight.headers.replay.is_some() && !in_flight.tries.have_failed())
        };
        let is_untried =
            |in_flight: &InFlightEnvelope| is_asked_for(in_flight) && !in_flight.tries.was_tried();
        if self.waiting.iter().any(is_untried) {
            self.bots.try_now(now);
        }
    }

    /// Defers or dead-letters what is not to wait in hand any longer.
    pub(super) async fn put_off(&mut self) {
        self.fall_back().await;
        let now = Instant::now();
        let hold = self.context.delivery.hold;
        let Some(health) = self.bots.health(now) else { return };
        let Some(until) = health.keeps_waiting_until().filter(|until| *until > now) else { return };
        let broken = health.is_broken();
        let wait = until - now;
        let is_away = health.is_away();
        // A pause that ends after its time in hand is spent deferred from the start.
        let is_overdue = |in_flight: &InFlightEnvelope| {
            broken || (is_away && is_test(&in_flight.envelope)) || until > in_flight.taken_at + hold
        };
        let mut overdue: Vec<_> = self.waiting.extract_if(.., |in_flight| is_overdue(in_flight)).collect();
        // Who tests one bot wants to know about that one, however the others are doing.
        let is_piece_overdue =
            |piece: &Batch| piece.for_bot.is_none() && piece.envelopes().iter().any(is_overdue);
        let pieces = self.pieces.extract_if(.., |piece| is_piece_overdue(piece));
        overdue.extend(pieces.flat_map(Batch::into_envelopes));
        if overdue.is_empty() {
            return;
        }
        if self.context.lifecycle.stop.is_cancelled() {
            return self.context.requeue(overdue);
        }
        let dead_letter_at_once =
            broken && self.context.delivery.broken_receiver == BrokenReceiver::DeadLetter;
        self.context.defer(&self.receiver.name, overdue, wait, dead_letter_at_once).await;
    }
}

impl DeliveryContext {
    /// Defers what another worker has taken in hand after us: once it is back, that one has delivered it, or we take it from
    /// there. To settle it would be to trust that the other copy lives.
    pub(super) async fn leave_to_others(self: &Arc<Self>, receiver: &str, envelopes: Vec<InFlightEnvelope>) {
        let now = self.clock.now();
        let deferrals = envelopes.into_iter().map(|mut in_flight| {
            in_flight.tries.give_way(now);
            let failure = in_flight.tries.failure(Reason::Unavailable, receiver, now);
            Deferred { in_flight, step: DeferStep::Seconds5, failure, counted: false }
        });
        self.publish_deferrals(receiver, deferrals.collect()).await;
    }

    /// Defers what a receiver does not take, for `wait` at least; dead-letters what has waited for long enough, or all of it
    /// at once.
    pub(super) async fn defer(
        self: &Arc<Self>,
        receiver: &str,
        envelopes: Vec<InFlightEnvelope>,
        wait: Duration,
        dead_letter_at_once: bool,
    ) {
        let now = self.clock.now();
        let mut deferrals = Vec::new();
        let mut dead_letters = Vec::new();
        for mut in_flight in envelopes {
            in_flight.tries.postponed("not tried: the receiver did not take what came before", now);
            // Whoever sent a test waits for its end, and nobody for a test that comes later.
            if dead_letter_at_once
                || is_test(&in_flight.envelope)
                || in_flight.tries.exhausted(self.delivery.give_up_after, now)
            {
                let reason = if dead_letter_at_once { Reason::Refused } else { Reason::GaveUp };
                let failure = in_flight.tries.failure(reason, receiver, now);
                dead_letters.push(DeadLetter { in_flight, failure, refused: None });
                continue;
            }
            let tried = in_flight.tries.was_tried();
            let step = if tried { in_flight.tries.step() } else { in_flight.tries.untried_step(now) };
            let failure = in_flight.tries.failure(Reason::Unavailable, receiver, now);
            deferrals.push(Deferred { in_flight, step: step.max(covering(wait)), failure, counted: tried });
        }
        self.dead_letter(dead_letters).await;
        for step in DeferStep::ALL {
            let same: Vec<_> = deferrals.extract_if(.., |deferral| deferral.step == step).collect();
            self.publish_deferrals(receiver, same).await;
        }
    }
}

/// The shortest time to be deferred in which the pause is over.
fn covering(pause: Duration) -> DeferStep {
    DeferStep::ALL.into_iter().find(|step| step.pause() >= pause).unwrap_or(DeferStep::Minutes10)
}
