//! The cards in chats of the app's, from before they are sent until nothing about them can change any more: one alert,
//! one card, its whole life.
//!
//! A card is written down before it is sent, so that after a crash it is sent again as the same message; and it is
//! changed in the database first and in the chat then, so that whoever updates the message shows the newest state.

mod cards;
mod metrics;
mod refresh;
mod state;
mod stored;
mod unheard;

use std::time::Duration;

pub use cards::{Cards, UpdateLease, Whereabouts};

pub use metrics::CardMetrics;
pub(crate) use refresh::{RefreshDeps, Refreshed, Refresher};

pub use state::{CardChange, Mark, States};
pub use stored::{CardId, StoredCard};
pub use unheard::{LOOK_EVERY, LOOKED_AT_AFTER, LOOKED_AT_MAX, Unheard};

/// How many alerts a card may have to be kept. Beyond, as in a storm, the end of its alerts is delivered on a new card.
pub const ALERTS_MAX: usize = 500;
/// How much of alerts is kept of one card, in bytes; beyond, the same.
pub(crate) const CONTENT_BYTES_MAX: usize = 512 * 1024;
/// How many cards of one alert are followed, the newest first: each reminder is a further one.
pub const CARDS_PER_ALERT_MAX: usize = 8;

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
