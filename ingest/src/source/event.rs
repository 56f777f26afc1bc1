//! What a format says of one alert, in the terms all of them have, and the alert that is made of it. Pure.

use std::borrow::Cow;

use jiff::Timestamp;
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use model::envelope::Source;

use super::identity::{Identity, Rule};
use super::reading::AlertReading;
use super::{Context, link};

/// How long a label's value may be that is made of a text, in bytes: labels are for telling apart and for routing.
const NAME_BYTES_MAX: usize = 512;

/// How bad something is, in the words of docs/senders.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Critical,
    Warning,
    Info,
}

impl Severity {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// One alert as its format says it.
#[derive(Debug)]
pub(super) struct SourceEvent {
    /// What it is called.
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) severity: Option<Severity>,
    /// One line.
    pub(super) summary: String,
    /// As many lines as there are.
    pub(super) description: String,
    labels: Vec<(String, String)>,
    annotations: Vec<(String, String)>,
    pub(super) starts_at: Option<Timestamp>,
    pub(super) ends_at: Option<Timestamp>,
    /// Where its sender shows it.
    pub(super) link: String,
    /// Its dashboard, runbook or the like.
    pub(super) dashboard: String,
    pub(super) mention: Mention<'static>,
    /// What it is known by, beside its origin. Without any, it is its name, its labels and its texts.
    known_by: Vec<(&'static str, String)>,
    /// Delivered each time it comes.
    pub(super) is_test: bool,
}

impl SourceEvent {
    pub(super) fn new(name: &str, status: Status) -> Self {
        Self {
            name: name.to_owned(),
            status,
            severity: None,
            summary: String::new(),
            description: String::new(),
            labels: Vec::new(),
            annotations: Vec::new(),
            starts_at: None,
            ends_at: None,
            link: String::new(),
            dashboard: String::new(),
            mention: Mention::default(),
            known_by: Vec::new(),
            is_test: false,
        }
    }

    /// Adds a label, unless it says nothing.
    pub(super) fn label(&mut self, name: &str, value: &str) {
        if !value.is_empty() && !name.is_empty() {
            self.labels.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Adds an annotation, unless it says nothing.
    pub(super) fn annotate(&mut self, name: &str, text: &str) {
        if !text.is_empty() && !name.is_empty() {
            self.annotations.push((name.to_owned(), text.to_owned()));
        }
    }

    /// Says what it is known by; says nothing if that is empty.
    pub(super) fn know_by(&mut self, name: &'static str, value: &str) {
        if !value.is_empty() {
            self.known_by.push((name, value.to_owned()));
        }
    }

    /// Whether anything names it yet.
    pub(super) fn is_known(&self) -> bool {
        !self.known_by.is_empty()
    }

    /// The alert. `place` is its place in its body.
    fn into_alert(self, place: usize, source: Source, context: &Context) -> Alert<'static> {
        let identity = self.identity(place, source, context);
        // The first value of a name counts: what its format says goes before what its labels say.
        let mut labels = Labels::default();
        let mut add = |name: &str, value: &str| {
            labels.insert_if_absent(Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned()))
        };
        add("alertname", short(one_line(&self.name)));
        if let Some(severity) = self.severity {
            add("severity", severity.as_str());
        }
        for (name, value) in &self.labels {
            add(name, value);
        }
        let mut annotations = Labels::default();
        let texts = [("summary", self.summary), ("description", self.description)];
        let texts = texts.into_iter().map(|(name, text)| (name.to_owned(), text));
        for (name, text) in texts.chain(self.annotations).filter(|(_, text)| !text.trim().is_empty()) {
            annotations.insert_if_absent(Cow::Owned(name), Cow::Owned(text));
        }
        Alert {
            fingerprint: identity.fingerprint,
            former: identity.former,
            status: self.status,
            starts_at: self.starts_at,
            ends_at: self.ends_at.filter(|_| self.status == Status::Resolved),
            labels,
            annotations,
            generator_url: link::absolute(Cow::Owned(self.link), ""),
            links: Links { dashboard: link::absolute(Cow::Owned(self.dashboard), ""), ..Links::default() },
            mention: self.mention,
        }
    }

    /// Without anything that is made for it, it is all it says: rather a card too many than two alerts taken for one.
    fn identity(&self, place: usize, source: Source, context: &Context) -> Identity<'static> {
        if self.is_test {
            return Identity::of_test(context.id, place);
        }
        let source = ("source", source.as_str());
        let mut pairs = vec![source];
        if self.known_by.is_empty() {
            pairs.extend([
                ("name", &*self.name),
                ("summary", &*self.summary),
                ("description", &*self.description),
            ]);
            pairs.extend(self.labels.iter().map(|(name, value)| (&**name, &**value)));
        } else {
            pairs.extend(self.known_by.iter().map(|(name, value)| (*name, &**value)));
        }
        let plain = Fingerprint::of_pairs(pairs.iter().copied());
        Rule::new(context).of_pairs(pairs, plain)
    }
}

/// The alerts of a body. One alone is a group of its own, so that its states keep their order.
pub(super) fn reading(events: Vec<SourceEvent>, source: Source, context: &Context) -> AlertReading<'static> {
    let into_alert = |(place, event): (usize, SourceEvent)| event.into_alert(place, source, context);
    let mut alerts: Vec<_> = events.into_iter().enumerate().map(into_alert).collect();
    match (alerts.len(), alerts.pop()) {
        (1, Some(alert)) => AlertReading::single(alert),
        (_, last) => {
            alerts.extend(last);
            AlertReading { group_key: Cow::Borrowed(source.as_str()), alerts, ..AlertReading::default() }
        }
    }
}

/// The first line that says something.
pub(super) fn one_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

fn short(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or(name)
}

/// `name: value` lines, of what has a value.
pub(super) fn lines<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    let shown = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    shown.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}
