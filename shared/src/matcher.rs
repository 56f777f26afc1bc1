//! Matchers of labels in Alertmanager's syntax: `=`, `!=`, `=~`, `!~`. Pure.

use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};
use thiserror::Error;

use crate::alert::Labels;

/// What a compiled expression may take, in bytes: it is looked at for each alert.
const REGEX_BYTES_MAX: usize = 1024 * 1024;

/// One condition on one label. A label that is not there counts as empty, as in Alertmanager.
#[derive(Clone, Debug)]
pub struct Matcher {
    name: String,
    value: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Equal,
    NotEqual,
    Match(Regex),
    NoMatch(Regex),
}

/// Why a text is no matcher.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MatcherError {
    /// It has none of the four operators.
    #[error("{0:?} has none of =, !=, =~, !~; expected something like severity=\"critical\"")]
    NoOperator(String),
    /// What is before the operator cannot be a label.
    #[error("{0:?} is no name of a label: letters, digits and _, not a digit first")]
    Name(String),
    /// A quoted value that does not end, or goes on after its end.
    #[error("{0} is not quoted rightly: one \" at each end, and \\\" inside")]
    Quotes(String),
    /// The expression cannot be compiled.
    #[error("{expression:?} is no regular expression: {cause}")]
    Regex {
        /// The expression.
        expression: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl Matcher {
    /// The label it is about.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether these labels satisfy it.
    pub fn matches(&self, labels: &Labels<'_>) -> bool {
        let value = labels.get(&self.name).unwrap_or_default();
        match &self.test {
            Test::Equal => value == self.value,
            Test::NotEqual => value != self.value,
            Test::Match(regex) => regex.is_match(value),
            Test::NoMatch(regex) => !regex.is_match(value),
        }
    }
}

impl FromStr for Matcher {
    type Err = MatcherError;

    fn from_str(text: &str) -> Result<Self, MatcherError> {
        let text = text.trim();
        let at = text.find(['=', '!']).ok_or_else(|| MatcherError::NoOperator(text.to_owned()))?;
        let (name, rest) = text.split_at(at);
        // The longer ones first: each begins like a shorter one.
        let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| rest.starts_with(operator));
        let operator = operator.ok_or_else(|| MatcherError::NoOperator(text.to_owned()))?;
        let name = label_name(name.trim())?;
        let value = unquote(rest[operator.len()..].trim())?;
        let condition = match operator {
            "=~" => Test::Match(anchored(&value)?),
            "!~" => Test::NoMatch(anchored(&value)?),
            "!=" => Test::NotEqual,
            _ => Test::Equal,
        };
        Ok(Self { name, value, test: condition })
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.test {
            Test::Equal => "=",
            Test::NotEqual => "!=",
            Test::Match(_) => "=~",
            Test::NoMatch(_) => "!~",
        };
        let value = self.value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
        write!(formatter, "{}{operator}\"{value}\"", self.name)
    }
}

/// Matches the whole value, as Alertmanager's do.
fn anchored(expression: &str) -> Result<Regex, MatcherError> {
    let whole = format!("^(?:{expression})$");
    RegexBuilder::new(&whole)
        .size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|cause| MatcherError::Regex { expression: expression.to_owned(), cause: short(&cause) })
}

/// What is wrong, without the drawing above it.
fn short(cause: &regex::Error) -> String {
    let said = cause.to_string();
    let last = said.lines().next_back().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

fn label_name(name: &str) -> Result<String, MatcherError> {
    let fits = |place: usize, byte: u8| {
        byte.is_ascii_alphabetic() || byte == b'_' || (place > 0 && byte.is_ascii_digit())
    };
    let is_name = !name.is_empty() && name.bytes().enumerate().all(|(place, byte)| fits(place, byte));
    if is_name { Ok(name.to_owned()) } else { Err(MatcherError::Name(name.to_owned())) }
}

/// The value without its quotes, if it has some. Backslashes escape `\`, `"` and the line feed (`\n`) between quotes,
/// and stand for themselves before anything else: expressions have many.
fn unquote(value: &str) -> Result<String, MatcherError> {
    let wrong = || MatcherError::Quotes(value.to_owned());
    let Some(inner) = value.strip_prefix('"') else {
        return if value.contains('"') { Err(wrong()) } else { Ok(value.to_owned()) };
    };
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    loop {
        match characters.next().ok_or_else(wrong)? {
            '"' => return if characters.as_str().is_empty() { Ok(plain) } else { Err(wrong()) },
            '\\' => match characters.next().ok_or_else(wrong)? {
                escaped @ ('"' | '\\') => plain.push(escaped),
                'n' => plain.push('\n'),
                other => plain.extend(['\\', other]),
            },
            other => plain.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    fn labels(pairs: &[(&'static str, &'static str)]) -> Labels<'static> {
        pairs.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value))).collect()
    }

    #[test]
    fn each_operator_does_what_it_does_in_alertmanager() {
        let labels = labels(&[("severity", "critical"), ("namespace", "shop-eu"), ("path", r#"C:\x "y""#)]);
        for (matcher, expected) in [
            (r#"severity="critical""#, true),
            ("severity=critical", true),
            (r#" severity = "critical" "#, true),
            ("severity=warning", false),
            ("severity!=warning", true),
            (r#"namespace=~"shop-.*""#, true),
            // Anchored at both ends.
            ("namespace=~shop", false),
            ("namespace=~hop-e", false),
            (r#"namespace=~"a|shop-eu""#, true),
            (r#"namespace!~"shop-(us|cn)""#, true),
            // What is not there is empty.
            (r#"team="""#, true),
            ("team!=ops", true),
            ("team=~.+", false),
            ("team=", true),
            (r#"path="C:\x \"y\"""#, true),
            (r"namespace=~\w+-eu", true),
        ] {
            assert_eq!(matcher.parse::<Matcher>().unwrap().matches(&labels), expected, "{matcher}");
        }
    }

    #[test]
    fn what_is_no_matcher_is_refused_in_words_that_help() {
        for (text, says) in [
            ("severity", "expected something like severity=\"critical\""),
            ("", "has none of ="),
            ("a!b", "has none of ="),
            ("1a=b", "is no name of a label"),
            ("=b", "is no name of a label"),
            (r#"a="b"#, "is not quoted rightly"),
            (r#"a="b"c"#, "is not quoted rightly"),
            (r#"a=b"c"#, "is not quoted rightly"),
            ("a=~(", "is no regular expression"),
            (r"a=~(\w{9}){99}{99}", "is no regular expression"),
        ] {
            let said = text.parse::<Matcher>().unwrap_err().to_string();
            assert!(said.contains(says), "{text}: {said}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(value in any::<String>()) {
            let matcher = Matcher { name: "name".to_owned(), value, test: Test::Equal };
            let read: Matcher = matcher.to_string().parse().unwrap();
            prop_assert_eq!(read.value, matcher.value);
        }
    }
}
