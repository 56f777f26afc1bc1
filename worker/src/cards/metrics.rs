//! What is counted about cards in chats of the app's.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

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
pub(crate) enum Update {
    /// It shows the newest state.
    Shown,
    /// Somebody else has shown it.
    ByOthers,
    /// The message cannot be updated any more: what it should show is told anew.
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

impl Update {
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
        let unkept = Opts::new(
            "cards_unkept_total",
            "Cards to chats of the app that will not be updated, by why they are not kept.",
        );
        let unkept = IntCounterVec::new(unkept.namespace("larkfire"), &["reason"])?;
        registry.register(Box::new(unkept.clone()))?;
        let updates = Opts::new("card_updates_total", "Updates of cards in chats of the app, by outcome.");
        let updates = IntCounterVec::new(updates.namespace("larkfire"), &["outcome"])?;
        for outcome in Update::ALL {
            updates.with_label_values(&[outcome.as_str()]).reset();
        }
        registry.register(Box::new(updates.clone()))?;
        let news = Opts::new("card_over_news_total", "Messages that all of a card is over, by outcome.");
        let news = IntCounterVec::new(news.namespace("larkfire"), &["outcome"])?;
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

    pub(crate) fn updated(&self, outcome: Update) {
        self.updates.with_label_values(&[outcome.as_str()]).inc();
    }

    pub(crate) fn told_over(&self, outcome: News) {
        self.news.with_label_values(&[outcome.as_str()]).inc();
    }
}
