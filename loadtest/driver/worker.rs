//! Emptying a full queue, measured in rounds: bare lapin and a worker in turn, with the same messages.

use crate::deployment::Programs;
use crate::drain::{DrainError, Drained, HistoryUse, drain};
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
            let first = if round % 2 == 1 { HistoryUse::Kept } else { HistoryUse::Off };
            let mut with = None;
            let mut without = None;
            for history in [first, first.other()] {
                match history {
                    HistoryUse::Kept => with = Some(drain(fill, 1, 1, history, programs).await?),
                    HistoryUse::Off if fill.history_ratio_max.is_some() => {
                        without = Some(drain(fill, 1, 1, history, programs).await?);
                    }
                    HistoryUse::Off => {}
                }
            }
            if let Some(with) = &with {
                keep(&mut figures, fill, with);
            }
            if let Some((with, without)) = with.zip(without) {
                compare(&mut figures, fill, &with, &without);
            }
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

/// What history costs the worker: both in one round, in either order by turns.
fn compare(figures: &mut Figures, fill: &Fill, with: &Drained, without: &Drained) {
    let Fill { name, history_ratio_max, .. } = fill;
    let at_most = history_ratio_max.map(Goal::AtMost);
    let ratio = with.cpu_us / without.cpu_us;
    note(figures, format!("{name}: CPU of the worker without history, µs/alert"), None, without.cpu_us);
    note(figures, format!("{name}: CPU of the worker, with ÷ without history"), at_most, ratio);
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
