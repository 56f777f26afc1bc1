//! What is done once alerts are told: it is recorded, counted, logged and settled.

use std::time::Duration;

use shared::queue::Publisher;
use tracing::{debug, info};

use super::fold::Fold;
use crate::metrics::Outcome;
use crate::pipeline::House;

/// How alerts were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By a card of their own.
    Card,
    /// By an update of the card they were on already.
    Update,
    /// It turned out that a card told them before.
    Before,
}

impl By {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "on one card",
            Self::Update => "by an update of their card",
            Self::Before => "before",
        }
    }
}

impl<P: Publisher> House<P> {
    /// Feishu has it.
    pub(super) async fn told(&self, receiver: &str, fold: Fold, by: By) {
        self.ledger.told(&fold.claims(receiver)).await;
        let now = self.clock.now();
        let (envelopes, alerts) = (fold.parcels().len(), fold.alerts());
        if by == By::Card {
            self.metrics.card(alerts);
        }
        let mut longest = Duration::ZERO;
        let first = fold.parcels().first().map(|parcel| parcel.envelope.id);
        let shown = fold.shown();
        for (parcel, shown) in fold.into_parcels().into_iter().zip(shown) {
            let waited =
                Duration::try_from(now.duration_since(parcel.envelope.received_at)).unwrap_or_default();
            longest = longest.max(waited);
            self.metrics.end_to_end.observe(waited.as_secs_f64());
            let (id, attempts) = (parcel.envelope.id, parcel.tries.attempts());
            debug!(envelope.id = %id, receiver, attempts, "told {receiver} of envelope {id}");
            let told = shown.iter().filter(|is_shown| **is_shown).count();
            parcel.share.count(Outcome::Told, told);
            parcel.share.count(Outcome::Known, shown.len() - told);
            parcel.settle();
        }
        let (end_to_end_ms, how) = (longest.as_millis(), by.as_str());
        match first {
            Some(id) if envelopes == 1 && by == By::Card => info!(
                envelope.id = %id, receiver, alerts, end_to_end_ms, "told {receiver} of envelope {id}"
            ),
            _ => info!(
                receiver,
                envelopes,
                alerts,
                end_to_end_ms,
                "told {receiver} of {alerts} alerts in {envelopes} envelopes {how}"
            ),
        }
    }
}
