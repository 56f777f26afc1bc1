//! `dead-letters replay`: marks letters, publishes them, and waits for what becomes of them.
//!
//! A letter is marked before it is published and published before anything else, so a command that is killed leaves
//! letters marked which may or may not have been sent. Sending them again does no harm: the ledger knows what was told.

mod outcome;
mod sending;

use std::process::ExitCode;

use serde_json::json;
use shared::process;
use shared::queue::{LetterId, Publisher};

use super::arguments::ReplayArguments;
use super::desk::Desk;
use super::plan::{Plan, plan};
use super::text::{count, short};
use super::{CommandError, Outlet, Terminal, list};
use crate::dead_letters::{Action, LETTER_BYTES_MAX, Letter, State};
use outcome::{Came, wait_for_outcomes};
use sending::Sending;

pub(super) async fn replay<P: Publisher>(
    desk: &Desk,
    asked: ReplayArguments,
    open: impl AsyncFnOnce() -> Result<Outlet<P>, CommandError>,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let ReplayArguments { acting, force, stuck, rate, wait } = asked;
    let json = acting.json;
    let with_stuck = stuck || !acting.choice.letters.is_empty();
    let states = if with_stuck { vec![State::Waiting, State::Replaying] } else { vec![State::Waiting] };
    let Some(plan) = plan(desk, acting, ("replay", states), terminal).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let Plan { filter, letters, who, mut is_whole } = plan;
    let (whole, cut): (Vec<Letter>, Vec<Letter>) = letters.into_iter().partition(is_kept_whole);
    for letter in &cut {
        let id = letter.id;
        let bytes = letter.body_bytes;
        writeln!(
            terminal.progress,
            "letter {id} was too large to be kept ({bytes} bytes): it cannot be sent"
        )?;
        is_whole = false;
    }
    // Before the trail says that anything was begun: a queue that is not there is the likeliest thing to go wrong.
    let Outlet { publisher, is_read } = open().await?;
    let action = if force { Action::ForcedReplay } else { Action::Replay };
    let action = desk.letters.begin_action(&who, action, &filter, whole.len()).await?;
    let ids: Vec<LetterId> = whole.iter().map(|letter| letter.id).collect();
    let sending = Sending { letters: &desk.letters, publisher, action, forced: force, rate };
    let (sent, failed) = sending.send(&ids, terminal).await;
    desk.letters.end_action(action, sent.len() as u64).await?;

    let wait = if is_read { wait } else { std::time::Duration::ZERO };
    let came = wait_for_outcomes(&desk.letters, &sent, wait, terminal).await?;
    report(&came, is_read, json, terminal)?;
    if let Some(error) = failed {
        let unsent = count(ids.len() - sent.len(), "letter");
        return Err(CommandError::Failed(format!("not sent, and waiting as before: {unsent}: {error}")));
    }
    let is_done = is_whole && came.iter().all(|(_, came)| !matches!(came, Came::DeadAgain { .. }));
    Ok(if is_done { ExitCode::SUCCESS } else { process::FAILED.into() })
}

fn is_kept_whole(letter: &Letter) -> bool {
    usize::try_from(letter.body_bytes).is_ok_and(|bytes| bytes <= LETTER_BYTES_MAX)
}

fn report(
    came: &[(LetterId, Came)],
    is_read: bool,
    json: bool,
    terminal: &mut Terminal<'_>,
) -> Result<(), CommandError> {
    if json {
        let of = |(letter, came): &(LetterId, Came)| json!({ "letter": letter, "came": came.as_str() });
        return list::print_json(terminal.out, &came.iter().map(of).collect::<Vec<_>>());
    }
    for (letter, came) in came {
        let words = match came {
            Came::Told => "told".to_owned(),
            Came::ToldSince => "told since it died, not told again".to_owned(),
            Came::ResolvedSince => "resolved since it died, not told".to_owned(),
            Came::DeadAgain { why } => {
                format!("could not be told again: {}; it waits as before", short(why, 200))
            }
            Came::UnderWay if is_read => "still under way".to_owned(),
            Came::UnderWay => "on the queue; told when larkfire runs again".to_owned(),
            Came::Gone => "discarded or deleted meanwhile".to_owned(),
        };
        writeln!(terminal.out, "letter {letter}: {words}")?;
    }
    let under_way = came.iter().filter(|(_, came)| matches!(came, Came::UnderWay)).count();
    if under_way > 0 && is_read {
        let letters = count(under_way, "letter");
        writeln!(
            terminal.progress,
            "{letters} still under way: `dead-letters list --state replaying` shows them; --wait waits longer"
        )?;
    }
    Ok(())
}
