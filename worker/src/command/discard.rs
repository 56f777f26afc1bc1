//! `dead-letters discard`.

use std::process::ExitCode;

use serde_json::json;
use shared::process;

use super::arguments::DiscardArguments;
use super::desk::Desk;
use super::plan::{Plan, plan};
use super::text::count;
use super::{CommandError, Terminal, list};
use crate::dead_letters::{Action, State};

/// Letters discarded in one statement.
const TOGETHER: usize = 500;

pub(super) async fn discard(
    desk: &Desk,
    asked: DiscardArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let json = asked.acting.json;
    let states = vec![State::Waiting, State::Replaying];
    let Some(plan) = plan(desk, asked.acting, ("discard", states), terminal).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let Plan { filter, letters, who, is_whole } = plan;
    let action = desk.letters.begin_action(&who, Action::Discard, &filter, letters.len()).await?;
    let ids: Vec<_> = letters.iter().map(|letter| letter.id).collect();
    let mut done = 0;
    for ids in ids.chunks(TOGETHER) {
        done += desk.letters.discard(ids, action).await?;
    }
    desk.letters.end_action(action, done).await?;
    if json {
        list::print_json(terminal.out, &json!({ "discarded": done }))?;
    } else {
        let done = usize::try_from(done).unwrap_or(usize::MAX);
        writeln!(terminal.out, "discarded {}; they are forgotten after 30 days", count(done, "letter"))?;
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { process::FAILED.into() })
}
