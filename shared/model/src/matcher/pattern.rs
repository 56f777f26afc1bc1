//! The expression of a matcher. Compiled when it is read, to see that it can be, and again when it is asked first: whoever
//! asks many at once (`regex::RegexSet`) needs none by itself, and each takes up to some hundred kilobytes.

use std::sync::{Arc, OnceLock};

use regex::{Regex, RegexBuilder};

use super::MatcherError;

/// What a compiled expression may take, in bytes: it is looked at for each alert.
const REGEX_BYTES_MAX: usize = 1024 * 1024;

/// Clones share what was compiled.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Arc<OnceLock<Option<Regex>>>);

impl Pattern {
    /// Sees whether it can be compiled.
    pub(super) fn read(expression: &str) -> Result<Self, MatcherError> {
        let refused = |cause| MatcherError::Regex { expression: expression.to_owned(), cause: short(&cause) };
        compile(expression).map_err(refused)?;
        Ok(Self(Arc::default()))
    }

    /// Whether all of this value fits the expression it was read from.
    pub(super) fn fits(&self, expression: &str, value: &str) -> bool {
        let regex = self.0.get_or_init(|| compile(expression).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(value))
    }
}

/// The expression that fits whole values only, as Alertmanager's do.
pub fn anchored(expression: &str) -> String {
    format!("^(?:{expression})$")
}

fn compile(expression: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&anchored(expression)).size_limit(REGEX_BYTES_MAX).build()
}

/// What is wrong, without the drawing above it.
fn short(cause: &regex::Error) -> String {
    let said = cause.to_string();
    let last = said.lines().next_back().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
