//! One alert, told apart into what a person reads: a name, a summary, a description and the facts that matter.

use shared::alert::{Alert, Status};
use shared::envelope::Source;

use super::header::TITLE_CHARACTERS_MAX;
use super::severity::{self, Severity};

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
/// Facts shown of one alert; the rest is a click away.
const FACTS_MAX: usize = 10;
/// Annotations that sum up, best first.
const SUMMARIES: [&str; 2] = ["summary", "title"];
/// Annotations that explain, best first.
const DESCRIPTIONS: [&str; 6] = ["description", "message", "details", "text", "info", "content"];

/// One alert as it is told.
pub(super) struct Story<'a> {
    pub(super) alert: &'a Alert<'a>,
    pub(super) severity: Severity,
    /// What it is called.
    pub(super) name: &'a str,
    pub(super) summary: &'a str,
    pub(super) description: &'a str,
    /// Whether it is a message with a title and a body rather than an alert with labels.
    pub(super) is_message: bool,
    /// Labels that matter, by name and value, the most telling first.
    pub(super) facts: Vec<(&'a str, &'a str)>,
}

impl<'a> Story<'a> {
    pub(super) fn of(alert: &'a Alert<'a>, source: Source) -> Self {
        let (severity, _) = severity::of(alert);
        let is_message = match source {
            Source::Custom | Source::LokiFeishu => true,
            Source::Alertmanager | Source::Grafana | Source::GrafanaLegacy => false,
        };
        let (name, summary, description) = if is_message { message(alert) } else { annotated(alert) };
        let mut facts = facts(alert);
        if is_message {
            // Many labels of a message were read out of the very lines that are shown.
            facts.retain(|(_, value)| !name.contains(value) && !description.contains(value));
        }
        facts.truncate(FACTS_MAX);
        Self { alert, severity, name, summary, description, is_message, facts }
    }

    pub(super) fn is_firing(&self) -> bool {
        self.alert.status == Status::Firing
    }

    /// What comes first: what still fires, and of that the worst.
    pub(super) fn rank(&self) -> (bool, Severity) {
        (!self.is_firing(), self.severity)
    }

    /// Where it is, in the fewest words: the service or the thing, and the namespace it is in.
    pub(super) fn place(&self) -> String {
        let first = |names: &[&str]| names.iter().find_map(|name| self.label(name));
        let thing = first(&["service", "app", "pod", "instance", "host", "node", "job"]);
        let around = first(&["namespace", "cluster", "env", "environment"]);
        match (thing, around) {
            (Some(thing), Some(around)) => format!("{around}/{thing}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => String::new(),
        }
    }

    fn label(&self, name: &str) -> Option<&'a str> {
        self.alert.labels.get(name).filter(|value| !value.trim().is_empty())
    }
}

/// Name, summary and description of an alert with labels and annotations; each is said once.
fn annotated<'a>(alert: &'a Alert<'a>) -> (&'a str, &'a str, &'a str) {
    let annotation = |names: &[&str]| {
        let mut values = names.iter().filter_map(|name| alert.annotations.get(name));
        values.find(|value| !value.trim().is_empty()).unwrap_or_default()
    };
    let name = alert.labels.get("alertname").unwrap_or_default();
    let (summary, description) = (annotation(&SUMMARIES), annotation(&DESCRIPTIONS));
    let once = |text: &'a str, others: &[&str]| if others.contains(&text) { "" } else { text };
    (name, once(summary, &[name]), once(description, &[name, summary]))
}

/// Title and body of a message: its first line that says something, and the rest. A title that is too long for the
/// header is repeated below it.
fn message<'a>(alert: &'a Alert<'a>) -> (&'a str, &'a str, &'a str) {
    let (title, body) = match annotated(alert) {
        (name, "", description) => (name, description),
        (_, summary, description) => (summary, description),
    };
    let is_cut = title.chars().nth(TITLE_CHARACTERS_MAX).is_some();
    (title, if is_cut { title } else { "" }, body)
}

fn facts<'a>(alert: &'a Alert<'a>) -> Vec<(&'a str, &'a str)> {
    let telling = |name: &str| !FACTS_HIDDEN.contains(&name) && !name.starts_with("__");
    let position =
        |name: &str| FACTS_FIRST.iter().position(|first| *first == name).unwrap_or(FACTS_FIRST.len());
    let measured = alert.annotations.get(VALUE).filter(|_| alert.labels.get(VALUE).is_none());
    let pairs = alert.labels.iter().chain(measured.map(|value| (VALUE, value)));
    let mut facts: Vec<_> = pairs.filter(|(name, value)| telling(name) && !value.trim().is_empty()).collect();
    facts.sort_by_key(|(name, _)| position(name));
    facts
}

/// Takes out of the stories the facts they all share, to be said once. A single story keeps its own: there is
/// nothing to tell it from.
pub(super) fn take_shared<'a>(stories: &mut [Story<'a>]) -> Vec<(&'a str, &'a str)> {
    let Some((first, others)) = stories.split_first() else { return Vec::new() };
    let in_all =
        |fact: &(&str, &str)| others.iter().all(|story| story.alert.labels.get(fact.0) == Some(fact.1));
    let shared: Vec<_> = first.facts.iter().copied().filter(in_all).collect();
    for story in stories {
        story.facts.retain(|fact| !shared.contains(fact));
    }
    shared
}

/// The names of the stories, each once, with how many there are of it; the most frequent first.
pub(super) fn by_name<'s, 'a: 's>(stories: impl Iterator<Item = &'s Story<'a>>) -> Vec<(&'a str, usize)> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for story in stories.filter(|story| !story.name.trim().is_empty()) {
        match counted.iter_mut().find(|(name, _)| *name == story.name) {
            Some((_, count)) => *count += 1,
            None => counted.push((story.name, 1)),
        }
    }
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counted
}
