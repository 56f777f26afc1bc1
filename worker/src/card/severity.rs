//! How bad it is, from the words people use for it.

use shared::alert::{Alert, Status};

use super::model::Template;
use super::words::Words;

/// Labels that say how bad it is, the usual one first.
const SEVERITY_LABELS: [&str; 3] = ["severity", "priority", "level"];

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
pub(super) fn of<'a>(alert: &'a Alert<'_>) -> (Severity, &'a str) {
    let word = SEVERITY_LABELS.iter().find_map(|name| alert.labels.get(name)).unwrap_or_default().trim();
    let severity = match word.to_ascii_lowercase().as_str() {
        "critical" | "crit" | "error" | "err" | "fatal" | "emergency" | "emerg" | "disaster" | "page"
        | "high" | "major" | "p0" | "p1" | "严重" | "紧急" => Severity::Critical,
        "warning" | "warn" | "medium" | "average" | "moderate" | "minor" | "p2" | "警告" => {
            Severity::Warning
        }
        "info" | "information" | "informational" | "notice" | "low" | "none" | "debug" | "ok" | "p3"
        | "p4" | "p5" | "提示" => Severity::Info,
        _ => Severity::Unknown,
    };
    (severity, word)
}

impl Severity {
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

/// The colour of the header for the worst alert of a card. The label `state`, as `POST /alert` sets it, says the
/// colour itself; `spcial` is how its users have always spelt it.
pub(super) fn colour(worst: &Alert<'_>) -> Template {
    if let Some(state) = worst.labels.get("state") {
        return match state.trim().to_ascii_lowercase().as_str() {
            "firing" => Template::Red,
            "medium" => Template::Yellow,
            "resolved" => Template::Green,
            "new" => Template::Blue,
            "special" | "spcial" => Template::Purple,
            _ => Template::Grey,
        };
    }
    let (severity, word) = of(worst);
    match (worst.status, severity) {
        (Status::Resolved, _) => Template::Green,
        (Status::Firing, Severity::Critical | Severity::Unknown) => Template::Red,
        (Status::Firing, Severity::Warning) if word.eq_ignore_ascii_case("medium") => Template::Yellow,
        (Status::Firing, Severity::Warning) => Template::Orange,
        (Status::Firing, Severity::Info) => Template::Blue,
    }
}
