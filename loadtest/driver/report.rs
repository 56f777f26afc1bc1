//! What was found: as a table for people, as JSON for programs, and as a page to look at.

mod page;
mod plot;
mod round;

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::figure::{Figure, Figures, Goal};
use crate::machine::Machine;
use crate::progress;
pub(crate) use round::RoundReport;

/// Why a result was not kept.
#[derive(Debug, Error)]
pub(crate) enum KeepError {
    #[error("cannot write {path}: {source}", path = path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot write the figures as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A run and its circumstances.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The scenario's.
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) machine: Machine,
    /// As it was read.
    pub(crate) scenario: Value,
    pub(crate) figures: Figures,
    /// Where alerts were followed to their end, a verdict for each round.
    pub(crate) rounds: Vec<RoundReport>,
}

impl Report {
    /// Whether every round holds what is promised.
    pub(crate) fn holds(&self) -> bool {
        self.rounds.iter().all(|round| round.holds)
    }

    /// Writes NAME.json and NAME.html.
    pub(crate) fn keep(&self, folder: &Path) -> Result<PathBuf, KeepError> {
        let file = |path: &Path, what: &[u8]| {
            std::fs::write(path, what).map_err(|source| KeepError::File { path: path.to_owned(), source })
        };
        std::fs::create_dir_all(folder)
            .map_err(|source| KeepError::File { path: folder.to_owned(), source })?;
        file(&folder.join(format!("{}.json", self.name)), &serde_json::to_vec_pretty(self)?)?;
        let page = folder.join(format!("{}.html", self.name));
        file(&page, page::of(self).as_bytes())?;
        Ok(page)
    }

    /// A table, the goals beside the figures, and the verdicts below.
    pub(crate) fn table(&self) -> String {
        let row =
            |cells: [&str; 4]| format!("{:<62} {:>9} {:>21}  {}", cells[0], cells[1], cells[2], cells[3]);
        let mut table = row([&self.name, "median", "lowest … highest", "goal"]).trim_end().to_owned() + "\n";
        for figure in self.figures.iter() {
            let line = row([&figure.name, &number(figure.median()), &range(figure), &verdict(figure)]);
            // Writing to a string cannot fail.
            let _infallible = writeln!(table, "{}", line.trim_end());
        }
        for (index, round) in self.rounds.iter().enumerate() {
            let _infallible = write!(table, "\nround {}: {}", index + 1, round.words());
        }
        let rounds = self.figures.iter().map(|figure| figure.samples.len()).max().unwrap_or(0);
        let _infallible = write!(table, "\n{}; medians of {rounds}\n", self.machine);
        table
    }
}

/// Keeps a value, and shows it to whoever watches.
pub(crate) fn note(figures: &mut Figures, name: impl Into<String>, goal: Option<Goal>, value: f64) {
    let name = name.into();
    progress(&format!("  {name:<60} {:>10}", number(value)));
    figures.add(name, goal, value);
}

/// A whole number, thousands apart.
fn whole(value: f64) -> String {
    thousands(&format!("{value:.0}"))
}

/// A count, thousands apart.
pub(crate) fn count(count: u64) -> String {
    thousands(&count.to_string())
}

/// The lowest and the highest value, where there are several.
fn range(figure: &Figure) -> String {
    let (low, high) = figure.range();
    if figure.samples.len() > 1 { format!("{} … {}", number(low), number(high)) } else { String::new() }
}

fn verdict(figure: &Figure) -> String {
    let Some(goal) = figure.goal else { return String::new() };
    let bound = match goal {
        Goal::AtLeast(least) => format!("≥ {}", number(least)),
        Goal::AtMost(most) => format!("≤ {}", number(most)),
    };
    format!("{bound:<6} {}", if figure.met() == Some(true) { "met" } else { "missed" })
}

/// Three digits that mean something, thousands apart.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        none if none < f64::EPSILON => 0,
        tiny if tiny < 0.095 => 4,
        small if small < 10.0 => 2,
        middling if middling < 1_000.0 => 1,
        _ => return thousands(&format!("{value:.0}")),
    };
    format!("{value:.digits$}")
}

fn thousands(digits: &str) -> String {
    let mut spaced = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            spaced.push(' ');
        }
        spaced.push(digit);
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_what_can_be_believed_of_them() {
        let values = [0.0, 0.0123, 0.987, 12.34, 48_213.7, 1_234_567.0];
        assert_eq!(values.map(number), ["0", "0.0123", "0.99", "12.3", "48 214", "1 234 567"]);
    }

    #[test]
    fn a_missed_goal_is_said_to_be_missed() {
        let figure = Figure { name: "ratio".to_owned(), goal: Some(Goal::AtLeast(2.5)), samples: vec![2.4] };
        assert_eq!(verdict(&figure), "≥ 2.50 missed");
    }
}
