//! What is kept for a time is forgotten: soon after the start and then again and again, all that is due, in small steps. Beside
//! everything else, because a table that was not looked after for long takes a while.

use std::sync::Arc;
use std::time::Duration;

use runtime::lifecycle::Lifecycle;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::card_store::Cards;
use crate::dead_letters::{DeadLetters, SETTLED_KEPT};
use crate::escalation::Escalations;
use crate::fallbacks::Fallbacks;
use crate::firing::Firing;
use crate::history::History;
use crate::interactions::PastInteractions;
use crate::ledger::Ledger;
use crate::oncall::OnCall;
use crate::sent_cards::SentCards;
use crate::store::{Store, StoreError};
use crate::summarised::SummarisedAlerts;

/// How soon after the start: a process that is restarted every hour cleans as well.
const FIRST_AFTER: Duration = Duration::from_mins(1);
/// How often.
const EVERY: Duration = Duration::from_mins(10);

/// Whatever is forgotten after some time.
pub(crate) struct KeptForTime {
    pub(crate) store: Store,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) cards: Cards,
    pub(crate) firing: Firing,
    pub(crate) summarised: SummarisedAlerts,
    pub(crate) fallbacks: Fallbacks,
    pub(crate) escalations: Escalations,
    pub(crate) oncall: OnCall,
    pub(crate) letters: DeadLetters,
    pub(crate) history: History,
    pub(crate) sent_cards: SentCards,
    pub(crate) interactions: PastInteractions,
}

impl KeptForTime {
    /// Cleans until the stop.
    pub(crate) async fn keep_clean(self, lifecycle: Lifecycle) {
        let mut pause = FIRST_AFTER;
        while lifecycle.stop.run_until_cancelled(sleep(pause)).await.is_some() {
            let cleaned = lifecycle.stop.run_until_cancelled(Box::pin(self.clean())).await;
            if let Some(Err(error)) = cleaned {
                warn!(%error, "what is old is kept a little longer");
            }
            pause = EVERY;
        }
    }

    /// By the ledger it is known what is over, so it comes after what asks it.
    async fn clean(&self) -> Result<(), StoreError> {
        self.firing.clean().await?;
        self.ledger.clean().await?;
        self.cards.clean().await?;
        self.summarised.clean().await?;
        self.fallbacks.clean().await?;
        self.escalations.clean().await?;
        self.oncall.clean().await?;
        self.history.clean().await?;
        self.sent_cards.clean().await?;
        self.interactions.clean().await?;
        let letters = self.letters.clean().await?;
        if letters > 0 {
            let days = SETTLED_KEPT.as_secs() / 86_400;
            info!(letters, days, "forgot dead letters that were replayed or discarded long ago");
        }
        self.store.shrink().await
    }
}
