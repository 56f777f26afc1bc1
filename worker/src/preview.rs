//! The receiver for as long as no webhook is configured: keeps the newest cards, prints them, shows them on a page.

mod page;
mod terminal;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use runtime::plain::{Layout, PlainWriter};
use serde::Serialize;

use crate::feishu::CardContent;
use crate::render::Card;

pub use page::PreviewPage;
pub use terminal::{Colours, render};

/// Cards kept for the page; the oldest goes when a new one comes.
const CARDS_KEPT_MAX: usize = 50;

/// The preview. Clones show the same cards.
#[derive(Clone, Debug, Default)]
pub struct Preview(Arc<Mutex<VecDeque<Shown>>>);

/// A card that was shown.
#[derive(Clone, Debug, Serialize)]
struct Shown {
    at: Timestamp,
    /// In the format that is configured.
    card: Card,
    /// The same alerts in the other one.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<Card>,
}

impl Preview {
    /// Prints the message and keeps it for the page if it is a card; the preview refuses none, so it always is.
    pub(crate) fn show(&self, content: &CardContent, now: Timestamp) {
        let stdout = io::stdout();
        let colours = Colours::of(&stdout);
        let shown = match content {
            CardContent::Card(card) => Shown { at: now, card: Card::clone(card), other: None },
            CardContent::Previewed(cards) => {
                let [card, other] = cards.as_ref().clone();
                Shown { at: now, card, other: Some(other) }
            }
            CardContent::Text(text) => return print(text, colours),
        };
        print(&render(&shown.card, colours), colours);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(CARDS_KEPT_MAX - 1);
        kept.push_front(shown);
    }

    /// The newest cards as JSON, newest first.
    fn json(&self) -> Vec<u8> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_vec(&*kept).unwrap_or_default()
    }
}

/// A terminal that is gone is no reason to stop: the page shows the card as well.
fn print(text: &str, colours: Colours) {
    let mut out = PlainWriter::new(io::stdout().lock(), Layout::Lines, colours.into());
    let _terminal_gone = writeln!(out, "{text}");
}
