//! Which letters an action is about: found before anything is done, so that it can be said first, and so that what
//! dies meanwhile is not caught up in it.

use std::io::Write;

use serde_json::json;

use super::arguments::Acting;
use super::context::CommandContext;
use super::terminal::count;
use super::{CommandError, Terminal, context, list};
use crate::dead_letters::{DeadLetterState, Filter, Order, StoredDeadLetter};

/// Letters one command acts on; for more it is run again.
const LETTERS_MAX: usize = 10_000;

/// What is to be done, to what, by whom.
pub(super) struct Plan {
    pub(super) filter: Filter,
    pub(super) letters: Vec<StoredDeadLetter>,
    pub(super) who: String,
    /// Whether every letter that was named is among them.
    pub(super) is_whole: bool,
}

/// Finds the letters. `None` if there is nothing to be done: none are meant, or they were only to be shown.
pub(super) async fn plan(
    context: &CommandContext,
    acting: Acting,
    verb: &str,
    states: Vec<DeadLetterState>,
    terminal: &mut Terminal<'_>,
) -> Result<Option<Plan>, CommandError> {
    let Acting { choice, all, dry_run, name, json } = acting;
    let filter = choice.filter(context, states);
    if !filter.is_narrow() && !all {
        return Err(CommandError::Usage(format!(
            "which letters? Name them by number or by a filter (--help shows them), or {verb} every one with --all"
        )));
    }
    if all && filter.is_narrow() {
        return Err(CommandError::Usage(
            "--all means every letter: leave it out, or the numbers and filters".to_owned(),
        ));
    }
    let letters = context.letters.find(&filter, Order::OldestFirst, LETTERS_MAX).await?;
    let is_there = |id| letters.iter().any(|letter| letter.id == id);
    let is_whole = filter.ids.iter().all(|id| is_there(*id));
    for missing in filter.ids.iter().filter(|id| !is_there(**id)) {
        let states: Vec<_> = filter.states.iter().map(|state| state.as_str()).collect();
        writeln!(
            terminal.progress,
            "letter {missing} is not there, or not {} any more; it is left alone",
            states.join(" or ")
        )?;
    }
    if letters.len() == LETTERS_MAX {
        writeln!(terminal.progress, "these are the first {LETTERS_MAX}; run it again for the rest")?;
    }
    if dry_run && json {
        list::print_json(terminal.out, &json!({ "letters": letters }))?;
    } else if dry_run && !letters.is_empty() {
        list::letters(terminal.out, &letters)?;
    }
    if dry_run {
        let letters = count(letters.len(), "letter");
        writeln!(terminal.progress, "would {verb} {letters}; nothing was done (--dry-run)")?;
        return Ok(None);
    }
    if letters.is_empty() {
        if json {
            list::print_json(terminal.out, &json!({ "letters": letters }))?;
        }
        let nothing = format!("no letters to {verb}");
        if !is_whole {
            return Err(CommandError::Failed(nothing));
        }
        writeln!(terminal.progress, "{nothing}")?;
        return Ok(None);
    }
    Ok(Some(Plan { filter, letters, who: name.unwrap_or_else(context::who), is_whole }))
}
