//! The operators' console: pages on the admin port that say how alerts fare and let people act, and the same as JSON.
//!
//! It knows neither the database nor Feishu: what it shows it asks of [`ConsoleReads`](backend::ConsoleReads), what is done
//! it hands to [`ConsoleActs`](backend::ConsoleActs), who looks at it is [`Access`](access::Access)'s to say.

pub mod access;
mod answer;
mod assets;
pub mod backend;
mod console;
pub mod data;
mod document;
pub mod entrance;
mod frame;
mod handling;
mod language;
mod links;
mod pages;
mod parts;
mod request;
mod route;
mod shared_sheets;

pub use assets::{CARD_SCRIPT, CARD_STYLE};
pub use console::{Console, ConsoleParts};
