//! How receivers are doing.

use jiff::Timestamp;
use serde::Serialize;

/// How a receiver is doing, in a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthWord {
    /// It takes what it is sent, or nothing was sent yet.
    #[default]
    Healthy,
    /// It said to slow down.
    Throttled,
    /// The last attempts failed, and it is tried again.
    Retrying,
    /// It cannot be reached.
    Unreachable,
    /// It refuses everything until somebody changes something.
    Misconfigured,
}

impl HealthWord {
    /// Whether somebody should know.
    pub const fn is_bad(self) -> bool {
        matches!(self, Self::Unreachable | Self::Misconfigured)
    }
}

/// Where a receiver's cards go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiverKind {
    /// A custom bot of a group.
    #[default]
    CustomBot,
    /// Several custom bots of one group.
    Bots,
    /// A chat of the app's bot.
    AppChat,
    /// Nowhere: they are shown.
    Preview,
}

/// One receiver.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReceiverSummary {
    /// Its name.
    pub name: String,
    /// What the configuration calls it: bots that are each sent every card have one name together.
    pub configured_as: String,
    /// Where its cards go.
    pub kind: ReceiverKind,
    /// How it is doing, as far as this process knows: as well as the best of its bots.
    pub health: HealthWord,
    /// Alerts that wait for it in this process.
    pub alerts_waiting: i64,
    /// How long the oldest alert that waits for it has waited, in seconds, as far as this process knows.
    pub oldest_waiting_s: Option<f64>,
    /// Alerts that are put aside for it, by all workers, as far as the history knows.
    pub alerts_deferred: Option<i64>,
    /// Until when the last of them is.
    pub deferred_until: Option<Timestamp>,
    /// Dead letters that wait for an operator.
    pub dead_letters: Option<i64>,
    /// Cards it takes in a minute, through all of its bots.
    pub cards_per_minute: u32,
    /// Cards of the last minute, by all workers, as far as the history knows.
    pub cards_last_minute: Option<i64>,
    /// When it last took a card of this process.
    pub delivered_at: Option<Timestamp>,
    /// Its bots, where there are several, or the only one.
    pub bots: Vec<BotSummary>,
}

/// A bot.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BotSummary {
    /// Its name; that of the receiver where it is the only one.
    pub name: String,
    /// How it is doing.
    pub health: HealthWord,
    /// Since when, if it is not well.
    pub since: Option<Timestamp>,
    /// What went wrong last.
    pub error: Option<DeliveryError>,
}

/// Something that went wrong at a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeliveryError {
    /// When.
    pub at: Timestamp,
    /// Feishu's code, where it answered with one.
    pub code: Option<i64>,
    /// What was said.
    pub message: String,
    /// What to do about it.
    pub advice: Option<Advice>,
}

/// What to do, in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// In English.
    pub en: &'static str,
    /// In Chinese.
    pub zh: &'static str,
}
