//! Figures: one value per round, their median, and the goal they are held against. Pure.

use serde::{Serialize, Serializer};

/// What is hoped for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    pub(crate) fn met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

/// One thing that was measured.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// What it is, its unit included.
    pub(crate) name: String,
    pub(crate) goal: Option<Goal>,
    /// One for each round.
    pub(crate) samples: Vec<f64>,
}

impl Figure {
    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    /// The smallest and the largest.
    pub(crate) fn range(&self) -> (f64, f64) {
        let sorted = self.sorted();
        let end = |value: Option<&f64>| value.copied().unwrap_or(f64::NAN);
        (end(sorted.first()), end(sorted.last()))
    }

    /// Whether the goal is met; `None` without one.
    pub(crate) fn met(&self) -> Option<bool> {
        self.goal.map(|goal| goal.met(self.median()))
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told<'f> {
            name: &'f str,
            median: f64,
            samples: &'f [f64],
            goal: Option<Goal>,
            met: Option<bool>,
        }
        let Self { name, goal, samples } = self;
        Told { name, median: self.median(), samples, goal: *goal, met: self.met() }.serialize(serializer)
    }
}

/// All figures of a run, in the order they were first measured.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Figures(Vec<Figure>);

impl Figures {
    /// Adds a round's value.
    pub(crate) fn add(&mut self, name: impl Into<String>, goal: Option<Goal>, value: f64) {
        let name = name.into();
        match self.0.iter_mut().find(|figure| figure.name == name) {
            Some(figure) => figure.samples.push(value),
            None => self.0.push(Figure { name, goal, samples: vec![value] }),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Figure> {
        self.0.iter()
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// The value below which this part of all values lies; they come sorted.
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides_whether_a_goal_is_met() {
        let mut figures = Figures::default();
        for value in [0.9, 1.5, 1.1] {
            figures.add("ratio", Some(Goal::AtLeast(1.0)), value);
        }
        let figure = figures.iter().next().unwrap();
        assert_eq!((figure.samples.len(), figure.range(), figure.met()), (3, (0.9, 1.5), Some(true)));
        assert!(!Goal::AtMost(1.0).met(figure.median()));
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<u32> = (1..=200).collect();
        assert_eq!(
            [50, 99, 100].map(|percent| percentile(&sorted, percent)),
            [Some(100), Some(198), Some(200)]
        );
        assert_eq!(percentile::<u32>(&[], 50), None);
    }
}
