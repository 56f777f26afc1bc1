//! What the pages show, as plain data: it says nothing of where it comes from. Each type is also the page's JSON.

mod alerts;
mod cards;
mod dead_letters;
mod firing;
mod overview;
mod receivers;

pub use alerts::{AlertEvent, AlertLife, AlertPage};
pub use cards::{CardAlert, CardDetail};
pub use dead_letters::{
    ActionDetail, ActionRow, ChosenLetters, DeadLetterAction, DeadLetterAlert, DeadLetterCount,
    DeadLetterDetail, DeadLetterOrder, DeadLetterPage, DeadLetterRow,
};
pub use firing::{FiringAlert, FiringAlerts};
pub use overview::{LatencyQuantiles, MinuteCounts, Overview, WorkerProcess};
pub use receivers::{Advice, BotSummary, DeliveryError, HealthWord, ReceiverKind, ReceiverSummary};
