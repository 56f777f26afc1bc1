//! One alert, told apart into what a person reads: a name, a summary, a description and the facts that matter.

use shared::alert::Alert;

use super::Item;
use super::header::TITLE_CHARACTERS_MAX;
use super::wording::Text;
use crate::owner::person::{Mobile, Person};

/// What was measured: an annotation, as a label would make each measurement an alert of its own.
const VALUE: &str = "value";
/// Labels shown first, in this order: how bad it is, whom it concerns, then where it is.
const FACTS_FIRST: [&str; 15] = [
    "severity",
    VALUE,
    "service",
    "app",
    "endpoint",
    "trigger",
    "cluster",
    "namespace",
    "instance",
    "host",
    "node",
    "pod",
    "container",
    "deployment",
    "job",
];
/// Labels that tell a person nothing: shown elsewhere, or meant for machines.
const FACTS_HIDDEN: [&str; 11] = [
    "alertname",
    "state",
    "sender_id",
    "chat_id",
    "time",
    "alertgroup",
    "prometheus",
    "prometheus_replica",
    "replica",
    "uid",
    "rule_uid",
];
/// Parts of names of labels that call people by their names, or by their numbers.
const PEOPLES_LABELS: [&str; 9] =
    ["owner", "phone", "mobile", "at_name", "user", "contact", "oncall", "duty", "lead"];
/// Facts shown of one alert; the rest is a click away.
const FACTS_MAX: usize = 10;
/// Annotations that sum up, best first.
const SUMMARIES: [&str; 2] = ["summary", "title"];
/// Annotations that explain, best first.
const DESCRIPTIONS: [&str; 6] = ["description", "message", "details", "text", "info", "content"];

/// One alert as it is told.
pub(super) struct Story<'a> {
    pub(super) item: Item<'a>,
    pub(super) telling: Telling<'a>,
    /// Labels that matter, by name and value, the most telling first.
    pub(super) facts: Vec<(&'a str, &'a str)>,
    /// All of this in words of one's own, if there are any.
    pub(super) body: Option<Text>,
}

/// What an alert says of itself; each thing once.
#[derive(Clone, Copy)]
pub(super) struct Telling<'a> {
    /// What it is called.
    pub(super) name: &'a str,
    pub(super) summary: &'a str,
    pub(super) description: &'a str,
}

impl<'a> Story<'a> {
    pub(super) fn of(item: Item<'a>) -> Self {
        let telling = telling(&item);
        let mut facts = facts(item.alert);
        if item.is_message() {
            // Many labels of a message were read out of the very lines that are shown.
            facts.retain(|(_, value)| !telling.name.contains(value) && !telling.description.contains(value));
        }
        facts.truncate(FACTS_MAX);
        Self { item, telling, facts, body: None }
    }
}

/// What an alert says of itself, by its kind.
pub(super) fn telling<'a>(item: &Item<'a>) -> Telling<'a> {
    let annotated = annotated(item.alert);
    if item.is_message() { message(annotated) } else { annotated }
}

/// Of an alert with labels and annotations.
fn annotated<'a>(alert: &'a Alert<'a>) -> Telling<'a> {
    let annotation = |names: &[&str]| {
        let mut values = names.iter().filter_map(|name| alert.annotations.get(name));
        values.find(|value| !value.trim().is_empty()).unwrap_or_default()
    };
    let name = alert.labels.get("alertname").unwrap_or_default();
    let (summary, description) = (annotation(&SUMMARIES), annotation(&DESCRIPTIONS));
    let once = |text: &'a str, others: &[&str]| if others.contains(&text) { "" } else { text };
    Telling { name, summary: once(summary, &[name]), description: once(description, &[name, summary]) }
}

/// Of a message: its first line that says something, and the rest. A title that is too long for the header is
/// repeated below it.
fn message(annotated: Telling<'_>) -> Telling<'_> {
    let Telling { name, summary, description } = annotated;
    let title = if summary.is_empty() { name } else { summary };
    let is_cut = title.chars().nth(TITLE_CHARACTERS_MAX).is_some();
    Telling { name: title, summary: if is_cut { title } else { "" }, description }
}

fn facts<'a>(alert: &'a Alert<'a>) -> Vec<(&'a str, &'a str)> {
    let telling = |name: &str, value: &str| {
        !FACTS_HIDDEN.contains(&name) && !name.starts_with("__") && !is_somebodys_number(name, value)
    };
    let position =
        |name: &str| FACTS_FIRST.iter().position(|first| *first == name).unwrap_or(FACTS_FIRST.len());
    let measured = alert.annotations.get(VALUE).filter(|_| alert.labels.get(VALUE).is_none());
    let pairs = alert.labels.iter().chain(measured.map(|value| (VALUE, value)));
    let mut facts: Vec<_> =
        pairs.filter(|(name, value)| telling(name, value) && !value.trim().is_empty()).collect();
    facts.sort_by_key(|(name, _)| position(name));
    facts
}

/// Whether a label calls somebody by a mobile, which no card shows. Any other label with as many digits is an id of
/// something, which somebody may need.
pub(super) fn is_somebodys_number(name: &str, value: &str) -> bool {
    PEOPLES_LABELS.iter().any(|part| name.contains(part))
        && Person::split(value).any(|person| Mobile::parse(person.trim_start_matches(['@', ' '])).is_some())
}

/// Takes out of the stories the facts that all items share, to be said once. A single story keeps its own: there is
/// nothing to tell it from. Of many items most differ soon, so few facts are compared all the way.
pub(super) fn take_shared<'a>(stories: &mut [Story<'a>], items: &[Item<'_>]) -> Vec<(&'a str, &'a str)> {
    let Some(first) = stories.first() else { return Vec::new() };
    let mut shared = first.facts.clone();
    for item in items.iter().filter(|item| !std::ptr::eq(item.alert, first.item.alert)) {
        if shared.is_empty() {
            break;
        }
        shared.retain(|(name, value)| item.alert.labels.get(name) == Some(value));
    }
    for story in stories {
        story.facts.retain(|fact| !shared.contains(fact));
    }
    shared
}
