//! A card in the format it is sent in, and how long it is then. Pure.

use std::io;

use config::CardFormat;
use serde::{Serialize, Serializer};

use super::card::{Card, Element};
use super::json1::{Json1Card, Json1Elements};
use super::json2::{Json2Card, Json2Elements};

impl Serialize for Card {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.format {
            CardFormat::V1 => Json1Card::of(self, false).serialize(serializer),
            CardFormat::V2 => Json2Card::of(self).serialize(serializer),
        }
    }
}

/// A card that can be updated later.
pub struct SharedCard<'c>(pub &'c Card);

impl Serialize for SharedCard<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.format {
            CardFormat::V1 => Json1Card::of(self.0, true).serialize(serializer),
            // Any card of 2.0 can.
            CardFormat::V2 => self.0.serialize(serializer),
        }
    }
}

/// Bytes of the card as JSON.
pub(super) fn length(card: &Card) -> usize {
    bytes(card)
}

/// Bytes the elements add to a card of this format, a comma for each included.
pub(super) fn lengths(format: CardFormat, elements: &[Element]) -> usize {
    if elements.is_empty() {
        return 0;
    }
    let list = match format {
        CardFormat::V1 => bytes(&Json1Elements(elements)),
        CardFormat::V2 => bytes(&Json2Elements(elements)),
    };
    // Two brackets, and a comma less than elements.
    list.saturating_sub(1)
}

/// How many tagged objects the elements are: what a limit of 2.0 counts (reference "Feishu", 3.1).
pub(super) fn tags(format: CardFormat, elements: &[Element]) -> usize {
    match format {
        // It has no such limit.
        CardFormat::V1 => 0,
        CardFormat::V2 => {
            let json = serde_json::to_vec(&Json2Elements(elements)).unwrap_or_default();
            // In a text the quotation marks would be escaped.
            json.windows(TAG.len()).filter(|bytes| *bytes == TAG).count()
        }
    }
}

const TAG: &[u8] = b"\"tag\":";

fn bytes(value: &impl Serialize) -> usize {
    let mut counter = ByteCounter(0);
    // Strings and flags only: there is nothing the serialiser could refuse.
    serde_json::to_writer(&mut counter, value).map_or(usize::MAX / 4, |()| counter.0)
}

/// Counts what is written.
struct ByteCounter(usize);

impl io::Write for ByteCounter {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        self.0 += written.len();
        Ok(written.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
