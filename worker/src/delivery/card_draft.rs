//! A card before it is sent, and its record in the database.

use config::CardFormat;

use super::batch::SentCard;
use crate::card_store::{CardId, StoredCard};
use crate::feishu::{CardContent, Form, MessageId};
use crate::people::mentions::Mentions;
use crate::render::{Card, Item, Rendered};

/// What is sent, and what was already done to it.
pub(super) struct CardDraft {
    pub(super) form: Form,
    pub(super) content: CardContent,
    /// The fingerprints of the alerts that it only counts, in order.
    pub(super) summarised: Vec<String>,
    pub(super) record: CardRecord,
    /// The message it is in, once Feishu has taken it.
    pub(super) message: Option<MessageId>,
    /// Whose alerts they are.
    pub(super) owners: Mentions,
    /// The card that was refused first, once there is one.
    pub(super) refused: Option<Box<Card>>,
    pub(super) signed_again: bool,
}

/// What is sent, and the fingerprints of the alerts that it only counts, in order.
pub(super) struct DraftContent {
    pub(super) content: CardContent,
    pub(super) summarised: Vec<String>,
}

impl DraftContent {
    pub(super) fn of(rendered: Rendered<CardContent>, items: &[Item<'_>]) -> Self {
        let summarised = rendered.summarised.into_iter().filter_map(|position| items.get(position));
        let mut summarised: Vec<_> =
            summarised.map(|item| item.alert.fingerprint.as_str().to_owned()).collect();
        summarised.sort_unstable();
        Self { content: rendered.content, summarised }
    }
}

impl CardDraft {
    /// One to which nothing was done yet.
    pub(super) fn of(form: Form, content: DraftContent, record: CardRecord, owners: Mentions) -> Self {
        let DraftContent { content, summarised } = content;
        let message = None;
        let refused = None;
        Self { form, content, summarised, record, message, owners, refused, signed_again: false }
    }

    /// It was taken, sent by this bot.
    pub(super) fn sent_by(self, bot: &str) -> SentCard {
        let Self { record, message, summarised, .. } = self;
        SentCard { card: record.card, message, bot: bot.to_owned(), summarised }
    }
}

/// A card, and whether it is kept.
pub(super) struct CardRecord {
    pub(super) card: CardId,
    pub(super) is_kept: bool,
    /// What it is written in: as at the first try.
    pub(super) format: CardFormat,
    /// What was on it when it was sent before.
    pub(super) before: Option<StoredCard>,
}

impl CardRecord {
    /// What is to be on the card, if that is written down already.
    pub(super) fn items(&self) -> Option<Vec<Item<'_>>> {
        self.before.as_ref().map(StoredCard::items)
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
