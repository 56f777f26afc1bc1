//! What the pages show, as plain data: it says nothing of where it comes from. Each type is also the page's JSON.

mod alerts;
mod cards;
mod dead_letters;
mod firing;
mod overview;
mod receiver_tests;
mod receivers;
mod silences;

pub use alerts::{AlertEvent, AlertLife, AlertPage, AlertStanding, AlertWait, LogLink};
pub use cards::{CardAlert, CardDetail};
pub use dead_letters::{
    ActionDetail, ActionRow, ChosenLetters, DeadLetterAction, DeadLetterAlert, DeadLetterCount,
    DeadLetterDetail, DeadLetterOrder, DeadLetterPage, DeadLetterRow,
};
pub use firing::{FiringAlert, FiringAlerts};
pub use overview::{LatencyQuantiles, MinuteCounts, Overview, WorkerProcess};
pub use receiver_tests::{ReceiverTests, TestAlert, TestOrder, TestState};
pub use receivers::{Advice, BotSummary, DeliveryError, HealthWord, ReceiverKind, ReceiverSummary};
pub use silences::{
    AlertmanagerSilences, SilenceEnd, SilenceHit, SilenceOrder, SilencePlan, SilenceQuestion, SilenceRow,
    Silences,
};
