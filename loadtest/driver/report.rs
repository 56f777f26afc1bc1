//! What was found, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::figure::{Figure, Figures, Goal};
use crate::machine::Machine;
use crate::scenario::Scenario;

/// A run and its circumstances.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) scenario: Scenario,
    pub(crate) figures: Figures,
}

impl Report {
    /// A table, the goals beside the figures.
    pub(crate) fn table(&self) -> String {
        let row =
            |cells: [&str; 4]| format!("{:<62} {:>9} {:>21}  {}", cells[0], cells[1], cells[2], cells[3]);
        let mut table = row(["", "median", "lowest … highest", "goal"]).trim_end().to_owned() + "\n";
        for figure in self.figures.iter() {
            let (low, high) = figure.range();
            let range = if figure.samples.len() > 1 {
                format!("{} … {}", number(low), number(high))
            } else {
                String::new()
            };
            let line = row([&figure.name, &number(figure.median()), &range, &verdict(figure)]);
            // Writing to a string cannot fail.
            let _infallible = writeln!(table, "{}", line.trim_end());
        }
        let _infallible = write!(table, "\n{}; medians of {} rounds\n", self.machine, self.scenario.rounds);
        table
    }
}

fn verdict(figure: &Figure) -> String {
    let Some(goal) = figure.goal else { return String::new() };
    let bound = match goal {
        Goal::AtLeast(least) => format!("≥ {least}"),
        Goal::AtMost(most) => format!("≤ {most}"),
    };
    format!("{bound:<6} {}", if figure.met() == Some(true) { "met" } else { "missed" })
}

/// Three digits that mean something, thousands apart.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
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
        let values = [0.987, 12.34, 48_213.7, 1_234_567.0];
        assert_eq!(values.map(number), ["0.99", "12.3", "48 214", "1 234 567"]);
    }

    #[test]
    fn a_missed_goal_is_said_to_be_missed() {
        let figure = Figure { name: "ratio".to_owned(), goal: Some(Goal::AtLeast(2.5)), samples: vec![2.4] };
        assert_eq!(verdict(&figure), "≥ 2.5  missed");
    }
}
