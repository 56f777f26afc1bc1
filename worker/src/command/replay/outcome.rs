//! What became of letters that were sent again: the worker writes it with the letter.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use queue::DeadLetterId;
use tokio::time::{Instant, sleep};

use crate::command::{CommandError, Terminal};
use crate::dead_letters::{DeadLetterState, DeadLetters, Filter, Order, ReplayOutcome, StoredDeadLetter};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Letters looked at in one query.
const TOGETHER: usize = 500;

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReplayResult {
    Delivered,
    DeliveredSince,
    ResolvedSince,
    DeadLetteredAgain {
        /// What was said about it this time.
        why: String,
    },
    UnderWay,
    Gone,
}

impl ReplayResult {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered => ReplayOutcome::Delivered.as_str(),
            Self::DeliveredSince => ReplayOutcome::DeliveredSince.as_str(),
            Self::ResolvedSince => ReplayOutcome::ResolvedSince.as_str(),
            Self::DeadLetteredAgain { .. } => ReplayOutcome::DeadLetteredAgain.as_str(),
            Self::UnderWay => "under_way",
            Self::Gone => "gone",
        }
    }

    fn of(letter: &StoredDeadLetter) -> Self {
        let is = |outcome: ReplayOutcome| letter.outcome.as_deref() == Some(outcome.as_str());
        if letter.state == DeadLetterState::Replaying.as_str() {
            Self::UnderWay
        } else if is(ReplayOutcome::Delivered) {
            Self::Delivered
        } else if is(ReplayOutcome::DeliveredSince) {
            Self::DeliveredSince
        } else if is(ReplayOutcome::ResolvedSince) {
            Self::ResolvedSince
        } else if letter.state == DeadLetterState::Waiting.as_str() {
            let code = letter.code.map(|code| format!(" {code}")).unwrap_or_default();
            Self::DeadLetteredAgain { why: format!("{}{code}: {}", letter.reason, letter.message) }
        } else {
            Self::Gone
        }
    }
}

/// Looks until all of them came to something, or until `wait` is over.
pub(super) async fn wait_for_outcomes(
    letters: &DeadLetters,
    sent: &[DeadLetterId],
    wait: Duration,
    terminal: &mut Terminal<'_>,
) -> Result<Vec<(DeadLetterId, ReplayResult)>, CommandError> {
    let deadline = Instant::now() + wait;
    let mut came: BTreeMap<DeadLetterId, ReplayResult> =
        sent.iter().map(|id| (*id, ReplayResult::UnderWay)).collect();
    let mut shown = None;
    loop {
        let under_way: Vec<_> =
            came.iter().filter(|(_, came)| **came == ReplayResult::UnderWay).map(|(id, _)| *id).collect();
        if under_way.is_empty() || Instant::now() >= deadline {
            if shown.is_some() {
                writeln!(terminal.progress)?;
            }
            return Ok(came.into_iter().collect());
        }
        if shown.replace(under_way.len()) != Some(under_way.len()) {
            terminal.progress.begin_line_again()?;
            write!(terminal.progress, "waiting for {} of {}   ", under_way.len(), sent.len())?;
            terminal.progress.flush()?;
        }
        for some in under_way.chunks(TOGETHER) {
            let filter = Filter { ids: some.to_vec(), ..Filter::default() };
            let found = letters.find(&filter, Order::OldestFirst, TOGETHER).await?;
            for id in some {
                let letter = found.iter().find(|letter| letter.id == *id);
                came.insert(*id, letter.map_or(ReplayResult::Gone, ReplayResult::of));
            }
        }
        sleep(LOOK_EVERY).await;
    }
}
