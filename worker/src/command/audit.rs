//! `audit` and `dead-letters audit`.

use std::process::ExitCode;

use serde_json::json;

use super::arguments::{AuditArguments, TrailArguments};
use super::context::CommandContext;
use super::list::print_json;
use super::terminal::{plain, short, time};
use super::{CommandError, Terminal, terminal};
use crate::audit::{AuditEntry, AuditFilter};

/// What is shown of who did it, of what was chosen and of what came of it, in characters.
const WHO_CHARS_MAX: usize = 48;
const TEXT_CHARS_MAX: usize = 96;

/// Everything anybody did.
pub(super) async fn all(
    context: &CommandContext,
    asked: &TrailArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let chosen = AuditFilter::Chosen {
        since: asked.since.map(|since| since.moment(context.clock.now())),
        who: asked.who.as_deref(),
        action: asked.action.as_deref(),
        before: None,
    };
    let trail = context.trail.entries(chosen, most(&asked.listed)).await?;
    let is_all = asked.since.is_none() && asked.who.is_none() && asked.action.is_none();
    let nothing = if is_all { "nobody has done anything yet" } else { "nobody has done that" };
    print(&trail, &asked.listed, nothing, terminal)
}

/// What operators did to dead letters.
pub(super) async fn of_letters(
    context: &CommandContext,
    asked: &AuditArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let trail = context.letters.audit(most(asked)).await?;
    print(&trail, asked, "nobody has replayed or discarded anything yet", terminal)
}

fn most(asked: &AuditArguments) -> usize {
    usize::try_from(asked.limit).unwrap_or(usize::MAX)
}

fn print(
    trail: &[AuditEntry],
    asked: &AuditArguments,
    nothing: &str,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    if asked.json {
        print_json(terminal.out, &json!({ "entries": trail }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if trail.is_empty() {
        writeln!(terminal.out, "{nothing}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let row = |entry: &AuditEntry| {
        let done = entry.done.map_or_else(|| "broken off".to_owned(), |done| done.to_string());
        [
            time(entry.at),
            short(&entry.who, WHO_CHARS_MAX),
            plain(&entry.action),
            format!("{done} of {}", entry.letters),
            short(&entry.chosen, TEXT_CHARS_MAX),
            short(entry.outcome.as_deref().unwrap_or_default(), TEXT_CHARS_MAX),
        ]
    };
    let rows: Vec<_> = trail.iter().map(row).collect();
    terminal::print(terminal.out, ["WHEN", "WHO", "WHAT", "HOW MANY", "WHICH", "OUTCOME"], &rows)?;
    Ok(ExitCode::SUCCESS)
}
