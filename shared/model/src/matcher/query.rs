//! A filter as people type it: matchers of labels in Alertmanager's syntax, and conditions on what is no label, whose names
//! begin with `@`: `severity="critical", @receiver=ops, @age<2h`. Pure.

use std::fmt;

use thiserror::Error;

use super::reading;
use super::{Matcher, MatcherError};

/// A filter; each part narrows it. Without any it is everything.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// What labels have to be.
    pub labels: Vec<Matcher>,
    /// What else has to hold.
    pub terms: Vec<QueryTerm>,
}

/// A condition on what is no label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryTerm {
    /// Its name, without the `@`.
    pub name: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: String,
}

/// How a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`.
    Equal,
    /// `<`.
    Less,
    /// `>`.
    Greater,
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueryError {
    /// A matcher of it is none.
    #[error(transparent)]
    Matcher(#[from] MatcherError),
    /// A condition that does not compare.
    #[error("{0:?} has none of =, <, >; expected something like @receiver=ops or @age<2h")]
    NoComparison(String),
}

impl Comparison {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Less => "<",
            Self::Greater => ">",
        }
    }
}

impl Query {
    /// Reads a filter; an empty text is everything.
    pub fn read(text: &str) -> Result<Self, QueryError> {
        let mut query = Self::default();
        if text.trim().trim_matches(['{', '}', ',']).trim().is_empty() {
            return Ok(query);
        }
        for part in reading::parts(text)? {
            match part.trim().strip_prefix('@') {
                Some(term) => query.terms.push(self::term(term)?),
                None => query.labels.push(reading::one(part)?),
            }
        }
        Ok(query)
    }

    /// Whether it is everything.
    pub const fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.terms.is_empty()
    }

    /// The same, with a condition more.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.terms.push(QueryTerm {
            name: name.to_owned(),
            comparison: Comparison::Equal,
            value: value.to_owned(),
        });
        self
    }
}

fn term(text: &str) -> Result<QueryTerm, QueryError> {
    let no_comparison = || QueryError::NoComparison(format!("@{text}"));
    let (name, rest) = text.split_at(text.find(['=', '<', '>']).ok_or_else(no_comparison)?);
    let comparison = [Comparison::Equal, Comparison::Less, Comparison::Greater]
        .into_iter()
        .find(|comparison| rest.starts_with(comparison.as_str()))
        .ok_or_else(no_comparison)?;
    let value = reading::unquoted(rest[1..].trim())?;
    Ok(QueryTerm { name: name.trim().to_owned(), comparison, value })
}

impl fmt::Display for Query {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.labels.iter().map(ToString::to_string);
        let parts: Vec<_> = labels.chain(self.terms.iter().map(ToString::to_string)).collect();
        formatter.write_str(&parts.join(", "))
    }
}

impl fmt::Display for QueryTerm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.replace('\\', r"\\").replace('"', r#"\""#);
        write!(formatter, "@{}{}\"{value}\"", self.name, self.comparison.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_what_is_no_label_stand_side_by_side() {
        let text = r#"{severity=~"crit.*", @receiver=ops, @age<2h, @reason="a, \"b\"", team!=x,}"#;
        let query = Query::read(text).unwrap();
        let labels: Vec<_> = query.labels.iter().map(ToString::to_string).collect();
        assert_eq!(labels, [r#"severity=~"crit.*""#, r#"team!="x""#]);
        let [receiver, age, reason] = &query.terms[..] else { panic!("{query:?}") };
        assert_eq!((receiver.name.as_str(), receiver.value.as_str()), ("receiver", "ops"));
        assert_eq!((age.comparison, age.value.as_str()), (Comparison::Less, "2h"));
        assert_eq!(reason.value, r#"a, "b""#);
        let again = Query::read(&query.to_string()).unwrap();
        assert_eq!(again.to_string(), query.to_string());
        assert_eq!(again.terms, query.terms);
    }

    #[test]
    fn nothing_is_everything_and_what_is_no_condition_is_refused() {
        for text in ["", "  ", "{}", "{ }"] {
            assert!(Query::read(text).unwrap().is_empty(), "{text}");
        }
        assert!(matches!(Query::read("@receiver"), Err(QueryError::NoComparison(_))));
        assert!(matches!(Query::read("severity"), Err(QueryError::Matcher(_))));
        assert_eq!(Query::default().and("receiver", "a\"b").to_string(), r#"@receiver="a\"b""#);
    }
}
