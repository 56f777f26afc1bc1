//! How bad it is, from the words people use for it. Pure.

use model::alert::Status;
use model::envelope::Source;

use super::card::Template;
use super::i18n::Words;
use super::item::Item;

/// Labels that say how bad it is, the usual one first.
const SEVERITY_LABELS: [&str; 3] = ["severity", "priority", "level"];
/// What people call it. Case does not matter.
const NAMES: [(Severity, &[&str]); 3] = [
    (
        Severity::Critical,
        &[
            "critical",
            "crit",
            "error",
            "err",
            "fatal",
            "emergency",
            "emerg",
            "disaster",
            "page",
            "high",
            "major",
            "p0",
            "p1",
            "严重",
            "紧急",
        ],
    ),
    (Severity::Warning, &["warning", "warn", "medium", "average", "moderate", "minor", "p2", "警告"]),
    (
        Severity::Info,
        &[
            "info",
            "information",
            "informational",
            "notice",
            "low",
            "none",
            "debug",
            "ok",
            "p3",
            "p4",
            "p5",
            "提示",
        ],
    ),
];

/// How bad it is; the order is the order on a card, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// Somebody has to act now.
    Critical,
    /// Not said, or in no word we know: better taken too seriously.
    Unknown,
    /// Somebody should look.
    Warning,
    /// Good to know.
    Info,
}

/// How bad an alert claims to be, and in which word.
pub(super) fn of<'e>(item: &Item<'e>) -> (Severity, &'e str) {
    let alert = item.alert;
    let in_labels = SEVERITY_LABELS.iter().find_map(|name| alert.labels.get(name));
    // Some rules say it in an annotation; a label goes before it.
    let in_annotations = || SEVERITY_LABELS.iter().find_map(|name| alert.annotations.get(name));
    let word = in_labels.or_else(in_annotations).unwrap_or_default().trim();
    if word.is_empty() {
        return (by_state(item), word);
    }
    // Most write it in lower case, which is compared in less time.
    let known = |names: &[&str]| names.iter().any(|name| *name == word || name.eq_ignore_ascii_case(word));
    let severity = NAMES.iter().find(|(_, names)| known(names)).map_or(Severity::Unknown, |(is, _)| *is);
    (severity, word)
}

/// The two states of `POST /alert` that say how bad it is; beside alerts with a severity they take their place.
fn by_state(item: &Item<'_>) -> Severity {
    match state(item) {
        Some(state) if state.eq_ignore_ascii_case("medium") => Severity::Warning,
        Some(state) if state.eq_ignore_ascii_case("new") => Severity::Info,
        Some(_) | None => Severity::Unknown,
    }
}

/// The label `state` as `POST /alert` sets it. Of any other source it is a label like others, such as the state of a
/// systemd unit.
fn state<'e>(item: &Item<'e>) -> Option<&'e str> {
    let state = item.alert.labels.get("state").map(str::trim);
    state.filter(|_| item.envelope.source == Source::LokiFeishu)
}

impl Severity {
    /// The same in every language.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }

    /// The word on the header.
    pub(super) const fn word(self, words: &Words) -> &'static str {
        match self {
            Self::Critical => words.critical,
            Self::Unknown => words.firing,
            Self::Warning => words.warning,
            Self::Info => words.info,
        }
    }
}

/// The colour of the header for the worst alert of a card. A state says the colour itself; `spcial` is how its users
/// have always spelt it.
pub(super) fn colour(worst: &Item<'_>) -> Template {
    if let Some(state) = state(worst) {
        return match state.to_ascii_lowercase().as_str() {
            "firing" => Template::Red,
            "medium" => Template::Yellow,
            "resolved" => Template::Green,
            "new" => Template::Blue,
            "special" | "spcial" => Template::Purple,
            _ => Template::Grey,
        };
    }
    let (severity, word) = of(worst);
    match (worst.alert.status, severity) {
        (Status::Resolved, _) => Template::Green,
        (Status::Firing, Severity::Critical | Severity::Unknown) => Template::Red,
        (Status::Firing, Severity::Warning) if word.eq_ignore_ascii_case("medium") => Template::Yellow,
        (Status::Firing, Severity::Warning) => Template::Orange,
        (Status::Firing, Severity::Info) => Template::Blue,
    }
}
