//! Alerts → one card. Pure: the time, the zone, the language and the budget are arguments.
//!
//! What a person sees first is what matters: the header says how bad, what and where; then come the facts all
//! alerts share, then the alerts, worst first, in as much detail as fits; what does not fit is named and counted.

mod escape;
mod fit;
mod header;
mod links;
mod model;
mod parts;
mod plain;
mod severity;
mod story;
#[cfg(test)]
mod tests;
mod times;
mod words;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::config::Locale;
use shared::envelope::Envelope;

pub use model::{Button, Card, Config, Element, Field, Header, Template, Text};
pub use plain::{TEXT_BYTES_MAX, unmarked};

use story::Story;
use words::Words;

/// How cards look for everybody.
#[derive(Clone, Debug)]
pub struct Style {
    /// The zone times are shown in.
    pub timezone: TimeZone,
    /// The language.
    pub locale: Locale,
}

/// The card for an envelope, at most `bytes_max` long as JSON.
pub fn build(items: &[Item<'_>], style: &Style, now: Timestamp, bytes_max: usize) -> Card {
    fit::within(&View::new(items[0].envelope, style, now), bytes_max)
}

/// The same as plain text, for a receiver that does not take the card.
pub fn text(items: &[Item<'_>], style: &Style, now: Timestamp) -> String {
    plain::text(&View::new(items[0].envelope, style, now))
}

#[derive(Clone, Copy)]
pub struct Item<'e> {
    pub envelope: &'e Envelope<'e>,
    pub alert: &'e shared::alert::Alert<'e>,
    pub reminder: bool,
}

/// An envelope, looked at with a reader in mind.
struct View<'e> {
    envelope: &'e Envelope<'e>,
    stories: Vec<Story<'e>>,
    /// Facts that are the same for every alert, said once.
    shared_facts: Vec<(&'e str, &'e str)>,
    words: &'static Words,
    timezone: &'e TimeZone,
    now: Timestamp,
}

impl<'e> View<'e> {
    fn new(envelope: &'e Envelope<'e>, style: &'e Style, now: Timestamp) -> Self {
        let mut stories: Vec<_> =
            envelope.alerts.iter().map(|alert| Story::of(alert, envelope.source)).collect();
        // Stable, so alerts that are equally bad keep the order they came in.
        stories.sort_by_key(Story::rank);
        let shared_facts = story::take_shared(&mut stories);
        let (words, timezone) = (words::of(style.locale), &style.timezone);
        Self { envelope, stories, shared_facts, words, timezone, now }
    }
}
