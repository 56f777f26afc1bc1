//! Alerts → one card. Pure: the time, the zone, the language and the budget are arguments.
//!
//! What a person sees first is what matters: the header says how bad, what and where; then come the facts all
//! alerts share, then the alerts, worst first, in as much detail as fits; what does not fit is counted by name, and
//! what is too much even for that is summed up. Whatever waits for a receiver can be told on one card, however many
//! envelopes it came in: every alert is in exactly one of these numbers.

mod attention;
mod escape;
mod fit;
mod fold;
mod header;
mod item;
mod links;
mod model;
mod origin;
mod owners;
mod parts;
mod plain;
mod rest;
mod severity;
mod sign;
mod story;
#[cfg(test)]
mod tests;
mod times;
mod wording;
mod words;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::config::{LinksConfig, Locale};

pub use attention::{Acknowledged, Attention, Silenced};
pub use item::Item;
pub use model::{Button, Card, Config, Element, Field, Header, Template, Text};
pub use plain::{TEXT_BYTES_MAX, unmarked};
pub use wording::{FUEL, Fault, OUTPUT_BYTES_MAX, Part, Worded, Wording, WordingError};

use fold::Fold;
use origin::Origin;
use story::Story;
use words::Words;

use crate::owner::roster::Roster;

/// How cards look for everybody.
#[derive(Clone, Debug)]
pub struct Style {
    /// The zone times are shown in.
    pub timezone: TimeZone,
    /// The language.
    pub locale: Locale,
    /// Where links lead.
    pub links: LinksConfig,
}

/// What stands on a card besides its alerts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Besides<'b> {
    /// A row of buttons of the card's own, at its end.
    pub buttons: &'b [Button],
    /// Whose alerts they are.
    pub owners: Option<&'b Roster>,
    /// Words of one's own, in place of the built-in ones.
    pub worded: Option<&'b Worded<'b>>,
}

/// The card for these alerts, at most `bytes_max` long as JSON; the title and the numbers, which take about a
/// kilobyte, are on it in any case. Without items there is nothing to say, and the card is empty.
pub fn build(items: &[Item<'_>], style: &Style, now: Timestamp, bytes_max: usize) -> Card {
    build_with(items, style, (now, bytes_max), Besides::default())
}

/// The same with what stands on it besides its alerts, for which there is room in any case.
pub fn build_with(
    items: &[Item<'_>],
    style: &Style,
    (now, bytes_max): (Timestamp, usize),
    besides: Besides<'_>,
) -> Card {
    fit::within(&View::new(items, style, now, besides), bytes_max)
}

/// The title of that card, as plain text.
pub fn title(items: &[Item<'_>], style: &Style, now: Timestamp, besides: Besides<'_>) -> String {
    escape::untagged(&header::title(&View::new(items, style, now, besides)))
}

/// The same as plain text, at most [`TEXT_BYTES_MAX`] long, for a receiver that does not take the card.
pub fn text(items: &[Item<'_>], style: &Style, now: Timestamp) -> String {
    text_with(items, style, now, Besides::default())
}

/// The same with what stands in it besides its alerts; a text has no buttons.
pub fn text_with(items: &[Item<'_>], style: &Style, now: Timestamp, besides: Besides<'_>) -> String {
    plain::text(&View::new(items, style, now, besides))
}

/// Something from an alert on one line of a plain text, with nothing in it that Feishu would take for a mention.
pub(crate) fn plain_line(text: &str, characters_max: usize) -> String {
    escape::untagged(&escape::clean_line(text, characters_max))
}

/// A time as cards show it.
pub(crate) fn shown_time(at: Timestamp, style: &Style) -> String {
    times::shown(at, &style.timezone)
}

/// Alerts, looked at with a reader in mind.
struct View<'e> {
    items: &'e [Item<'e>],
    fold: Fold<'e>,
    /// The worst of them, as told in detail. Nobody else gets a story: of ten thousand that would be slow.
    stories: Vec<Story<'e>>,
    /// Facts that are the same for every alert, said once.
    shared_facts: Vec<(&'e str, &'e str)>,
    /// `None` without items.
    origin: Option<Origin>,
    words: &'static Words,
    timezone: &'e TimeZone,
    links: &'e LinksConfig,
    besides: Besides<'e>,
    /// In words of one's own; `None`: in the built-in ones.
    title: Option<String>,
    now: Timestamp,
}

impl<'e> View<'e> {
    fn new(items: &'e [Item<'e>], style: &'e Style, now: Timestamp, besides: Besides<'e>) -> Self {
        let fold = Fold::of(items);
        let mut stories: Vec<_> = fold.worst.iter().map(|item| Story::of(*item)).collect();
        let shared_facts = story::take_shared(&mut stories, items);
        let (words, timezone) = (words::of(style.locale), &style.timezone);
        let mut view = Self {
            items,
            fold,
            stories,
            shared_facts,
            origin: Origin::of(items, &style.links),
            words,
            timezone,
            links: &style.links,
            besides,
            title: None,
            now,
        };
        if let Some(worded) = besides.worded {
            view.title = worded.title(&view);
            let bodies = worded.bodies(&view);
            view.stories.iter_mut().zip(bodies).for_each(|(story, body)| story.body = body);
        }
        view
    }

    /// Whether the words of one's own have a place for the links, and so the card has none.
    fn places_links(&self) -> bool {
        self.besides.worded.is_some_and(Worded::places_links)
    }
}
