//! What is counted about cards in chats of the app's.

use prometheus::{IntCounter, IntCounterVec, Registry};
use runtime::metrics::delivery;

/// Counters, shown by one registry.
#[derive(Clone, Debug)]
pub struct CardMetrics {
    pub(super) too_large: IntCounter,
    pub(super) unwritten: IntCounter,
    updates: IntCounterVec,
    news: IntCounterVec,
}

/// What came of an update of a card's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CardUpdate {
    /// It shows the newest state.
    Shown,
    /// Somebody else has shown it.
    ByOthers,
    /// The message cannot be updated any more: what it should show is delivered on a new card.
    Lost,
    /// It failed, and is tried again.
    Failed,
}

/// What came of the word that all of a card is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It is in the chat.
    Sent,
    /// There was no room for it: other cards go first.
    Skipped,
    /// Feishu did not take it.
    Failed,
}

impl CardUpdate {
    const ALL: [Self; 4] = [Self::Shown, Self::ByOthers, Self::Lost, Self::Failed];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::ByOthers => "by_others",
            Self::Lost => "lost",
            Self::Failed => "failed",
        }
    }
}

impl News {
    const ALL: [Self; 3] = [Self::Sent, Self::Skipped, Self::Failed];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

impl CardMetrics {
    /// Counters, shown by `registry`.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let unkept = delivery::CARDS_UNKEPT.counters()?;
        registry.register(Box::new(unkept.clone()))?;
        let updates = delivery::CARD_UPDATES.counters()?;
        for outcome in CardUpdate::ALL {
            updates.with_label_values(&[outcome.as_str()]).reset();
        }
        registry.register(Box::new(updates.clone()))?;
        let news = delivery::CARD_OVER_NEWS.counters()?;
        for outcome in News::ALL {
            news.with_label_values(&[outcome.as_str()]).reset();
        }
        registry.register(Box::new(news.clone()))?;
        Ok(Self {
            too_large: unkept.with_label_values(&["too_large"]),
            unwritten: unkept.with_label_values(&["store"]),
            updates,
            news,
        })
    }

    pub(crate) fn updated(&self, outcome: CardUpdate) {
        self.updates.with_label_values(&[outcome.as_str()]).inc();
    }

    pub(crate) fn end_news(&self, outcome: News) {
        self.news.with_label_values(&[outcome.as_str()]).inc();
    }
}
