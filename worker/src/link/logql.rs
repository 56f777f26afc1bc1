//! LogQL from templates and values (reference: LogQL's own lexer, which reads texts as Go does). Pure.

use std::fmt::Write;

use config::{Piece, QueryTemplate, ValueOf};

/// What a template is filled in with.
pub(super) struct Facts<'a> {
    /// Label and value of each matcher; never empty.
    pub(super) matchers: Vec<(&'a str, &'a str)>,
    /// The filter for errors.
    pub(super) errors: String,
    /// Other values; `None` if the alert does not have one that is fit for a query.
    pub(super) value: &'a dyn Fn(&ValueOf) -> Option<&'a str>,
}

/// The query, if every value it needs is there.
pub(super) fn filled(template: &QueryTemplate, facts: &Facts<'_>) -> Option<String> {
    let mut query = String::new();
    for piece in &template.pieces {
        match piece {
            Piece::Text(text) => query.push_str(text),
            Piece::Selector => query.extend(["{", &matchers(&facts.matchers), "}"]),
            Piece::Matchers => query.push_str(&matchers(&facts.matchers)),
            Piece::Errors => query.push_str(&facts.errors),
            Piece::Value { of, is_quoted, is_regexp } => {
                let value = (facts.value)(of)?;
                let value = if *is_regexp { literal_regexp(value) } else { value.to_owned() };
                query.push_str(&if *is_quoted { escaped(&value) } else { quoted(&value) });
            }
        }
    }
    Some(query)
}

/// A filter for lines with this text.
pub(super) fn contains(text: &str) -> String {
    format!("|= {}", quoted(text))
}

/// A filter for lines with one of these words, in upper or lower case.
pub(super) fn contains_any(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| literal_regexp(word)).collect();
    format!("|~ {}", quoted(&format!("(?i){}", words.join("|"))))
}

/// Equality only: what is a pattern in one alert would be an error in the next.
fn matchers(matchers: &[(&str, &str)]) -> String {
    matchers.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect::<Vec<_>>().join(",")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// The text between double quotes. A raw line feed would end it; what nobody could see becomes visible.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            // Writing to a string cannot fail. All of these have four digits at most.
            unseen if unseen.is_control() || has_no_width(unseen) => {
                let _written = write!(escaped, "\\u{:04x}", u32::from(unseen));
            }
            character => escaped.push(character),
        }
    }
    escaped
}

/// Characters without width, and those that turn the direction of reading.
fn has_no_width(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A regular expression (RE2) that matches exactly this text.
fn literal_regexp(text: &str) -> String {
    let mut regexp = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            regexp.push('\\');
        }
        regexp.push(character);
    }
    regexp
}
