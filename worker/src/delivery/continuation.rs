//! Further cards that list what a card before them could only count: by setting, and only when there is nothing else to
//! do. Whatever becomes of one, its alerts stand on a card that counts them, so nothing waits for it and nothing is
//! tried again: where it cannot be sent they are `summarised`.

use tokio::time::Instant;

use super::batch::{Batch, Continues, SentCard};
use super::card_draft::CardDraft;
use super::delivered::By;
use super::health::ReceiverHealth;
use super::outbox::Outbox;
use crate::feishu::verdict::Verdict;
use crate::render::CardPart;

impl Outbox {
    /// Which of several cards this one is, and whether another may follow.
    pub(super) fn part_of(&self, batch: &Batch) -> CardPart {
        let number = batch.continues.as_ref().map_or(1, |continues| continues.number);
        let is_free = batch.for_bot.is_none() && !batch.is_under_way();
        CardPart { number, may_go_on: is_free && number <= self.context.delivery.continuation_cards }
    }

    /// What the card that was accepted lists; and what it only counts, to go onto a further one, if there may be one.
    pub(super) fn parted(&self, mut batch: Batch, draft: CardDraft) -> (Batch, Option<Batch>) {
        let CardPart { number, may_go_on } = self.part_of(&batch);
        let sent = draft.sent_by(self.receiver.bot_name(self.bots.at()));
        if sent.summarised.is_empty() || !may_go_on {
            batch.sent = Some(sent);
            return (batch, None);
        }
        let mut listed = Vec::new();
        let mut unlisted = Vec::new();
        for in_flight in batch.into_envelopes() {
            let alerts = in_flight.envelope.alerts.iter();
            let is_unlisted = alerts.map(|alert| sent.only_counts(alert.fingerprint.as_str())).collect();
            for (is_unlisted, part) in in_flight.take_apart(is_unlisted) {
                if is_unlisted { &mut unlisted } else { &mut listed }.push(part);
            }
        }
        let mut rest = Batch::of(unlisted);
        if listed.is_empty() {
            // No name found room: another card would not do better.
            rest.sent = Some(sent);
            return (rest, None);
        }
        rest.is_piece = true;
        let SentCard { card, message, bot, .. } = sent;
        let number = number + 1;
        rest.continues =
            Some(Continues { card: card.clone(), message: message.clone(), bot: bot.clone(), number });
        let mut listed = Batch::of(listed);
        listed.sent = Some(SentCard { card, message, bot, summarised: Vec::new() });
        (listed, Some(rest))
    }

    /// A further card goes last: it is not sent where something new waits, or the receiver does not take cards.
    pub(super) async fn end_continuation_unless_calm(&mut self) {
        let now = Instant::now();
        let is_rough = self.bots.health(now).and_then(ReceiverHealth::until).is_some_and(|until| until > now);
        let is_busy = !self.waiting.is_empty() || !self.pieces.is_empty();
        if (is_rough || is_busy || self.context.lifecycle.stop.is_cancelled())
            && let Some(batch) = self.continuation.take()
        {
            self.end_continuation(batch).await;
        }
    }

    /// Whether this answer is the end of a further card, which is not tried again.
    pub(super) fn is_end_of_continuation(batch: &Batch, verdict: &Verdict) -> bool {
        batch.continues.is_some() && !matches!(verdict, Verdict::Ok | Verdict::Repair(..))
    }

    /// It is not sent: its alerts are on the card that counts them.
    pub(super) async fn end_continuation(&self, mut batch: Batch) {
        let Some(continues) = batch.continues.take() else { return };
        let items = batch.items();
        let fingerprints = items.iter().map(|item| item.alert.fingerprint.as_str().to_owned());
        let sent = SentCard::counting(continues, fingerprints.collect());
        batch.sent = Some(sent);
        self.context.delivered(&self.receiver.name, batch, By::Count).await;
    }
}
