//! For a chat of the app's: what waits is held against the cards that are there. The end of what is on a card goes onto
//! that card, and what was under way when a worker died is sent as the same message.

use std::collections::BTreeMap;

use shared::alert::Status;
use shared::queue::Publisher;
use tokio::sync::mpsc::UnboundedSender;

use super::Outbox;
use super::fold::Fold;
use super::route::{self, Route};
use super::told::By;
use super::updates::{Ending, resolved};
use crate::cards::{CardId, Cards};
use crate::pipeline::Parcel;

/// What an outbox for a chat of the app's knows of cards.
pub(crate) struct Album {
    pub(crate) cards: Cards,
    /// To whoever updates them.
    pub(crate) endings: UnboundedSender<Ending>,
}

impl<P: Publisher> Outbox<P> {
    /// Sorts what has come since the last time.
    pub(super) async fn sort_out(&mut self) {
        let Some(album) = &self.album else { return };
        let mut unsorted: Vec<_> = self.waiting.extract_if(.., |parcel| !parcel.is_sorted).collect();
        if unsorted.is_empty() {
            return;
        }
        let alerts = unsorted.iter().flat_map(|parcel| &parcel.envelope.alerts);
        let mut fingerprints: Vec<_> = alerts.map(|alert| alert.fingerprint.as_str()).collect();
        fingerprints.sort_unstable();
        fingerprints.dedup();
        // Without the database everything is told on cards of its own.
        let found = album.cards.whereabouts(&self.receiver.name, &fingerprints).await.unwrap_or_default();
        let mut parts = Vec::new();
        for mut parcel in unsorted.drain(..) {
            parcel.is_sorted = true;
            let route = |status: Status, fingerprint: &str| match found.get(fingerprint) {
                Some(cards) if !parcel.is_forced() => route::of(status, parcel.envelope.id, cards),
                _ => Route::Afresh(Vec::new()),
            };
            let alerts = parcel.envelope.alerts.iter();
            let routes = alerts.map(|alert| route(alert.status, alert.fingerprint.as_str())).collect();
            parts.extend(parcel.take_apart(routes));
        }
        Box::pin(self.send_along(parts)).await;
    }

    async fn send_along(&mut self, parts: Vec<(Route, Parcel)>) {
        let mut told = Vec::new();
        let mut again: BTreeMap<CardId, Vec<Parcel>> = BTreeMap::new();
        for (route, parcel) in parts {
            match route {
                Route::Afresh(unsent) => {
                    self.end_unsent(&unsent, &parcel).await;
                    self.waiting.push(parcel);
                }
                Route::Told => told.push(parcel),
                Route::Again(card) => again.entry(card).or_default().push(parcel),
                Route::Onto(cards) => self.end(Ending { cards, parcel }),
            }
        }
        if !told.is_empty() {
            self.house.told(&self.receiver.name, Fold::of(told), By::Before).await;
        }
        self.pieces.extend(again.into_iter().map(|(card, parcels)| Fold::again(card, parcels)));
    }

    fn end(&mut self, ending: Ending) {
        let Some(album) = &self.album else { return };
        // Its receiver ends after us, except by a panic: then the process stops, and what is dropped comes again.
        let _gone = album.endings.send(ending);
    }

    /// Cards that are about to be sent by others will be updated at once. If that fails they stay as they are.
    async fn end_unsent(&self, unsent: &[CardId], parcel: &Parcel) {
        let Some(album) = &self.album else { return };
        for card in unsent {
            let _unchanged = album.cards.change(card, &resolved(parcel)).await;
        }
    }
}
