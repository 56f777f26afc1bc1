//! The cards in chats of the app's, from before they are sent until nothing about them can change any more: one alert,
//! one card, its whole life.
//!
//! A card is written down before it is sent, so that after a crash it is sent again as the same message; and it is
//! changed in the database first and in the chat then, so that whoever updates the message shows the newest state.

mod change;
mod clean;
mod find;
mod firing;
mod keep;
mod kept;
mod lease;
mod metrics;
mod refresh;
pub(crate) mod schema;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use shared::clock::Clock;
use tokio::sync::Notify;

use crate::card::{Button, Item};
use crate::interaction::Buttons;
use crate::store::Store;
pub(crate) use find::Whereabouts;
pub(crate) use kept::{CardId, Kept};
pub use metrics::CardMetrics;
pub(crate) use refresh::{Refreshed, Refresher, Tools};
pub(crate) use state::Change;
pub use state::Mark;

/// How many alerts a card may have to be kept. Beyond, as in a storm, the end of its alerts is told on a new card.
pub(crate) const ALERTS_MAX: usize = 500;
/// How much of alerts is kept of one card, in bytes; beyond, the same.
pub(crate) const CONTENT_BYTES_MAX: usize = 512 * 1024;
/// How long Feishu lets a card be updated: 14 days (reference "Feishu", 4.5), less what clocks may differ.
pub(crate) const UPDATABLE: Duration = Duration::from_hours(14 * 24 - 1);
/// How long Feishu knows a message by its `uuid`: an hour (4.2), less what a request and different clocks may take.
/// What was begun longer ago and never finished is told anew.
pub(crate) const ONCE_WITHIN: Duration = Duration::from_mins(50);
/// How many cards of one alert are followed, the newest first: each reminder is a further one.
pub(crate) const CARDS_PER_ALERT_MAX: usize = 8;

/// The cards in the database. Clones share it.
#[derive(Clone, Debug)]
pub struct Cards {
    store: Store,
    clock: Clock,
    /// Somebody has changed a card that is to be shown anew.
    changed: Arc<Notify>,
    metrics: CardMetrics,
    /// What people can press on them.
    buttons: Option<Arc<Buttons>>,
}

impl Cards {
    /// Those in this database.
    pub fn new(store: Store, clock: Clock, metrics: CardMetrics) -> Self {
        Self { store, clock, changed: Arc::default(), metrics, buttons: None }
    }

    /// The same, with these buttons on them.
    pub(crate) fn with_buttons(self, buttons: Option<Buttons>) -> Self {
        Self { buttons: buttons.map(Arc::new), ..self }
    }

    /// The buttons of a card that shows these alerts.
    pub(crate) fn buttons(&self, receiver: &str, card: &CardId, items: &[Item<'_>]) -> Vec<Button> {
        let buttons = self.buttons.as_ref();
        buttons
            .map(|buttons| buttons.of((receiver, card.as_str()), items, self.clock.now()))
            .unwrap_or_default()
    }

    /// Returns once a card was changed by this process.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
