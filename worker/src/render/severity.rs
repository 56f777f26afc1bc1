//! How bad it is, from the words people use for it. The table for people is in `docs/senders.md`, "Severity". Pure.

use config::{NamedSeverity, SeverityWords};
use model::alert::Status;
use model::envelope::Source;

use super::card::Template;
use super::i18n::Words;
use super::item::Item;

/// Labels that say how bad it is, and annotations where no label does, the usual one first.
const SEVERITY_LABELS: [&str; 6] = ["severity", "Severity", "priority", "level", "alert_level", "告警级别"];
/// What people call it. Case does not matter. `一般` is what Zabbix calls average, and 重要 and 次要 are the clouds' major
/// and minor.
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
            "highest",
            "major",
            "severe",
            "urgent",
            "blocker",
            "panic",
            "严重",
            "紧急",
            "特急",
            "致命",
            "灾难",
            "重大",
            "重要",
            "高",
            "一级",
        ],
    ),
    (
        Severity::Warning,
        &[
            "warning",
            "warn",
            "medium",
            "average",
            "moderate",
            "minor",
            "ticket",
            "attention",
            "警告",
            "预警",
            "次要",
            "一般",
            "一般严重",
            "中",
            "二级",
        ],
    ),
    (
        Severity::Info,
        &[
            "info",
            "information",
            "informational",
            "notice",
            "low",
            "lowest",
            "trivial",
            "none",
            "debug",
            "ok",
            "提示",
            "提醒",
            "通知",
            "信息",
            "低",
            "三级",
        ],
    ),
];
/// What stands before a number, longest first; a number by itself is read in the same way.
const NUMBERED: [&str; 6] = ["severity", "priority", "prio", "sev", "p", "s"];

/// How bad it is; the order is the order on a card, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// Somebody has to act now.
    Critical,
    /// Not said: better taken too seriously.
    Unsaid,
    /// Somebody should look.
    Warning,
    /// Said in a word nobody knows, which is shown: whoever chose it knows how bad it is.
    Other,
    /// Good to know.
    Info,
}

/// How bad an alert claims to be, and in which word.
pub(super) fn of<'e>(item: &Item<'e>, words: &SeverityWords) -> (Severity, &'e str) {
    let alert = item.alert;
    let in_labels = SEVERITY_LABELS.iter().find_map(|name| alert.labels.get(name));
    // Some rules say it in an annotation; a label goes before it.
    let in_annotations = || SEVERITY_LABELS.iter().find_map(|name| alert.annotations.get(name));
    let word = in_labels.or_else(in_annotations).unwrap_or_default().trim();
    let severity = if word.is_empty() { by_state(item) } else { meaning(word, words) };
    (severity, word)
}

/// What a word means: what the configuration says, or what most people mean by it.
fn meaning(word: &str, words: &SeverityWords) -> Severity {
    if let Some(named) = words.get(word) {
        return match named {
            NamedSeverity::Critical => Severity::Critical,
            NamedSeverity::Warning => Severity::Warning,
            NamedSeverity::Info => Severity::Info,
        };
    }
    // Most write it in lower case, which is compared in less time.
    let known = |names: &[&str]| names.iter().any(|name| *name == word || name.eq_ignore_ascii_case(word));
    let named = NAMES.iter().find(|(_, names)| known(names)).map(|(severity, _)| *severity);
    named.or_else(|| numbered(word)).unwrap_or(Severity::Other)
}

/// `P1`, `sev-2`, `S3`, `1`: one is the worst, as in nearly all of these; 0 stands above it where a letter says that it is
/// no mere number. Zabbix counts the other way, which `severities` can say.
fn numbered(word: &str) -> Option<Severity> {
    let lower = word.to_ascii_lowercase();
    let prefix = NUMBERED.iter().find(|prefix| lower.starts_with(**prefix)).copied().unwrap_or_default();
    let number = lower.get(prefix.len()..)?.trim_start_matches(['-', '_', ' ', ':']);
    match number {
        "0" if !prefix.is_empty() => Some(Severity::Critical),
        "1" => Some(Severity::Critical),
        "2" => Some(Severity::Warning),
        "3" | "4" | "5" => Some(Severity::Info),
        _ => None,
    }
}

/// The two states of `POST /alert` that say how bad it is; beside alerts with a severity they take their place.
fn by_state(item: &Item<'_>) -> Severity {
    match state(item) {
        Some(state) if state.eq_ignore_ascii_case("medium") => Severity::Warning,
        Some(state) if state.eq_ignore_ascii_case("new") => Severity::Info,
        Some(_) | None => Severity::Unsaid,
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
            Self::Unsaid | Self::Other => "unknown",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }

    /// The word on the header; `said` is the alert's own, which is shown where nobody knows it.
    pub(super) const fn word<'w>(self, said: &'w str, words: &Words) -> &'w str {
        match self {
            Self::Critical => words.critical,
            Self::Unsaid => words.firing,
            Self::Warning => words.warning,
            Self::Other => said,
            Self::Info => words.info,
        }
    }
}

/// The colour of the header for the worst alert of a card. A state says the colour itself; `spcial` is how its users
/// have always spelt it.
pub(super) fn colour(worst: &Item<'_>, words: &SeverityWords) -> Template {
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
    let (severity, word) = of(worst, words);
    match (worst.alert.status, severity) {
        (Status::Resolved, _) => Template::Green,
        (Status::Firing, Severity::Critical | Severity::Unsaid) => Template::Red,
        (Status::Firing, Severity::Warning) if word.eq_ignore_ascii_case("medium") => Template::Yellow,
        (Status::Firing, Severity::Warning) => Template::Orange,
        (Status::Firing, Severity::Other) => Template::Grey,
        (Status::Firing, Severity::Info) => Template::Blue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_most_people_mean_by_them() {
        let none = SeverityWords::default();
        for (severity, said) in [
            (
                Severity::Critical,
                "critical CRITICAL Disaster page 严重 紧急 致命 灾难 重要 高 P0 p1 S1 SEV1 sev-1 Sev0 1 一级",
            ),
            (
                Severity::Warning,
                "warning Ticket 次要 一般 一般严重 中 警告 P2 S2 SEV2 sev_2 priority:2 2 二级",
            ),
            (Severity::Info, "info 提示 低 信息 P3 P4 P5 S3 S4 S5 SEV3 sev5 3 4 5 三级 none"),
            (Severity::Other, "0 6 10 apocalypse P9 sev 严 级 P1x stop"),
        ] {
            for word in said.split(' ') {
                assert_eq!(meaning(word, &none), severity, "{word}");
            }
        }
    }

    #[test]
    fn what_the_configuration_says_goes_before_what_is_usual() {
        let words: SeverityWords =
            [("5".to_owned(), NamedSeverity::Critical), ("error".to_owned(), NamedSeverity::Warning)]
                .into_iter()
                .collect();
        assert_eq!(meaning("5", &words), Severity::Critical);
        assert_eq!(meaning("ERROR", &words), Severity::Warning);
        assert_eq!(meaning("4", &words), Severity::Info);
    }
}
