//! For a chat of the app's: what waits is held against the cards that are there. The end of what is on a card goes onto
//! that card, and what was under way when a worker died is sent as the same message.

use super::batch::Batch;
use super::card_draft::{CardDraft, CardRecord};
use super::outbox::Outbox;
use crate::feishu::verdict::Verdict;
use crate::feishu::{Sent, Shape};
use std::collections::BTreeMap;

use model::alert::Status;

use super::card_updates::{Ending, resolved};
use super::delivered::By;
use super::in_flight::InFlightEnvelope;
use super::placement::{self, CardPlacement};
use crate::card_store::CardId;
use crate::render::Item;

impl Outbox {
    /// Sorts what has come since the last time.
    pub(super) async fn sort_out(&mut self) {
        let Some(app_chat) = &self.app_chat else { return };
        let mut unsorted: Vec<_> = self.waiting.extract_if(.., |in_flight| !in_flight.is_sorted).collect();
        if unsorted.is_empty() {
            return;
        }
        let alerts = unsorted.iter().flat_map(|in_flight| &in_flight.envelope.alerts);
        let mut fingerprints: Vec<_> = alerts.map(|alert| alert.fingerprint.as_str()).collect();
        fingerprints.sort_unstable();
        fingerprints.dedup();
        // Without the database everything is delivered on cards of its own.
        let found = app_chat.cards.whereabouts(&self.receiver.name, &fingerprints).await.unwrap_or_default();
        let mut parts = Vec::new();
        for mut in_flight in unsorted.drain(..) {
            in_flight.is_sorted = true;
            let route = |status: Status, fingerprint: &str| match found.get(fingerprint) {
                Some(cards) if !in_flight.is_forced() => placement::of(status, in_flight.envelope.id, cards),
                _ => CardPlacement::Afresh(Vec::new()),
            };
            let alerts = in_flight.envelope.alerts.iter();
            let routes = alerts.map(|alert| route(alert.status, alert.fingerprint.as_str())).collect();
            parts.extend(in_flight.take_apart(routes));
        }
        Box::pin(self.send_along(parts)).await;
    }

    async fn send_along(&mut self, parts: Vec<(CardPlacement, InFlightEnvelope)>) {
        let mut delivered = Vec::new();
        let mut again: BTreeMap<CardId, Vec<InFlightEnvelope>> = BTreeMap::new();
        for (route, in_flight) in parts {
            match route {
                CardPlacement::Afresh(unsent) => {
                    self.end_unsent(&unsent, &in_flight).await;
                    self.waiting.push(in_flight);
                }
                CardPlacement::Delivered => delivered.push(in_flight),
                CardPlacement::Again(card) => again.entry(card).or_default().push(in_flight),
                CardPlacement::Onto(cards) => self.end(Ending { cards, in_flight }),
            }
        }
        if !delivered.is_empty() {
            self.context.delivered(&self.receiver.name, Batch::of(delivered), By::Before).await;
        }
        self.pieces.extend(again.into_iter().map(|(card, envelopes)| Batch::again(card, envelopes)));
    }

    fn end(&mut self, ending: Ending) {
        let Some(app_chat) = &self.app_chat else { return };
        // Its receiver ends after us, except by a panic: then the process stops, and what is dropped comes again.
        let _gone = app_chat.endings.send(ending);
    }

    /// Cards that are about to be sent by others will be updated at once. If that fails they stay as they are.
    async fn end_unsent(&self, unsent: &[CardId], in_flight: &InFlightEnvelope) {
        let Some(app_chat) = &self.app_chat else { return };
        for card in unsent {
            let _unchanged = app_chat.cards.change(card, &resolved(in_flight)).await;
        }
    }

    /// What of a batch still stands, and its record. It is written down before it is looked what stands: whoever
    /// ends an alert in between finds the card, or we see that the alert is over.
    ///
    /// `None` if nothing does.
    pub(super) async fn standing(&self, mut batch: Batch) -> Option<(Batch, CardRecord)> {
        while !batch.is_empty() {
            let record = self.record_of(&batch).await;
            let alerts = batch.alerts();
            batch = self.confirmed(batch).await;
            if batch.alerts() == alerts {
                return Some((batch, record));
            }
            self.discard(&record).await;
        }
        None
    }

    /// Writes down what is about to be sent.
    async fn record_of(&self, batch: &Batch) -> CardRecord {
        let name = self.receiver.name.as_str();
        let format = self.receiver.card_format;
        let Some(app_chat) = &self.app_chat else {
            // A custom bot knows no messages by their names; people look up by it what is on them.
            let card = CardId::of_first(name, &batch.items());
            return CardRecord { card, is_kept: false, format, before: None };
        };
        if let Some(card) = &batch.again
            && let Ok(Some(kept)) = app_chat.cards.load(card).await
        {
            return CardRecord { card: card.clone(), is_kept: true, format: kept.format, before: Some(kept) };
        }
        // What an operator wants delivered although it was delivered would else be taken for the message it was delivered by.
        let occasion =
            if batch.is_forced() { runtime::entropy::random::<u64>().to_string() } else { String::new() };
        let pictures = self.context.pictures.keys(&batch.items());
        let items = pictures.on(batch.items());
        let card = CardId::of(name, &items, &occasion);
        let envelopes: Vec<_> = batch.envelopes().iter().map(|in_flight| &in_flight.envelope).collect();
        let is_kept = app_chat.cards.begin(&card, name, &envelopes, &items, format).await;
        CardRecord { card, is_kept, format, before: None }
    }

    /// Makes the pictures of what waits known, as far as that is quick.
    pub(super) async fn fetch_pictures(&self) {
        if self.app_chat.is_none() {
            return;
        }
        let in_flight = self.waiting.iter().chain(self.pieces.iter().flat_map(Batch::envelopes));
        let envelopes: Vec<_> = in_flight.map(|in_flight| &in_flight.envelope).collect();
        let items: Vec<_> = envelopes.iter().flat_map(|envelope| Item::all_of(envelope)).collect();
        self.context.pictures.fetch(&items).await;
    }

    /// Writes down what came of it. A failure is the store's to tell: then the card is not updated later.
    pub(super) async fn keep_page(&self, draft: &CardDraft, sent: &Sent) {
        let (Some(app_chat), true) = (&self.app_chat, draft.record.is_kept) else { return };
        let card = &draft.record.card;
        let _unwritten = match (&sent.verdict, &sent.message_id) {
            (Verdict::Ok, Some(message)) if draft.form.shape != Shape::Text => {
                app_chat.cards.sent(card, message, draft.form.format).await
            }
            // It may have arrived, or is to be sent in another form under the same name.
            (
                Verdict::TryAgain { .. }
                | Verdict::MayHaveArrived { .. }
                | Verdict::Unreachable(_)
                | Verdict::Repair(..),
                _,
            ) => Ok(()),
            // This says nothing about what became of it before.
            (Verdict::SlowDown { .. } | Verdict::Unknown { .. } | Verdict::Broken(_), _)
                if draft.record.before.is_some() =>
            {
                Ok(())
            }
            // It is not there, or is a text, which cannot become a card again.
            (
                Verdict::Ok
                | Verdict::SlowDown { .. }
                | Verdict::Unknown { .. }
                | Verdict::Broken(_)
                | Verdict::GiveUp(_),
                _,
            ) => app_chat.cards.forget(card).await,
        };
    }

    /// It is not sent after all.
    pub(super) async fn discard(&self, record: &CardRecord) {
        if let (Some(app_chat), true) = (&self.app_chat, record.is_kept) {
            let _unwritten = app_chat.cards.forget(&record.card).await;
        }
    }
}
