//! Which of many routes beside each other can take an alert at all: those that ask for a value it has, or an expression it
//! fits. Pure.

use std::collections::{BTreeSet, HashMap};

use super::asked::{Answers, MatcherQuestion};

/// Fewer routes are asked one after another.
const INDEXED_MIN: usize = 8;

/// Routes by one question each has to be answered with yes, the rarest of its own; places are those among the routes.
#[derive(Clone, Debug)]
pub(super) struct RouteIndex {
    by_value: HashMap<usize, HashMap<String, Vec<usize>>>,
    by_expression: HashMap<usize, HashMap<usize, Vec<usize>>>,
    /// Those that ask for nothing of the kind.
    others: Vec<usize>,
}

impl RouteIndex {
    /// The index of routes with these questions; `None` for so few that it does not pay.
    pub(super) fn of<'q>(routes: impl Iterator<Item = &'q [MatcherQuestion]> + Clone) -> Option<Self> {
        if routes.clone().count() < INDEXED_MIN {
            return None;
        }
        let mut asked: HashMap<&MatcherQuestion, usize> = HashMap::new();
        for question in routes.clone().flatten() {
            *asked.entry(question).or_default() += 1;
        }
        let mut index = Self { by_value: HashMap::new(), by_expression: HashMap::new(), others: Vec::new() };
        for (place, questions) in routes.enumerate() {
            let is_key = |question: &&MatcherQuestion| {
                matches!(question, MatcherQuestion::Equal(..) | MatcherQuestion::Match(..))
            };
            let cost = |question: &&MatcherQuestion| {
                (asked.get(*question), matches!(question, MatcherQuestion::Match(..)))
            };
            match questions.iter().filter(is_key).min_by_key(cost) {
                Some(MatcherQuestion::Equal(label, value)) => {
                    let by_value = index.by_value.entry(*label).or_default();
                    by_value.entry(value.clone()).or_default().push(place);
                }
                Some(MatcherQuestion::Match(label, expression)) => {
                    let by_expression = index.by_expression.entry(*label).or_default();
                    by_expression.entry(*expression).or_default().push(place);
                }
                Some(MatcherQuestion::NotEqual(..) | MatcherQuestion::NoMatch(..)) | None => {
                    index.others.push(place);
                }
            }
        }
        Some(index)
    }

    /// The places of the routes that can take an alert with these answers, in their order.
    pub(super) fn candidates(&self, answers: &mut Answers<'_, '_>) -> BTreeSet<usize> {
        let mut candidates: BTreeSet<usize> = self.others.iter().copied().collect();
        for (label, by_value) in &self.by_value {
            candidates.extend(by_value.get(answers.value(*label)).into_iter().flatten());
        }
        for (label, by_expression) in &self.by_expression {
            let fitting = answers.fitting(*label);
            candidates
                .extend(fitting.iter().filter_map(|expression| by_expression.get(expression)).flatten());
        }
        candidates
    }
}
