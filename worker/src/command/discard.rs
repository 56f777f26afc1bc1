//! `dead-letters discard`.

use std::process::ExitCode;

use config::process;
use serde_json::json;

use super::arguments::DiscardArguments;
use super::context::CommandContext;
use super::plan::{Plan, plan};
use super::terminal::count;
use super::{CommandError, Terminal, list};
use crate::dead_letters::{DeadLetterState, OperatorAction};

/// Letters discarded in one statement.
const TOGETHER: usize = 500;

pub(super) async fn discard(
    context: &CommandContext,
    asked: DiscardArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let json = asked.acting.json;
    let states = vec![DeadLetterState::Waiting, DeadLetterState::Replaying];
    let Some(plan) = plan(context, asked.acting, "discard", states, terminal).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let Plan { filter, letters, who, is_whole } = plan;
    let action = context.letters.begin_action(&who, OperatorAction::Discard, &filter, letters.len()).await?;
    let ids: Vec<_> = letters.iter().map(|letter| letter.id).collect();
    let mut done = 0;
    for ids in ids.chunks(TOGETHER) {
        done += context.letters.discard(ids, action).await?;
    }
    context.letters.end_action(action, done).await?;
    if json {
        list::print_json(terminal.out, &json!({ "discarded": done }))?;
    } else {
        let done = usize::try_from(done).unwrap_or(usize::MAX);
        writeln!(terminal.out, "discarded {}; they are forgotten after 30 days", count(done, "letter"))?;
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { process::FAILED.into() })
}
