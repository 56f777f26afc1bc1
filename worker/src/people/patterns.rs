//! Many patterns with `*` and `?`, of which the first that fits is wanted. Pure.
//!
//! Most begin or end with letters: a text is held only against those that begin or end as it does.

use std::collections::{BTreeSet, HashMap};

use super::glob;

/// Patterns in their order, found by how they begin, or else by how they end.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    all: Vec<String>,
    beginnings: Affixes,
    endings: Affixes,
    /// The places of those that do neither with a letter.
    others: Vec<usize>,
}

/// Places of patterns by a literal part, and how long such parts are.
#[derive(Clone, Debug, Default)]
struct Affixes {
    places: HashMap<String, Vec<usize>>,
    lengths: BTreeSet<usize>,
}

impl Affixes {
    fn add(&mut self, affix: &str, place: usize) {
        self.lengths.insert(affix.len());
        self.places.entry(affix.to_owned()).or_default().push(place);
    }

    /// The places of those that have one of these parts; `part` cuts so many bytes off a text.
    fn of<'t>(&self, part: impl Fn(usize) -> Option<&'t str>) -> impl Iterator<Item = usize> {
        let parts = self.lengths.iter().filter_map(move |length| part(*length));
        parts.filter_map(|part| self.places.get(part)).flatten().copied()
    }
}

impl Patterns {
    /// These, in their order.
    pub(super) fn new(all: Vec<String>) -> Self {
        let mut patterns = Self::default();
        for (place, pattern) in all.iter().enumerate() {
            let beginning = pattern.split(['*', '?']).next().unwrap_or_default();
            let ending = pattern.rsplit(['*', '?']).next().unwrap_or_default();
            match (beginning, ending) {
                ("", "") => patterns.others.push(place),
                ("", ending) => patterns.endings.add(ending, place),
                (beginning, _) => patterns.beginnings.add(beginning, place),
            }
        }
        Self { all, ..patterns }
    }

    /// The place of the first that fits the whole text.
    pub(super) fn first(&self, text: &str) -> Option<usize> {
        let beginnings = self.beginnings.of(|length| text.get(..length));
        let endings = self.endings.of(|length| text.get(text.len().checked_sub(length)?..));
        let candidates = self.others.iter().copied().chain(beginnings).chain(endings);
        let fits = |place: &usize| self.all.get(*place).is_some_and(|pattern| glob::matches(pattern, text));
        candidates.filter(fits).min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_that_fits_is_the_one_a_plain_walk_finds(
            all in prop::collection::vec("[ab一*?]{0,5}", 0..12), text in "[ab一]{0,6}",
        ) {
            let walked = all.iter().position(|pattern| glob::matches(pattern, &text));
            prop_assert_eq!(Patterns::new(all).first(&text), walked);
        }
    }
}
