//! Emptying a full queue, measured in rounds: bare lapin and a worker in turn, with the same messages.

use crate::deployment::Programs;
use crate::drain::{DrainError, Drained, drain};
use crate::figure::{Figures, Goal, float};
use crate::machine::Machine;
use crate::progress;
use crate::report::{Report, note};
use crate::scenario::{Fill, Worker};

/// Measures all fills, as often as the scenario says.
pub(crate) async fn run(name: &str, scenario: Worker, programs: &Programs) -> Result<Report, DrainError> {
    let machine = Machine::describe();
    let mut figures = Figures::default();
    for round in 1..=scenario.rounds {
        progress(&format!("{name}, round {round} of {}", scenario.rounds));
        for fill in &scenario.fills {
            let drained = drain(fill, 1, 1, programs).await?;
            keep(&mut figures, fill, &drained);
        }
    }
    let about = "One worker emptying a full queue, beside bare lapin consuming the same messages";
    let scenario = serde_json::to_value(&scenario)?;
    Ok(Report {
        name: name.to_owned(),
        about: about.to_owned(),
        machine,
        scenario,
        figures,
        rounds: Vec::new(),
    })
}

fn keep(figures: &mut Figures, fill: &Fill, drained: &Drained) {
    let Fill { name, per_second_min, ratio_min, .. } = fill;
    let at_least = |goal: Option<f64>| goal.map(Goal::AtLeast);
    let ratio = drained.per_second / drained.raw_per_second;
    note(figures, format!("{name}: settled, alerts/s"), at_least(*per_second_min), drained.per_second);
    note(figures, format!("{name}: bare lapin, alerts/s"), None, drained.raw_per_second);
    note(figures, format!("{name}: settled ÷ bare lapin"), at_least(*ratio_min), ratio);
    note(figures, format!("{name}: alerts in a message"), None, drained.alerts_per_message);
    note(figures, format!("{name}: CPU of the worker, µs/alert"), None, drained.cpu_us);
    note(figures, format!("{name}: peak memory of the worker, MB"), None, float(drained.peak_bytes) / 1e6);
}
