//! Matchers of labels in Alertmanager's syntax: `=`, `!=`, `=~`, `!~`. Pure.

mod pattern;
mod query;
mod reading;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::alert::Labels;
use pattern::Pattern;
pub use pattern::anchored;
pub use query::{Comparison, Query, QueryError, QueryTerm};

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
    Match(Pattern),
    NoMatch(Pattern),
}

/// What a matcher asks of its label, for whoever asks many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'m> {
    /// It is this value.
    Equal(&'m str),
    /// It is another.
    NotEqual(&'m str),
    /// All of it fits this expression.
    Match(&'m str),
    /// Not all of it does.
    NoMatch(&'m str),
}

/// Why a text is no matcher.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MatcherError {
    /// It has none of the four operators.
    #[error("{0:?} has none of =, !=, =~, !~; expected something like severity=\"critical\"")]
    NoOperator(String),
    /// What is before the operator cannot be a label.
    #[error(
        "{0:?} is no name of a label: unless in double quotes it has no blanks and none of {{ }} ! = ~ , \\ ' \" `"
    )]
    Name(String),
    /// A quoted value that does not end, or goes on after its end, or has other quotes than these.
    #[error("{0} is not quoted rightly: one \" at each end, and \\\" inside")]
    Quotes(String),
    /// There is more than one where one is asked for.
    #[error("{0:?} is more than one matcher; a comma of a value's own stands in double quotes")]
    Several(String),
    /// A brace that does not end.
    #[error("{0:?} begins with {{ and does not end with }}")]
    Brace(String),
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
    /// The one that wants exactly this value of this label.
    pub fn equal(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned(), test: Test::Equal }
    }

    /// The label it is about.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The matchers of one text, at least one: several are parted by commas, and braces may stand around them.
    pub fn all(text: &str) -> Result<Vec<Self>, MatcherError> {
        reading::all(text)
    }

    /// The one value it asks for, if it does: what an index can be asked for.
    pub const fn equal_value(&self) -> Option<&str> {
        match &self.test {
            Test::Equal => Some(self.value.as_str()),
            Test::NotEqual | Test::Match(_) | Test::NoMatch(_) => None,
        }
    }

    /// What it asks.
    pub const fn condition(&self) -> Condition<'_> {
        let value = self.value.as_str();
        match &self.test {
            Test::Equal => Condition::Equal(value),
            Test::NotEqual => Condition::NotEqual(value),
            Test::Match(_) => Condition::Match(value),
            Test::NoMatch(_) => Condition::NoMatch(value),
        }
    }

    /// Whether these labels satisfy it.
    pub fn matches(&self, labels: &Labels<'_>) -> bool {
        let value = labels.get(&self.name).unwrap_or_default();
        match &self.test {
            Test::Equal => value == self.value,
            Test::NotEqual => value != self.value,
            Test::Match(pattern) => pattern.fits(&self.value, value),
            Test::NoMatch(pattern) => !pattern.fits(&self.value, value),
        }
    }
}

impl FromStr for Matcher {
    type Err = MatcherError;

    fn from_str(text: &str) -> Result<Self, MatcherError> {
        let one = <[Self; 1]>::try_from(reading::all(text)?);
        one.map(|[one]| one).map_err(|_| MatcherError::Several(text.to_owned()))
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
        let quoted = |text: &str| {
            let inner = text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
            format!("\"{inner}\"")
        };
        let is_plain = reading::is_plain_name(&self.name);
        let name = if is_plain { self.name.clone() } else { quoted(&self.name) };
        write!(formatter, "{name}{operator}{}", quoted(&self.value))
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
            ("=b", "is no name of a label"),
            ("\"\"=b", "is no name of a label"),
            ("a b=c", "is no name of a label"),
            (r#""a=b"#, "is not quoted rightly"),
            ("a='b'", "is not quoted rightly"),
            ("a=b,c=d", "is more than one matcher"),
            ("{a=b", "begins with { and does not end with }"),
            ("a=b,c", "\"c\" has none of ="),
            ("{}", "has none of ="),
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

    #[test]
    fn one_text_may_hold_several_as_in_alertmanager() {
        for (text, shown) in [
            ("severity=critical,team=a", r#"severity="critical" team="a""#),
            (
                r#" { severity = "critical" , team=~"a,b|[{]c[}]" , } "#,
                r#"severity="critical" team=~"a,b|[{]c[}]""#,
            ),
            (r#"a="x\",y=\\",b!~z"#, r#"a="x\",y=\\" b!~"z""#),
            ("a=", r#"a="""#),
        ] {
            let all = Matcher::all(text).unwrap();
            assert_eq!(all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), shown, "{text}");
        }
    }

    #[test]
    fn a_label_may_be_called_anything() {
        let labels = labels(&[("部署环境", "生产"), ("service.name", "order"), ("a b,c=d", "x")]);
        for text in
            ["部署环境=生产", r#"service.name=~"ord.*""#, r#""service.name"="order""#, r#""a b,c=d" = x"#]
        {
            let matcher: Matcher = text.parse().unwrap();
            assert!(matcher.matches(&labels), "{text}");
            assert!(matcher.to_string().parse::<Matcher>().unwrap().matches(&labels), "{matcher}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(name in ".+", value in any::<String>()) {
            let matcher = Matcher { name, value, test: Test::Equal };
            let read: Matcher = matcher.to_string().parse().unwrap();
            prop_assert_eq!((read.name, read.value), (matcher.name, matcher.value));
        }

        #[test]
        fn no_text_is_too_odd_to_be_read_or_refused(text in any::<String>()) {
            for matcher in Matcher::all(&text).unwrap_or_default() {
                prop_assert_eq!(matcher.to_string().parse::<Matcher>().unwrap().to_string(), matcher.to_string());
            }
        }
    }
}
