//! What is done once alerts are delivered: it is recorded, counted, logged and settled.

use std::time::Duration;

use tracing::info;

use super::batch::Batch;
use super::context::DeliveryContext;
use crate::escalation::ToldCard;
use crate::feishu::MessageId;
use crate::metrics::Outcome;

/// How alerts were delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By a card of their own.
    Card,
    /// By an update of the card they were on already.
    Update,
    /// It turned out that a card delivered them before.
    Before,
    /// A card counts them, and no further one lists them.
    Count,
}

impl By {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Update => "update",
            Self::Before => "earlier_card",
            Self::Count => "count",
        }
    }
}

impl DeliveryContext {
    /// Writes down that Feishu has it, before it is settled: what comes again is known then, and would not be kept.
    async fn record(&self, receiver: &str, batch: &Batch, by: By) {
        let claims = batch.claims(receiver);
        if !matches!(by, By::Card | By::Count) {
            return self.ledger.delivered(&claims).await;
        }
        let items = batch.items();
        let summarised = batch.summarised_items();
        let keep_summarised = async {
            if let Some(sent) = batch.sent.as_ref() {
                self.summarised.keep(sent.card.as_str(), receiver, &summarised).await;
            }
        };
        // Before the ledger has it: whoever dies in between has it delivered again, and nothing is forgotten.
        if let Some(sent) = batch.sent.as_ref() {
            let message = sent.message.as_ref().map(MessageId::as_str);
            let told = ToldCard { receiver, card: sent.card.as_str(), message };
            self.escalations.begin(told, &items, &self.routes.now()).await;
        }
        tokio::join!(
            self.ledger.delivered(&claims),
            self.firing.keep(receiver, &items),
            self.fallbacks.keep(receiver, &items),
            self.storms.add(receiver, i64::from(by == By::Card), &items),
            keep_summarised
        );
    }

    /// Feishu has it.
    pub(super) async fn delivered(&self, receiver: &str, mut batch: Batch, by: By) {
        self.end_where_told(receiver, &batch).await;
        self.record(receiver, &batch, by).await;
        let now = self.clock.now();
        let envelopes = batch.envelopes().len();
        let alerts = batch.alerts();
        if by == By::Card {
            self.metrics.card(receiver, alerts);
        }
        let mut longest = Duration::ZERO;
        let shown = batch.shown();
        self.note_delivered(receiver, &batch, &shown);
        let sent = batch.sent.take();
        let bot = sent.as_ref().map(|sent| sent.bot.as_str());
        let card = sent.as_ref().map(|sent| sent.card.as_str());
        for (in_flight, shown) in batch.into_envelopes().into_iter().zip(shown) {
            let waited =
                Duration::try_from(now.duration_since(in_flight.envelope.received_at)).unwrap_or_default();
            longest = longest.max(waited);
            self.metrics.end_to_end.observe(waited.as_secs_f64());
            let attempts = in_flight.tries.attempts();
            let delivered = shown.iter().filter(|is_shown| **is_shown).count();
            let of_card = in_flight.envelope.alerts.iter().zip(&shown).filter(|(_, is_shown)| **is_shown);
            let only_counted = sent.as_ref().map_or(0, |sent| {
                of_card.filter(|(alert, _)| sent.only_counts(alert.fingerprint.as_str())).count()
            });
            info!(
                outcome = outcome_of(delivered, only_counted).as_str(),
                envelope.id = %in_flight.envelope.id,
                alert.name = in_flight.first_name(),
                alerts = shown.len(),
                receiver,
                bot,
                card,
                attempts,
                "envelope delivered"
            );
            in_flight.share.count(Outcome::Delivered, delivered - only_counted);
            in_flight.share.count(Outcome::Summarised, only_counted);
            in_flight.share.count(Outcome::Duplicate, shown.len() - delivered);
            in_flight.settle();
        }
        info!(
            outcome = Outcome::Delivered.as_str(),
            receiver,
            bot,
            card,
            envelopes,
            alerts,
            summarised = sent.as_ref().map(|sent| sent.summarised.len()).filter(|alerts| *alerts > 0),
            by = by.as_str(),
            end_to_end_ms = longest.as_millis(),
            "delivered"
        );
    }
}

/// How most of what is best of an envelope ended.
fn outcome_of(delivered: usize, only_counted: usize) -> Outcome {
    match (delivered - only_counted, only_counted) {
        (1.., _) => Outcome::Delivered,
        (0, 1..) => Outcome::Summarised,
        (0, 0) => Outcome::Duplicate,
    }
}
