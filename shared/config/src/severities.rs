//! Settings of how bad the words are that senders use for severity.

#[cfg(test)]
mod tests;

use super::kinds::Must;
use super::reader::Section;

/// How long a word may be, in bytes: it stands on cards.
const WORD_BYTES_MAX: usize = 64;

/// How bad a word is that an operator has given a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedSeverity {
    /// Somebody has to act now.
    Critical,
    /// Somebody should look.
    Warning,
    /// Good to know.
    Info,
}

/// Words for severity that an operator has given a meaning; they go before those Larkfire knows by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeverityWords(Vec<(String, NamedSeverity)>);

impl SeverityWords {
    /// How bad a word is, in upper or lower case; `None` if the configuration does not say.
    pub fn get(&self, word: &str) -> Option<NamedSeverity> {
        let named = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        named.map(|(_, severity)| *severity)
    }
}

impl FromIterator<(String, NamedSeverity)> for SeverityWords {
    fn from_iter<I: IntoIterator<Item = (String, NamedSeverity)>>(words: I) -> Self {
        Self(words.into_iter().collect())
    }
}

pub(super) fn severities(root: &Section<'_>) -> SeverityWords {
    root.pairs("severities", word, severity).into_iter().collect()
}

fn word(text: &str) -> Result<String, Must> {
    let usable = (1..=WORD_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control);
    usable
        .then(|| text.to_owned())
        .ok_or_else(|| format!("a word that senders use for severity, of 1 to {WORD_BYTES_MAX} bytes"))
}

fn severity(text: &str) -> Result<NamedSeverity, Must> {
    match text {
        "critical" => Ok(NamedSeverity::Critical),
        "warning" => Ok(NamedSeverity::Warning),
        "info" => Ok(NamedSeverity::Info),
        _ => Err("critical, warning or info".to_owned()),
    }
}
