//! What a card consists of between its header and its end.

use super::escape::{clean, clean_line, markdown};
use super::model::{Button, Element, Field, Text};
use super::sign::{self, Light};
use super::story::Story;
use super::{View, attention, links, times};

/// How much of a fact's value is shown, in characters.
const VALUE_CHARACTERS_MAX: usize = 120;
/// How much of a fact's name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 40;
/// The longest value that still fits half the width of a phone, in characters.
const SHORT_CHARACTERS_MAX: usize = 24;

/// How wordy an alert is told.
#[derive(Clone, Copy)]
pub(super) struct Detail {
    pub(super) summary_characters: usize,
    pub(super) description_characters: usize,
    /// Of words of one's own.
    pub(super) body_characters: usize,
    pub(super) with_facts: bool,
    pub(super) with_links: bool,
}

impl Detail {
    /// Whether whole parts are missing; a text that is cut shows it itself.
    pub(super) fn is_shortened(self) -> bool {
        !self.with_facts || !self.with_links
    }
}

/// What is said once for all alerts.
pub(super) fn top(view: &View<'_>, detail: Detail) -> Vec<Element> {
    let mut elements = Vec::new();
    if view.fold.all.total() == 1 {
        return elements;
    }
    let mut counts = format!("**{}**", view.words.counts(view.fold.all));
    if let Some(told_before) = told_before(view) {
        counts.extend([" · ", &told_before]);
    }
    if let Some(attention) = attention::counts(view) {
        counts.extend([" · ", &attention]);
    }
    elements.push(paragraph(counts));
    // What is told in words of one's own has its facts there.
    let is_worded = view.stories.iter().all(|story| story.body.is_some());
    if detail.with_facts && !is_worded && !view.shared_facts.is_empty() {
        elements.push(fields(view.shared_facts.iter().map(|(name, value)| field(name, value)).collect()));
    }
    elements
}

/// How many of several alerts are reminders; nothing if none is.
pub(super) fn told_before(view: &View<'_>) -> Option<String> {
    let reminders = view.fold.reminders;
    let longest = reminders.oldest.map(|oldest| view.now.duration_since(oldest));
    let told = || format!("{} {}", sign::AGAIN, view.words.told_before(reminders.count, longest));
    (reminders.count > 0).then(told)
}

/// What a single alert is, if it is no news: a reminder, or the end.
pub(super) fn standing(view: &View<'_>, story: &Story<'_>) -> Option<(&'static str, String)> {
    let length = times::length(story.item.alert, view.now);
    if story.item.is_reminder() {
        return Some((sign::AGAIN, view.words.still_firing(length)));
    }
    (!story.item.is_firing()).then(|| (Light::Over.sign(), view.words.over(length)))
}

/// One alert in detail: with a card of its own, or as one of several.
pub(super) fn block(view: &View<'_>, story: &Story<'_>, detail: Detail) -> Vec<Element> {
    if view.fold.all.total() == 1 { alone(view, story, detail) } else { among_others(view, story, detail) }
}

fn alone(view: &View<'_>, story: &Story<'_>, detail: Detail) -> Vec<Element> {
    let mut lines = Vec::new();
    let standing = standing(view, story);
    if let Some((sign, standing)) = &standing {
        lines.push(format!("{sign} **{}**", markdown(standing)));
    }
    lines.extend(attention_lines(view, story));
    if let Some(body) = &story.body {
        lines.push(body.markdown(detail.body_characters));
        return [paragraph(lines.join("\n"))].into_iter().chain(link_buttons(view, story, detail)).collect();
    }
    let summary = markdown(&clean_line(story.telling.summary, detail.summary_characters));
    if !summary.is_empty() {
        // What is over or known is no longer the loudest thing on the card.
        lines.push(if standing.is_none() { format!("**{summary}**") } else { summary });
    }
    let mut elements = Vec::new();
    if !lines.is_empty() {
        elements.push(paragraph(lines.join("\n")));
    }
    elements.extend(description(story, detail));
    // A single alert's facts are all shared, with itself.
    let known = view.shared_facts.iter().filter(|_| detail.with_facts);
    let mut facts: Vec<_> = known.map(|(name, value)| field(name, value)).collect();
    let mut times = times::points(story.item.alert, view.words, view.timezone);
    // Where it stands says how long it took.
    times.extend(times::span(story.item.alert, view.words, view.now).filter(|_| standing.is_none()));
    facts.extend(times.iter().map(|(name, value)| field(name, value)));
    if !facts.is_empty() {
        elements.push(fields(facts));
    }
    elements.extend(link_buttons(view, story, detail));
    elements
}

fn link_buttons(view: &View<'_>, story: &Story<'_>, detail: Detail) -> Option<Element> {
    let places = links_of(view, story, detail).into_iter();
    let actions: Vec<_> = places.map(|(name, url)| Button::new(name, url)).collect();
    (!actions.is_empty()).then_some(Element::Buttons { actions })
}

fn among_others(view: &View<'_>, story: &Story<'_>, detail: Detail) -> Vec<Element> {
    let item = &story.item;
    let name = if story.telling.name.trim().is_empty() { view.words.alert } else { story.telling.name };
    let name = markdown(&clean_line(name, VALUE_CHARACTERS_MAX));
    let mut head = format!("{} **{name}**", Light::of(item).sign());
    if item.is_reminder() {
        head.extend([" · ", sign::AGAIN, " ", view.words.reminder]);
    }
    let mut lines = vec![head];
    lines.extend(attention_lines(view, story));
    if let Some(body) = &story.body {
        lines.push(body.markdown(detail.body_characters));
        lines.extend(link_line(view, story, detail));
        return vec![Element::Rule, paragraph(lines.join("\n"))];
    }
    let fact = |(name, value): &(&str, &str)| {
        let (name, value) = (clean_line(name, NAME_CHARACTERS_MAX), clean_line(value, VALUE_CHARACTERS_MAX));
        markdown(&format!("{name}={value}"))
    };
    if detail.with_facts && !story.facts.is_empty() {
        lines.push(story.facts.iter().map(fact).collect::<Vec<_>>().join(" · "));
    }
    let summary = clean_line(story.telling.summary, detail.summary_characters);
    if !summary.is_empty() {
        lines.push(markdown(&summary));
    }
    let mut elements = vec![Element::Rule];
    if let Some(description) = description(story, detail) {
        elements.extend([paragraph(lines.join("\n")), description]);
        lines.clear();
    }
    let times = times::facts(item.alert, view.words, view.timezone, view.now);
    let times: Vec<_> = times.iter().map(|(name, value)| format!("{name} {value}")).collect();
    lines.extend(Some(times.join(" · ")).filter(|line| !line.is_empty()));
    lines.extend(link_line(view, story, detail));
    if !lines.is_empty() {
        elements.push(paragraph(lines.join("\n")));
    }
    elements
}

fn link_line(view: &View<'_>, story: &Story<'_>, detail: Detail) -> Option<String> {
    let places = links_of(view, story, detail);
    let places: Vec<_> = places.iter().map(|(name, url)| format!("[{name}]({url})")).collect();
    (!places.is_empty()).then(|| places.join(" · "))
}

fn attention_lines<'v>(view: &'v View<'_>, story: &Story<'_>) -> impl Iterator<Item = String> + use<'v> {
    let lines = attention::lines(view, &story.item, attention::card_name).into_iter();
    lines.map(|(sign, line)| format!("{sign} **{line}**"))
}

fn links_of(view: &View<'_>, story: &Story<'_>, detail: Detail) -> Vec<(&'static str, String)> {
    let are_placed = story.body.is_some() && view.places_links();
    if !detail.with_links || are_placed {
        return Vec::new();
    }
    links::of(view, story.item.envelope, story.item.alert)
}

/// What explains the alert, as plain text: the dialect in which nothing can be meant but what is read.
fn description(story: &Story<'_>, detail: Detail) -> Option<Element> {
    let content = clean(story.telling.description, detail.description_characters);
    (!content.is_empty()).then_some(Element::Paragraph { text: Text::Plain { content } })
}

/// The card's own buttons; then where it came from, when, and under which id it can be found again.
pub(super) fn bottom(view: &View<'_>) -> Vec<Element> {
    let mut elements = buttons(view);
    elements.extend(note(view));
    elements
}

/// What can be done about all of it.
pub(super) fn buttons(view: &View<'_>) -> Vec<Element> {
    if view.besides.buttons.is_empty() {
        return Vec::new();
    }
    vec![Element::Buttons { actions: view.besides.buttons.to_vec() }]
}

fn note(view: &View<'_>) -> Option<Element> {
    let origin = view.origin.as_ref()?;
    let sources: Vec<_> = origin.sources.iter().map(|source| source.as_str()).collect();
    let mut received = times::shown(origin.first_received, view.timezone);
    let last = times::shown(origin.last_received, view.timezone);
    if last != received {
        // Of the same day the time is enough.
        let (day, time) = last.split_once(' ').unwrap_or_default();
        received.extend([" – ", if received.starts_with(day) { time } else { &last }]);
    }
    let zone = origin.last_received.to_zoned(view.timezone.clone()).strftime("%:z").to_string();
    let ids = view.words.envelopes(origin.envelopes, &origin.first_id.to_string());
    let content = format!("{} · {} {received} {zone} · {ids}", sources.join(", "), view.words.received);
    Some(Element::Note { elements: vec![Text::Plain { content }] })
}

fn field(name: &str, value: &str) -> Field {
    let (name, value) = (clean_line(name, NAME_CHARACTERS_MAX), clean_line(value, VALUE_CHARACTERS_MAX));
    let is_short = value.chars().nth(SHORT_CHARACTERS_MAX).is_none();
    let content = format!("**{}**\n{}", markdown(&name), markdown(&value));
    Field { is_short, text: Text::Markdown { content } }
}

fn fields(fields: Vec<Field>) -> Element {
    Element::Facts { fields }
}

pub(super) fn paragraph(content: String) -> Element {
    Element::Paragraph { text: Text::Markdown { content } }
}
