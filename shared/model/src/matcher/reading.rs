//! Texts to matchers, as Alertmanager reads them (its `matcher/parse` and `pkg/labels`): `{a="b", c=~"d|e"}`, the braces
//! and most quotes not needed. Pure.

use super::pattern::Pattern;
use super::{Matcher, MatcherError, Test};

/// What a name without quotes does not have, besides blanks.
const RESERVED: [char; 10] = ['{', '}', '!', '=', '~', ',', '\\', '\'', '"', '`'];

/// At least one.
pub(super) fn all(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    parts(text)?.into_iter().map(one).collect()
}

/// What stands between commas, at least one; braces around all of it are taken off.
pub(super) fn parts(text: &str) -> Result<Vec<&str>, MatcherError> {
    let whole = text.trim();
    let inner = match whole.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}').ok_or_else(|| MatcherError::Brace(whole.to_owned()))?,
        None => whole,
    };
    let mut parts = parted(inner);
    // A comma may stand at the end as well.
    if parts.len() > 1 && parts.last().is_some_and(|part| part.trim().is_empty()) {
        parts.pop();
    }
    Ok(parts)
}

/// Whether a name stands without quotes.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || RESERVED.contains(&c))
}

/// What stands between commas, but not within quotes.
fn parted(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut is_quoted = false;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if is_quoted => {
                characters.next();
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

pub(super) fn one(text: &str) -> Result<Matcher, MatcherError> {
    let text = text.trim();
    let no_operator = || MatcherError::NoOperator(text.to_owned());
    let (name, rest) = if text.starts_with('"') {
        quoted(text)?
    } else {
        let (name, rest) = text.split_at(text.find(['=', '!']).ok_or_else(no_operator)?);
        let name = name.trim();
        if !is_plain_name(name) {
            return Err(MatcherError::Name(name.to_owned()));
        }
        (name.to_owned(), rest)
    };
    if name.is_empty() {
        return Err(MatcherError::Name(name));
    }
    let rest = rest.trim_start();
    // The longer ones first: each begins like a shorter one.
    let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| rest.starts_with(operator));
    let operator = operator.ok_or_else(no_operator)?;
    let value = unquoted(rest[operator.len()..].trim())?;
    let condition = match operator {
        "=~" => Test::Match(Pattern::read(&value)?),
        "!~" => Test::NoMatch(Pattern::read(&value)?),
        "!=" => Test::NotEqual,
        _ => Test::Equal,
    };
    Ok(Matcher { name, value, test: condition })
}

/// The value without its quotes, if it has some.
pub(super) fn unquoted(value: &str) -> Result<String, MatcherError> {
    let wrong = || MatcherError::Quotes(value.to_owned());
    if !value.starts_with('"') {
        // Others than double quotes would be part of the value, which nobody means.
        let is_plain = !value.contains('"') && !value.starts_with(['\'', '`']);
        return if is_plain { Ok(value.to_owned()) } else { Err(wrong()) };
    }
    let (plain, rest) = quoted(value)?;
    if rest.is_empty() { Ok(plain) } else { Err(wrong()) }
}

/// The text in the quotes at the beginning, and what comes behind them. Backslashes escape `\`, `"` and the line feed
/// (`\n`), and stand for themselves before anything else: expressions have many.
fn quoted(text: &str) -> Result<(String, &str), MatcherError> {
    let wrong = || MatcherError::Quotes(text.to_owned());
    let mut characters = text.strip_prefix('"').ok_or_else(wrong)?.chars();
    let mut plain = String::with_capacity(text.len());
    loop {
        match characters.next().ok_or_else(wrong)? {
            '"' => return Ok((plain, characters.as_str())),
            '\\' => match characters.next().ok_or_else(wrong)? {
                escaped @ ('"' | '\\') => plain.push(escaped),
                'n' => plain.push('\n'),
                other => plain.extend(['\\', other]),
            },
            other => plain.push(other),
        }
    }
}
