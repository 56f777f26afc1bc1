//! A card as it is sent, and how long it is then. Pure.

use std::io;

use serde::{Serialize, Serializer};

use super::card::{Card, Element};
use super::json1::{Json1Card, Json1Elements};

impl Serialize for Card {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Json1Card::of(self, false).serialize(serializer)
    }
}

/// A card that can be updated later.
pub struct SharedCard<'c>(pub &'c Card);

impl Serialize for SharedCard<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Json1Card::of(self.0, true).serialize(serializer)
    }
}

/// Bytes of the card as JSON.
pub(super) fn length(card: &Card) -> usize {
    bytes(card)
}

/// Bytes the elements add to a card, a comma for each included.
pub(super) fn lengths(elements: &[Element]) -> usize {
    if elements.is_empty() {
        return 0;
    }
    // Two brackets, and a comma less than elements.
    bytes(&Json1Elements(elements)).saturating_sub(1)
}

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
