//! Alerts → one card. Pure: the time, the zone, the language and the budget are arguments.
//!
//! What a person sees first is what matters: the header says how bad, what and where; then come the facts all
//! alerts share, then the alerts, worst first. A few are told one by one; of many, each group is told once, with what its
//! alerts share, and every alert of it is called by what tells it from the others, folded (`fold`). Names come before
//! words: texts and links take the room that names leave (`room`). Whatever waits for a receiver can be told on one card,
//! however many envelopes it came in, and its last line says whether all of it is listed.

mod alert_text;
mod alert_view;
mod attention;
mod attention_lines;
mod card;
mod count;
mod escape;
mod fit;
mod fold;
mod group_labels;
mod group_names;
mod group_table;
mod group_text;
mod group_view;
mod header;
mod header_besides;
mod i18n;
mod icons;
mod item;
mod json1;
mod json2;
mod links;
mod listing;
mod markup;
mod name_map;
mod nearly_shared;
mod note_lines;
mod notes;
mod origin;
mod owners;
mod parts;
mod plain;
mod rest;
mod room;
mod severity;
mod shown_labels;
mod state_reason;
mod storm;
mod summary;
mod tables;
mod template;
#[cfg(test)]
mod tests;
mod times;
mod view;
mod worded;
mod written;

use config::{NamedSeverity, SeverityWords};
use jiff::Timestamp;

pub use attention::{Acknowledged, Attention, Escalated, Silenced};
pub use card::{
    AlertBlock, BlockFold, Button, Card, CardPicture, CardTable, CardText, Element, Field, Header,
    HeaderBesides, HeaderTag, Listing, Template,
};
pub use item::Item;
pub use markup::unmarked;
pub use plain::TEXT_BYTES_MAX;
pub use template::{
    AppliedTemplate, CardTemplate, CardTemplateError, FUEL, OUTPUT_BYTES_MAX, TemplateFault, TemplatePart,
};
pub use view::{Besides, CardPart, StormSoFar, Style};
pub use written::SharedCard;

use view::View;

/// A card or a text, and the alerts that it only counts, because there was no room for their names.
#[derive(Debug)]
pub struct Rendered<T> {
    /// What is sent.
    pub content: T,
    /// The positions of those alerts.
    pub summarised: Vec<usize>,
}

impl<T> Rendered<T> {
    /// The same in another form.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> Rendered<U> {
        Rendered { content: form(self.content), summarised: self.summarised }
    }
}

/// The card for these alerts, at most `bytes_max` long as JSON; the title and the numbers, which take about a
/// kilobyte, are on it in any case. Without items there is nothing to say, and the card is empty.
pub fn build(items: &[Item<'_>], style: &Style, now: Timestamp, bytes_max: usize) -> Card {
    build_with(items, style, now, bytes_max, Besides::default()).content
}

/// The same with what stands on it besides its alerts, for which there is room in any case.
pub fn build_with(
    items: &[Item<'_>],
    style: &Style,
    now: Timestamp,
    bytes_max: usize,
    besides: Besides<'_>,
) -> Rendered<Card> {
    let fit::Fitted { card, unnamed } = fit::within(&view(items, style, now, besides), bytes_max);
    Rendered { content: card, summarised: unnamed }
}

/// The title of that card, as plain text.
pub fn title(items: &[Item<'_>], style: &Style, now: Timestamp, besides: Besides<'_>) -> String {
    escape::untagged(&header::title(&view(items, style, now, besides)))
}

/// The same as plain text, at most [`TEXT_BYTES_MAX`] long, for a receiver that does not take the card.
pub fn text(items: &[Item<'_>], style: &Style, now: Timestamp) -> String {
    text_with(items, style, now, Besides::default()).content
}

/// The same with what stands in it besides its alerts; a text has no buttons.
pub fn text_with(
    items: &[Item<'_>],
    style: &Style,
    now: Timestamp,
    besides: Besides<'_>,
) -> Rendered<String> {
    plain::text(&view(items, style, now, besides))
}

/// Something from an alert on one line of a plain text, with nothing in it that Feishu would take for a mention.
pub(crate) fn plain_line(text: &str, characters_max: usize) -> String {
    escape::untagged(&escape::clean_line(text, characters_max))
}

/// A time as cards show it.
pub(crate) fn shown_time(at: Timestamp, style: &Style) -> String {
    times::shown(at, &style.timezone)
}

/// Sorts the worst first.
pub(crate) fn urgency(item: &Item<'_>, words: &SeverityWords) -> impl Ord + use<> {
    icons::Light::of(item, words)
}

/// How bad an alert is: where its sender does not say, as bad as can be, and in a word that nobody knows, worth a look.
pub(crate) fn severity_of(item: &Item<'_>, words: &SeverityWords) -> NamedSeverity {
    match severity::of(item, words).0 {
        severity::Severity::Critical | severity::Severity::Unsaid => NamedSeverity::Critical,
        severity::Severity::Warning | severity::Severity::Other => NamedSeverity::Warning,
        severity::Severity::Info => NamedSeverity::Info,
    }
}

/// The alerts as a reader sees them, in the words they are to be told in.
fn view<'e>(items: &'e [Item<'e>], style: &'e Style, now: Timestamp, besides: Besides<'e>) -> View<'e> {
    let mut view = View::new(items, style, now, besides);
    worded::reword(&mut view);
    view
}
