//! What is wrong with a configuration, in words one can act on. Never quotes a value that may be a secret.

use std::fmt;

use runtime::plain::escaped;
use thiserror::Error;

/// Where something stands: a file with the line and the key, or a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    text: String,
    line: Option<usize>,
}

impl Place {
    /// A place in a file.
    pub(super) fn in_file(file: &str, line: usize, path: &str) -> Self {
        let text = if path.is_empty() { format!("{file}:{line}") } else { format!("{file}:{line}: {path}") };
        Self { text, line: Some(line) }
    }
}

impl<T: Into<String>> From<T> for Place {
    fn from(text: T) -> Self {
        Self { text: text.into(), line: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    place: Place,
    message: String,
}

impl Problem {
    /// Something wrong at a key, a variable or a file.
    pub fn new(place: impl Into<Place>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }

    /// Where it is.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// What is wrong there, and what to do about it.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key may hold anything, and so may the name of a file.
        formatter.write_str(&escaped(&format!("{}: {}", self.place, self.message)))
    }
}

/// Everything that is wrong, so that it can be mended in one go.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct ConfigErrors(pub Vec<Problem>);

impl ConfigErrors {
    /// Those of the file by their lines, as one who mends it reads it, and then all others.
    pub fn sorted(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.place.line.is_none(), problem.place.line));
        Self(problems)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("invalid configuration")?;
        self.0.iter().try_for_each(|problem| write!(formatter, "\n  {problem}"))
    }
}
