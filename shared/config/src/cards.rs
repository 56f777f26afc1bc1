//! How cards are written.

use super::kinds::Must;
use super::reader::{Section, key_or};

/// The format of Feishu's that a card is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CardFormat {
    /// Card JSON 1.0: every client shows it.
    #[default]
    V1,
    /// Card JSON 2.0, with tags, tables and panels: clients before 7.20 show its header only.
    V2,
}

impl CardFormat {
    /// Both, the older one first.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// What Feishu calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }

    /// The one that this is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }

    /// The one that Feishu calls so.
    pub fn called(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// How cards are written, where their receiver has no setting of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CardsConfig {
    /// In which format.
    pub format: CardFormat,
}

pub(super) fn cards(section: Section<'_>) -> CardsConfig {
    let format = section.value(key_or("format", "CARD_FORMAT"), card_format).unwrap_or_default();
    section.finish();
    CardsConfig { format }
}

pub(super) fn card_format(text: &str) -> Result<CardFormat, Must> {
    CardFormat::called(text).ok_or_else(|| "1.0 or 2.0".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::{Config, Environment, parse};

    fn read(text: &str) -> Result<Config, String> {
        parse("larkfire.yaml", text, Environment::default()).map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_receiver_has_its_own_format_or_that_of_all_and_without_any_the_one_that_every_client_shows() {
        let receivers = "
receivers:
  default: { webhook_url: https://h/x }
  old: { webhook_url: https://h/y, card_format: 1.0 }
  new: { webhook_url: https://h/z, card_format: \"2.0\" }
";
        let formats = |cards: &str| {
            let config = read(&format!("{cards}{receivers}")).unwrap();
            let of_receivers = config.receivers.iter().map(|receiver| receiver.card_format.as_str());
            (config.cards.format.as_str(), of_receivers.collect::<Vec<_>>())
        };
        assert_eq!(formats(""), ("1.0", vec!["1.0", "1.0", "2.0"]));
        assert_eq!(formats("cards: { format: 2.0 }"), ("2.0", vec!["2.0", "1.0", "2.0"]));
    }

    #[test]
    fn a_format_that_there_is_not_is_refused_with_its_key() {
        let problems = read(
            "cards: { format: 3.0 }\nreceivers: { default: { webhook_url: https://h/x, card_format: new } }",
        );
        let problems = problems.unwrap_err();
        for told in [
            "larkfire.yaml:1: cards.format: must be 1.0 or 2.0",
            "receivers.default.card_format: must be 1.0 or 2.0",
        ] {
            assert!(problems.contains(told), "{told:?} is not in {problems}");
        }
    }
}
