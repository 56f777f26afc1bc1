//! The pages, each with its data, its drawing and its JSON.

mod action;
mod alert;
mod alerts;
mod audit;
mod card;
mod dead_letter;
mod dead_letters;
mod firing;
mod overview;
mod receiver_tests;
mod receivers;
mod silences;
mod try_it;

pub(crate) use action::action;
pub(crate) use alert::alert;
pub(crate) use alerts::{AlertsView, alerts};
pub(crate) use audit::{AuditView, audit};
pub(crate) use card::{card, card_csv};
pub(crate) use dead_letter::dead_letter;
pub(crate) use dead_letters::{DeadLettersView, dead_letters};
pub(crate) use firing::{FiringView, firing};
pub(crate) use overview::overview;
pub(crate) use receiver_tests::receiver_tests;
pub(crate) use receivers::{ReceiversView, receivers};
pub(crate) use silences::{silence_plan, silences};
pub(crate) use try_it::{TryView, try_it};
