//! Signs that lines of ours begin with. Text from alerts never begins a line with one (`escape`), so a reader can
//! tell what Larkfire says from what an alert says of itself. Pure.

use config::SeverityWords;
use model::alert::Status;

use super::item::Item;
use super::severity::{self, Severity};

/// Before what was told already and goes on.
pub(super) const AGAIN: &str = "🔁";
/// Before what is counted rather than told.
pub(super) const MORE: &str = "➕";
/// Before who has taken an alert on.
pub(super) const TAKEN_ON: &str = "🙋";
/// Before who has silenced it.
pub(super) const SILENCED: &str = "🔕";

/// Before who was called because nobody had taken an alert on.
pub(super) const ESCALATED: &str = "⏫";

/// Before whose alerts they are.
pub(super) const OWNERS: &str = "👤";

/// Every sign; a test holds it together with the signs above and below.
const ALL: [char; 12] = ['🔴', '⭕', '🟠', '⚪', '🔵', '🟢', '🔁', '➕', '🙋', '🔕', '⏫', '👤'];

/// Whether a character is one of ours at the beginning of a line.
pub(super) fn is_sign(character: char) -> bool {
    ALL.contains(&character)
}

/// How it is with an alert, at a glance. The order is the order of a list, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Light {
    /// It fires, and somebody has to act now.
    Critical,
    /// It fires, and nobody said how bad it is.
    Unsaid,
    /// It fires, and somebody should look.
    Warning,
    /// It fires, and how bad it is was said in a word nobody knows.
    Other,
    /// It fires, and is good to know.
    Info,
    /// It is over, whatever it was.
    Over,
}

impl Light {
    pub(super) fn of(item: &Item<'_>, words: &SeverityWords) -> Self {
        match (item.is_firing(), severity::of(item, words).0) {
            (false, _) => Self::Over,
            (true, Severity::Critical) => Self::Critical,
            (true, Severity::Unsaid) => Self::Unsaid,
            (true, Severity::Warning) => Self::Warning,
            (true, Severity::Other) => Self::Other,
            (true, Severity::Info) => Self::Info,
        }
    }

    /// What stands before a line, for eyes that run down a list.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Critical => "🔴",
            // As urgent as red until somebody knows better, and hollow because nobody does.
            Self::Unsaid => "⭕",
            Self::Warning => "🟠",
            // No colour says anything about it.
            Self::Other => "⚪",
            Self::Info => "🔵",
            Self::Over => "🟢",
        }
    }

    /// Whether what it stands for fires or is over.
    pub(super) fn status(self) -> Status {
        if self.is_firing() { Status::Firing } else { Status::Resolved }
    }

    pub(super) fn is_firing(self) -> bool {
        self != Self::Over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_in_use_is_kept_from_alerts() {
        let lights = [Light::Critical, Light::Unsaid, Light::Warning, Light::Other, Light::Info, Light::Over];
        let used: String =
            lights.map(Light::sign).concat() + AGAIN + MORE + TAKEN_ON + SILENCED + ESCALATED + OWNERS;
        assert_eq!(used, ALL.iter().collect::<String>());
    }
}
