//! `dead-letters list`.

use std::io::Write;
use std::process::ExitCode;

use serde_json::json;

use super::arguments::{Choice, ListArguments};
use super::context::CommandContext;
use super::terminal::{short, time};
use super::{CommandError, Terminal, terminal};
use crate::dead_letters::{DeadLetterState, Filter, Order, StoredDeadLetter};

/// What is shown of a letter's alerts and of its message, in characters.
const CELL_CHARS_MAX: usize = 48;

impl Choice {
    /// The filter that is meant.
    pub(super) fn filter(self, context: &CommandContext, states: Vec<DeadLetterState>) -> Filter {
        let now = context.clock.now();
        Filter {
            ids: self.letters,
            states,
            receiver: self.receiver,
            reason: self.reason,
            code: self.code,
            source: self.source,
            since: self.since.map(|when| when.moment(now)),
            until: self.until.map(|when| when.moment(now)),
            labels: self.labels,
        }
    }
}

pub(super) async fn list(
    context: &CommandContext,
    asked: ListArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let ListArguments { choice, states, limit, json } = asked;
    let are_usual = states.is_empty() && choice.letters.is_empty();
    let states = if are_usual { vec![DeadLetterState::Waiting, DeadLetterState::Replaying] } else { states };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // One more than is shown, to know whether there are more.
    let mut found =
        context.letters.find(&choice.filter(context, states), Order::NewestFirst, limit + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    if json {
        print_json(terminal.out, &json!({ "letters": found, "has_more": has_more }))?;
    } else if found.is_empty() {
        let others = if are_usual { "; --state shows those that were replayed or discarded" } else { "" };
        writeln!(terminal.out, "no such dead letters{others}")?;
    } else {
        letters(terminal.out, &found)?;
    }
    if has_more {
        writeln!(terminal.progress, "there are more than {limit}: --limit shows more, filters show fewer")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Letters as a table.
pub(super) fn letters(out: &mut dyn Write, letters: &[StoredDeadLetter]) -> Result<(), CommandError> {
    let row = |letter: &StoredDeadLetter| {
        let code = letter.code.map(|code| format!(" {code}")).unwrap_or_default();
        let outcome = letter.outcome.as_ref().map(|outcome| format!(" ({outcome})")).unwrap_or_default();
        [
            letter.id.to_string(),
            format!("{}{outcome}", letter.state),
            time(letter.last_failed_at),
            if letter.receiver.is_empty() { "-".to_owned() } else { short(&letter.receiver, CELL_CHARS_MAX) },
            format!("{}{code}", letter.reason),
            letter.alerts.to_string(),
            if letter.summary.is_empty() { "-".to_owned() } else { short(&letter.summary, CELL_CHARS_MAX) },
            short(&letter.message, CELL_CHARS_MAX),
        ]
    };
    let rows: Vec<_> = letters.iter().map(row).collect();
    let heading = ["LETTER", "STATE", "FAILED", "RECEIVER", "REASON", "ALERTS", "WHAT", "MESSAGE"];
    Ok(terminal::print(out, heading, &rows)?)
}

/// For other programs.
pub(super) fn print_json(out: &mut dyn Write, value: &impl serde::Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}")?)
}
