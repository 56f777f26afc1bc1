//! What became of letters that were sent again: the worker writes it with the letter.

use std::collections::BTreeMap;
use std::time::Duration;

use shared::queue::LetterId;
use tokio::time::{Instant, sleep};

use crate::command::{CommandError, Terminal};
use crate::dead_letters::{DeadLetters, Filter, Letter, Order, ReplayOutcome, State};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Letters looked at in one query.
const TOGETHER: usize = 500;

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Came {
    Told,
    ToldSince,
    ResolvedSince,
    DeadAgain {
        /// What was said about it this time.
        why: String,
    },
    UnderWay,
    Gone,
}

impl Came {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Told => ReplayOutcome::Told.as_str(),
            Self::ToldSince => ReplayOutcome::ToldSince.as_str(),
            Self::ResolvedSince => ReplayOutcome::ResolvedSince.as_str(),
            Self::DeadAgain { .. } => ReplayOutcome::DeadAgain.as_str(),
            Self::UnderWay => "under_way",
            Self::Gone => "gone",
        }
    }

    fn of(letter: &Letter) -> Self {
        let is = |outcome: ReplayOutcome| letter.outcome.as_deref() == Some(outcome.as_str());
        if letter.state == State::Replaying.as_str() {
            Self::UnderWay
        } else if is(ReplayOutcome::Told) {
            Self::Told
        } else if is(ReplayOutcome::ToldSince) {
            Self::ToldSince
        } else if is(ReplayOutcome::ResolvedSince) {
            Self::ResolvedSince
        } else if letter.state == State::Waiting.as_str() {
            let code = letter.code.map(|code| format!(" {code}")).unwrap_or_default();
            Self::DeadAgain { why: format!("{}{code}: {}", letter.reason, letter.message) }
        } else {
            Self::Gone
        }
    }
}

/// Looks until all of them came to something, or until `wait` is over.
pub(super) async fn wait_for_outcomes(
    letters: &DeadLetters,
    sent: &[LetterId],
    wait: Duration,
    terminal: &mut Terminal<'_>,
) -> Result<Vec<(LetterId, Came)>, CommandError> {
    let deadline = Instant::now() + wait;
    let mut came: BTreeMap<LetterId, Came> = sent.iter().map(|id| (*id, Came::UnderWay)).collect();
    let mut shown = None;
    loop {
        let under_way: Vec<_> =
            came.iter().filter(|(_, came)| **came == Came::UnderWay).map(|(id, _)| *id).collect();
        if under_way.is_empty() || Instant::now() >= deadline {
            if shown.is_some() {
                writeln!(terminal.progress)?;
            }
            return Ok(came.into_iter().collect());
        }
        if shown.replace(under_way.len()) != Some(under_way.len()) {
            write!(terminal.progress, "\rwaiting for {} of {}   ", under_way.len(), sent.len())?;
            terminal.progress.flush()?;
        }
        for some in under_way.chunks(TOGETHER) {
            let filter = Filter { ids: some.to_vec(), ..Filter::default() };
            let found = letters.find(&filter, Order::OldestFirst, TOGETHER).await?;
            for id in some {
                let letter = found.iter().find(|letter| letter.id == *id);
                came.insert(*id, letter.map_or(Came::Gone, Came::of));
            }
        }
        sleep(LOOK_EVERY).await;
    }
}
