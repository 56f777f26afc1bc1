//! A card's place in the album: written down before the card is sent, and settled by what Feishu says. Only cards in
//! chats of the app's have one.

use shared::queue::Publisher;

use super::Outbox;
use super::fold::Fold;
use super::sending::Draft;
use crate::card::Item;
use crate::cards::{CardId, Kept};
use crate::feishu::verdict::Verdict;
use crate::feishu::{Sent, Shape};

/// A card, and whether it is kept.
pub(super) struct Page {
    pub(super) card: CardId,
    is_kept: bool,
    /// What was on it when it was sent before.
    before: Option<Kept>,
}

impl Page {
    /// What is to be on the card, if that is written down already.
    pub(super) fn items(&self) -> Option<Vec<Item<'_>>> {
        self.before.as_ref().map(Kept::items)
    }

    /// Its name, if it is kept.
    pub(super) fn kept(&self) -> Option<CardId> {
        self.is_kept.then(|| self.card.clone())
    }

    /// Its name, if it may have been in the chat before it was sent this time.
    pub(super) fn under_way(&self) -> Option<CardId> {
        self.before.as_ref().map(|_| self.card.clone())
    }
}

impl<P: Publisher> Outbox<P> {
    /// What of a fold still stands, and the page of that. It is written down before it is looked what stands: whoever
    /// ends an alert in between finds the card, or we see that the alert is over.
    ///
    /// `None` if nothing does.
    pub(super) async fn standing(&self, mut fold: Fold) -> Option<(Fold, Page)> {
        while !fold.is_empty() {
            let (page, alerts) = (self.page_of(&fold).await, fold.alerts());
            fold = self.confirmed(fold).await;
            if fold.alerts() == alerts {
                return Some((fold, page));
            }
            self.tear_out(&page).await;
        }
        None
    }

    /// Writes down what is about to be sent.
    async fn page_of(&self, fold: &Fold) -> Page {
        let name = self.receiver.name.as_str();
        let Some(album) = &self.album else {
            // A custom bot knows no messages by their names.
            return Page { card: CardId::of(name, &[], ""), is_kept: false, before: None };
        };
        if let Some(card) = &fold.again
            && let Ok(Some(kept)) = album.cards.load(card).await
        {
            return Page { card: card.clone(), is_kept: true, before: Some(kept) };
        }
        // What an operator wants told although it was told would else be taken for the message it was told by.
        let occasion = if fold.is_forced() { rand::random::<u64>().to_string() } else { String::new() };
        let items = fold.items();
        let card = CardId::of(name, &items, &occasion);
        let envelopes: Vec<_> = fold.parcels().iter().map(|parcel| &parcel.envelope).collect();
        let is_kept = album.cards.begin(&card, name, (&envelopes, &items)).await;
        Page { card, is_kept, before: None }
    }

    /// Writes down what came of it. A failure is the store's to tell: then the card is not updated later.
    pub(super) async fn keep_page(&self, draft: &Draft, sent: &Sent) {
        let (Some(album), true) = (&self.album, draft.page.is_kept) else { return };
        let card = &draft.page.card;
        let _unwritten = match (&sent.verdict, &sent.message_id) {
            (Verdict::Ok, Some(message)) if draft.form.shape != Shape::Text => {
                album.cards.sent(card, message).await
            }
            // A text cannot become a card again.
            (Verdict::Ok, _) => album.cards.forget(card).await,
            // It may have arrived, or is to be sent in another form under the same name.
            (Verdict::TryAgain { .. } | Verdict::Unreachable(_) | Verdict::Repair(..), _) => Ok(()),
            // This says nothing about what became of it before.
            (Verdict::SlowDown { .. } | Verdict::Broken(_), _) if draft.page.before.is_some() => Ok(()),
            (Verdict::SlowDown { .. } | Verdict::Broken(_) | Verdict::GiveUp(_), _) => {
                album.cards.forget(card).await
            }
        };
    }

    /// It is not sent after all.
    pub(super) async fn tear_out(&self, page: &Page) {
        if let (Some(album), true) = (&self.album, page.is_kept) {
            let _unwritten = album.cards.forget(&page.card).await;
        }
    }
}
