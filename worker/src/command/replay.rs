//! `dead-letters replay`: marks letters, publishes them, and waits for what becomes of them.
//!
//! A letter is marked before it is published and published before anything else, so a command that is killed leaves
//! letters marked which may or may not have been sent. Sending them again does no harm: the ledger knows what was delivered.

mod outcome;

use std::io::Write;
use std::process::ExitCode;

use config::process;
use queue::DeadLetterId;
use serde_json::json;

use super::arguments::ReplayArguments;
use super::context::CommandContext;
use super::plan::{Plan, plan};
use super::terminal::{count, short};
use super::{CommandError, ReplayPublisher, Terminal, list};
use crate::dead_letters::sending::{Sending, SendingError};
use crate::dead_letters::{DeadLetterState, OperatorAction, StoredDeadLetter};
use outcome::{ReplayResult, wait_for_outcomes};

pub(super) async fn replay(
    context: &CommandContext,
    asked: ReplayArguments,
    open: impl AsyncFnOnce() -> Result<ReplayPublisher, CommandError>,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let ReplayArguments { acting, force, stuck, rate, wait } = asked;
    let json = acting.json;
    let with_stuck = stuck || !acting.choice.letters.is_empty();
    let states = if with_stuck {
        vec![DeadLetterState::Waiting, DeadLetterState::Replaying]
    } else {
        vec![DeadLetterState::Waiting]
    };
    let Some(plan) = plan(context, acting, "replay", states, terminal).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let Plan { filter, letters, who, mut is_whole } = plan;
    let (whole, cut): (Vec<StoredDeadLetter>, Vec<StoredDeadLetter>) =
        letters.into_iter().partition(StoredDeadLetter::is_whole);
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
    let ReplayPublisher { publisher, is_read } = open().await?;
    let action = if force { OperatorAction::ForcedReplay } else { OperatorAction::Replay };
    let action = context.letters.begin_action(&who, action, &filter, whole.len()).await?;
    let ids: Vec<DeadLetterId> = whole.iter().map(|letter| letter.id).collect();
    let sending = Sending { letters: &context.letters, publisher, action, forced: force, rate };
    let progress = &mut terminal.progress;
    let told = |sent: usize| {
        progress.begin_line_again()?;
        write!(progress, "sent {sent} of {}", ids.len())?;
        progress.flush()
    };
    let (sent, failed) = sending.send(&ids, told).await;
    if failed.is_none() {
        writeln!(terminal.progress)?;
    }
    context.letters.end_action(action, sent.len() as u64).await?;

    let wait = if is_read { wait } else { std::time::Duration::ZERO };
    let came = wait_for_outcomes(&context.letters, &sent, wait, terminal).await?;
    report(&came, is_read, json, terminal)?;
    if let Some(error) = failed.map(CommandError::from) {
        let unsent = count(ids.len() - sent.len(), "letter");
        return Err(CommandError::Failed(format!("not sent, and waiting as before: {unsent}: {error}")));
    }
    let is_done =
        is_whole && came.iter().all(|(_, came)| !matches!(came, ReplayResult::DeadLetteredAgain { .. }));
    Ok(if is_done { ExitCode::SUCCESS } else { process::FAILED.into() })
}

fn report(
    came: &[(DeadLetterId, ReplayResult)],
    is_read: bool,
    json: bool,
    terminal: &mut Terminal<'_>,
) -> Result<(), CommandError> {
    if json {
        let of = |(letter, came): &(DeadLetterId, ReplayResult)| json!({ "letter": letter, "outcome": came.as_str() });
        return list::print_json(
            terminal.out,
            &json!({ "letters": came.iter().map(of).collect::<Vec<_>>() }),
        );
    }
    for (letter, came) in came {
        let words = match came {
            ReplayResult::Delivered => "delivered".to_owned(),
            ReplayResult::DeliveredSince => {
                "delivered since it became a dead letter, not delivered again".to_owned()
            }
            ReplayResult::ResolvedSince => {
                "superseded: resolved since it became a dead letter, not delivered".to_owned()
            }
            ReplayResult::DeadLetteredAgain { why } => {
                format!("dead-lettered again: {}; it waits as before", short(why, 200))
            }
            ReplayResult::UnderWay if is_read => "still under way".to_owned(),
            ReplayResult::UnderWay => "on the queue; delivered when larkfire runs again".to_owned(),
            ReplayResult::Gone => "discarded or deleted meanwhile".to_owned(),
        };
        writeln!(terminal.out, "letter {letter}: {words}")?;
    }
    let under_way = came.iter().filter(|(_, came)| matches!(came, ReplayResult::UnderWay)).count();
    if under_way > 0 && is_read {
        let letters = count(under_way, "letter");
        writeln!(
            terminal.progress,
            "{letters} still under way: `dead-letters list --state replaying` shows them; --wait waits longer"
        )?;
    }
    Ok(())
}

impl From<SendingError> for CommandError {
    fn from(error: SendingError) -> Self {
        match error {
            SendingError::Store(error) => error.into(),
            SendingError::Publish(_) | SendingError::Marked(_) => Self::Failed(error.to_string()),
            SendingError::Unheard(error) => Self::Output(error),
        }
    }
}
