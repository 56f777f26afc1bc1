//! What cannot be told now and has waited in hand for long enough: parked, or, at the end of patience, buried.

use std::time::Duration;

use shared::config::BrokenReceiver;
use shared::queue::{ParkStep, Publisher, Reason};
use tokio::time::Instant;

use super::Outbox;
use super::fold::Fold;
use crate::pipeline::{Death, House, Parcel, Parking};
use crate::test_alert::is_test;

impl<P: Publisher> Outbox<P> {
    /// Whoever mended a receiver sends a test to see that: it is not told of what was before.
    pub(super) fn try_for_test(&mut self) {
        let now = Instant::now();
        if !self.ring.weather(now).is_some_and(|weather| weather.is_broken() || weather.is_away()) {
            return;
        }
        let is_untried = |parcel: &Parcel| is_test(&parcel.envelope) && !parcel.tries.was_tried();
        if self.waiting.iter().any(is_untried) {
            self.ring.try_now(now);
        }
    }

    /// Parks or buries what is not to wait in hand any longer.
    pub(super) async fn put_off(&mut self) {
        let (now, hold) = (Instant::now(), self.house.delivery.hold);
        let Some(weather) = self.ring.weather(now) else { return };
        let Some(until) = weather.keeps_waiting_until().filter(|until| *until > now) else { return };
        let (broken, wait, is_away) = (weather.is_broken(), until - now, weather.is_away());
        // A pause that ends after its time in hand is spent parked from the start.
        let is_overdue = |parcel: &Parcel| {
            broken || (is_away && is_test(&parcel.envelope)) || until > parcel.taken_at + hold
        };
        let mut overdue: Vec<_> = self.waiting.extract_if(.., |parcel| is_overdue(parcel)).collect();
        // Who tests one bot wants to know about that one, however the others are doing.
        let is_piece_overdue =
            |piece: &Fold| piece.for_bot.is_none() && piece.parcels().iter().any(is_overdue);
        let pieces = self.pieces.extract_if(.., |piece| is_piece_overdue(piece));
        overdue.extend(pieces.flat_map(Fold::into_parcels));
        if overdue.is_empty() {
            return;
        }
        if self.house.lifecycle.stop.is_cancelled() {
            return self.house.give_back(overdue);
        }
        let bury_at_once = broken && self.house.delivery.broken_receiver == BrokenReceiver::Bury;
        self.house.put_aside(&self.receiver.name, overdue, (wait, bury_at_once)).await;
    }
}

impl<P: Publisher> House<P> {
    /// Parks what a receiver does not take, for `wait` at least; buries what has waited for long enough, or all of it
    /// at once.
    pub(super) async fn put_aside(
        &self,
        receiver: &str,
        parcels: Vec<Parcel>,
        (wait, bury_at_once): (Duration, bool),
    ) {
        let now = self.clock.now();
        let (mut parkings, mut deaths) = (Vec::new(), Vec::new());
        for mut parcel in parcels {
            parcel.tries.postponed("not tried: the receiver did not take what came before", now);
            // Whoever sent a test waits for its end, and nobody for a test that comes later.
            if bury_at_once
                || is_test(&parcel.envelope)
                || parcel.tries.exhausted(self.delivery.give_up_after, now)
            {
                let reason = if bury_at_once { Reason::Refused } else { Reason::GaveUp };
                let failure = parcel.tries.failure(reason, receiver, now);
                deaths.push(Death { parcel, failure, refused: None });
                continue;
            }
            let tried = parcel.tries.was_tried();
            let step = if tried { parcel.tries.step() } else { parcel.tries.untried_step(now) };
            let failure = parcel.tries.failure(Reason::Unavailable, receiver, now);
            parkings.push(Parking { parcel, step: step.max(covering(wait)), failure, counted: tried });
        }
        self.bury(deaths).await;
        for step in ParkStep::ALL {
            let same: Vec<_> = parkings.extract_if(.., |parking| parking.step == step).collect();
            self.park(receiver, same).await;
        }
    }
}

/// The shortest time to be parked in which the pause is over.
fn covering(pause: Duration) -> ParkStep {
    ParkStep::ALL.into_iter().find(|step| step.pause() >= pause).unwrap_or(ParkStep::Minutes10)
}
