//! What a card consists of between its header and its end.

use super::escape::{clean, clean_line, markdown};
use super::model::{Button, Element, Field, Text};
use super::severity::Severity;
use super::story::{self, Story};
use super::{View, links, times};

/// How much of a fact's value is shown, in characters.
const VALUE_CHARACTERS_MAX: usize = 120;
/// How much of a fact's name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 40;
/// The longest value that still fits half the width of a phone, in characters.
const SHORT_CHARACTERS_MAX: usize = 24;
/// How many names the line about the rest gives.
const REST_NAMES_MAX: usize = 8;

/// How wordy an alert is told.
#[derive(Clone, Copy)]
pub(super) struct Detail {
    pub(super) summary_characters: usize,
    pub(super) description_characters: usize,
    pub(super) with_facts: bool,
}

/// What is said once for all alerts.
pub(super) fn top(view: &View<'_>, detail: Detail) -> Vec<Element> {
    let mut elements = Vec::new();
    if view.stories.len() == 1 {
        return elements;
    }
    let firing = view.stories.iter().filter(|story| story.is_firing()).count();
    let counts = view.words.counts(firing, view.stories.len() - firing);
    elements.push(paragraph(format!("**{counts}**")));
    if detail.with_facts && !view.shared_facts.is_empty() {
        elements.push(fields(view.shared_facts.iter().map(|(name, value)| field(name, value)).collect()));
    }
    elements
}

/// One alert in detail: with a card of its own, or as one of several.
pub(super) fn block(view: &View<'_>, story: &Story<'_>, detail: Detail) -> Vec<Element> {
    if view.stories.len() == 1 { alone(view, story, detail) } else { among_others(view, story, detail) }
}

fn alone(view: &View<'_>, story: &Story<'_>, detail: Detail) -> Vec<Element> {
    let mut elements = Vec::new();
    let summary = markdown(&clean_line(story.summary, detail.summary_characters));
    if !summary.is_empty() {
        elements.push(paragraph(format!("**{summary}**")));
    }
    elements.extend(description(story, detail));
    // A single alert's facts are all shared, with itself.
    let known = view.shared_facts.iter().filter(|_| detail.with_facts);
    let mut facts: Vec<_> = known.map(|(name, value)| field(name, value)).collect();
    let times = times::facts(story.alert, view.words, view.timezone, view.now);
    facts.extend(times.iter().map(|(name, value)| field(name, value)));
    if !facts.is_empty() {
        elements.push(fields(facts));
    }
    let links = links::of(story.alert, view.words);
    if !links.is_empty() {
        elements.push(Element::Buttons {
            actions: links.into_iter().map(|(name, url)| Button::new(name, url)).collect(),
        });
    }
    elements
}

fn among_others(view: &View<'_>, story: &Story<'_>, detail: Detail) -> Vec<Element> {
    let name = if story.name.trim().is_empty() { view.words.alert } else { story.name };
    let mut lines =
        vec![format!("{} **{}**", light(story), markdown(&clean_line(name, VALUE_CHARACTERS_MAX)))];
    let fact = |(name, value): &(&str, &str)| {
        let (name, value) = (clean_line(name, NAME_CHARACTERS_MAX), clean_line(value, VALUE_CHARACTERS_MAX));
        markdown(&format!("{name}={value}"))
    };
    if detail.with_facts && !story.facts.is_empty() {
        lines.push(story.facts.iter().map(fact).collect::<Vec<_>>().join(" · "));
    }
    let summary = clean_line(story.summary, detail.summary_characters);
    if !summary.is_empty() {
        lines.push(markdown(&summary));
    }
    let mut elements = vec![Element::Rule];
    if let Some(description) = description(story, detail) {
        elements.extend([paragraph(lines.join("\n")), description]);
        lines.clear();
    }
    let times = times::facts(story.alert, view.words, view.timezone, view.now);
    let times: Vec<_> = times.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let places = links::of(story.alert, view.words);
    let places: Vec<_> = places.iter().map(|(name, url)| format!("[{name}]({url})")).collect();
    lines.extend([times, places].into_iter().filter(|line| !line.is_empty()).map(|line| line.join(" · ")));
    if !lines.is_empty() {
        elements.push(paragraph(lines.join("\n")));
    }
    elements
}

/// What explains the alert, as plain text: the dialect in which nothing can be meant but what is read.
fn description(story: &Story<'_>, detail: Detail) -> Option<Element> {
    let content = clean(story.description, detail.description_characters);
    (!content.is_empty()).then_some(Element::Paragraph { text: Text::Plain { content } })
}

/// The alerts after the first `told`, and what the sender left out: by name and count, and where to see them.
pub(super) fn rest(view: &View<'_>, told: usize) -> Vec<Element> {
    let mut lines = Vec::new();
    let count = view.stories.len().saturating_sub(told);
    if count > 0 {
        lines.push(markdown(&view.words.more(count, &names(view, told))));
    }
    if view.envelope.truncated > 0 {
        lines.push(view.words.left_out(view.envelope.truncated));
    }
    if lines.is_empty() {
        return Vec::new();
    }
    if let Some(url) = links::safe(&view.envelope.external_url) {
        lines.push(format!("[{}]({url})", view.words.all_alerts));
    }
    vec![Element::Rule, paragraph(lines.join("\n"))]
}

fn names(view: &View<'_>, told: usize) -> String {
    let counted = story::by_name(view.stories.iter().skip(told));
    let shown = counted.iter().take(REST_NAMES_MAX);
    let shown: Vec<_> =
        shown.map(|(name, count)| format!("{} ×{count}", clean_line(name, NAME_CHARACTERS_MAX))).collect();
    let others = if counted.len() > REST_NAMES_MAX { view.words.and_others() } else { "" };
    format!("{}{others}", shown.join(", "))
}

/// Where it came from, when, and under which id it can be found again.
pub(super) fn bottom(view: &View<'_>) -> Vec<Element> {
    let envelope = view.envelope;
    let received = times::shown(envelope.received_at, view.timezone);
    let zone = envelope.received_at.to_zoned(view.timezone.clone()).strftime("%:z").to_string();
    let content =
        format!("{} · {} {received} {zone} · {}", envelope.source.as_str(), view.words.received, envelope.id);
    vec![Element::Note { elements: vec![Text::Plain { content }] }]
}

/// A sign of how it is with this alert, for eyes that run down a list.
fn light(story: &Story<'_>) -> &'static str {
    match (story.is_firing(), story.severity) {
        (false, _) => "🟢",
        (true, Severity::Critical | Severity::Unknown) => "🔴",
        (true, Severity::Warning) => "🟠",
        (true, Severity::Info) => "🔵",
    }
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

fn paragraph(content: String) -> Element {
    Element::Paragraph { text: Text::Markdown { content } }
}
