//! What the matchers of all routes ask of an alert, each question once: a label is looked up once, and all expressions on it
//! are asked together. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use model::alert::Labels;
use model::matcher::{Condition, Matcher, anchored};
use regex::{RegexSet, RegexSetBuilder};

/// What the automaton of a label's expressions may take, in bytes, a thread that asks it: so much, and so much more for
/// each. With less it forgets what it has found out, and is slow.
const AUTOMATON_BYTES: usize = 2 * 1024 * 1024;
const AUTOMATON_BYTES_EACH: usize = 4 * 1024;

/// The labels routes ask about.
#[derive(Clone, Debug, Default)]
pub(super) struct Questions {
    labels: Vec<LabelQuestions>,
}

/// What is asked about one label.
#[derive(Clone, Debug)]
struct LabelQuestions {
    name: String,
    expressions: RegexSet,
}

/// What one matcher asks: of the label of this place, by the value or the place of the expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum MatcherQuestion {
    Equal(usize, String),
    NotEqual(usize, String),
    Match(usize, usize),
    NoMatch(usize, usize),
}

/// Gathers what is asked, before any of it is.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    labels: Vec<(String, Vec<String>)>,
    places: HashMap<String, usize>,
    expressions: HashMap<(usize, String), usize>,
}

impl Gathering {
    /// What this matcher asks.
    pub(super) fn question(&mut self, matcher: &Matcher) -> MatcherQuestion {
        let label = self.label(matcher.name());
        match matcher.condition() {
            Condition::Equal(value) => MatcherQuestion::Equal(label, value.to_owned()),
            Condition::NotEqual(value) => MatcherQuestion::NotEqual(label, value.to_owned()),
            Condition::Match(expression) => MatcherQuestion::Match(label, self.expression(label, expression)),
            Condition::NoMatch(expression) => {
                MatcherQuestion::NoMatch(label, self.expression(label, expression))
            }
        }
    }

    fn label(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.labels.len();
        self.labels.push((name.to_owned(), Vec::new()));
        self.places.insert(name.to_owned(), place);
        place
    }

    fn expression(&mut self, label: usize, expression: &str) -> usize {
        let known = &mut self.labels[label].1;
        let place = self.expressions.entry((label, expression.to_owned())).or_insert(known.len());
        if *place == known.len() {
            known.push(anchored(expression));
        }
        *place
    }

    /// Everything that is asked.
    pub(super) fn finish(self) -> Questions {
        let each = self.labels.into_iter();
        let labels = each.map(|(name, texts)| LabelQuestions { name, expressions: together(&texts) });
        Questions { labels: labels.collect() }
    }
}

/// One automaton for all of them.
fn together(expressions: &[String]) -> RegexSet {
    let built = RegexSetBuilder::new(expressions)
        // Each has kept within its own limit when it was read.
        .size_limit(usize::MAX)
        .dfa_size_limit(AUTOMATON_BYTES + AUTOMATON_BYTES_EACH * expressions.len())
        .build();
    // Each was compiled by itself when it was read, so nothing is left to refuse.
    built.unwrap_or_else(|_| RegexSet::empty())
}

/// The answers of one alert after another.
#[derive(Debug)]
pub(super) struct Answers<'q, 'e> {
    questions: &'q Questions,
    /// Of the alert that is asked, by the labels' places.
    values: Vec<&'e str>,
    /// By the labels' places, which expressions a value fits: alerts of an envelope have many values in common.
    fitting: Vec<HashMap<&'e str, Arc<[usize]>>>,
}

impl<'q, 'e> Answers<'q, 'e> {
    pub(super) fn to(questions: &'q Questions) -> Self {
        let fitting = vec![HashMap::new(); questions.labels.len()];
        Self { questions, values: Vec::new(), fitting }
    }

    /// It is this alert that is asked.
    pub(super) fn are_of(&mut self, labels: &'e Labels<'_>) {
        let value = |label: &LabelQuestions| labels.get(&label.name).unwrap_or_default();
        self.values.clear();
        self.values.extend(self.questions.labels.iter().map(value));
    }

    /// Its value of the label of this place; empty where it has none.
    pub(super) fn value(&self, label: usize) -> &'e str {
        self.values.get(label).copied().unwrap_or_default()
    }

    /// The expressions on the label that its value fits, in their order.
    pub(super) fn fitting(&mut self, label: usize) -> Arc<[usize]> {
        let value = self.value(label);
        let questions = self.questions;
        let fitting = self.fitting[label].entry(value);
        Arc::clone(
            fitting
                .or_insert_with(|| questions.labels[label].expressions.matches(value).into_iter().collect()),
        )
    }

    /// Whether it is yes.
    pub(super) fn hold(&mut self, question: &MatcherQuestion) -> bool {
        let mut fits = |label, expression: &usize| self.fitting(label).binary_search(expression).is_ok();
        match question {
            MatcherQuestion::Match(label, expression) => fits(*label, expression),
            MatcherQuestion::NoMatch(label, expression) => !fits(*label, expression),
            MatcherQuestion::Equal(label, value) => self.value(*label) == value,
            MatcherQuestion::NotEqual(label, value) => self.value(*label) != value,
        }
    }
}
