//! What is done to letters from the pages: begun at once, and gone on with while the page shows how far it has come. What a
//! process that stops has not come to waits as before.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use console::backend::{AuditQuery, BackendError};
use console::data::{ActionDetail, ActionRow, ChosenLetters, DeadLetterAction, DeadLetterOrder};
use queue::DeadLetterId;
use tokio::time::Instant;
use tracing::info;

use super::ConsoleBackend;
use super::letters::{action_row, row, waiting_of};
use crate::audit::AuditFilter;
use crate::dead_letters::sending::Sending;
use crate::dead_letters::{DeadLetterState, Filter, OperatorAction};

/// Letters sent in a second, as at the command line.
const SENT_PER_SECOND: u32 = 20;
/// Letters discarded in one statement.
const DISCARDED_TOGETHER: usize = 500;
/// Actions whose progress is remembered.
const REMEMBERED_MAX: usize = 100;

/// The actions of this process, by their numbers.
#[derive(Debug, Default)]
pub(super) struct RunningActions(Mutex<BTreeMap<i64, Arc<RunningAction>>>);

/// An action of this process.
#[derive(Debug)]
struct RunningAction {
    begun: Instant,
    reached: AtomicU64,
    /// How it ended, if it has.
    ended: Mutex<Option<ActionEnd>>,
}

/// How an action ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ActionEnd {
    /// It came to all of its letters.
    Complete,
    /// It did not, and why.
    Early(String),
}

impl RunningActions {
    fn begin(&self, id: i64) -> Arc<RunningAction> {
        let action = Arc::new(RunningAction {
            begun: Instant::now(),
            reached: AtomicU64::new(0),
            ended: Mutex::default(),
        });
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_MAX {
            all.pop_first();
        }
        all.insert(id, Arc::clone(&action));
        action
    }

    fn find(&self, id: i64) -> Option<Arc<RunningAction>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}

impl ConsoleBackend {
    /// Begins it; returns its number.
    pub(super) async fn begin(self: Arc<Self>, order: DeadLetterOrder) -> Result<i64, BackendError> {
        let (filter, ids) = self.meant(&order).await?;
        let (action, is_forced) = match order.action {
            DeadLetterAction::Replay => (OperatorAction::Replay, false),
            DeadLetterAction::ReplayAnyway => (OperatorAction::ForcedReplay, true),
            DeadLetterAction::Discard => (OperatorAction::Discard, false),
        };
        let begun =
            self.deps.letters.begin_action_because(&order.who, action, &filter, ids.len(), &order.reason);
        let id = begun.await?;
        info!(
            who = order.who,
            action = action.as_str(),
            number = id,
            letters = ids.len(),
            "an operator acts on dead letters"
        );
        let running = self.actions.begin(id);
        let backend = Arc::clone(&self);
        self.lifecycle.tasks.spawn(async move {
            let failure = match action {
                OperatorAction::Discard => backend.discard(&ids, id, &running).await,
                OperatorAction::Replay | OperatorAction::ForcedReplay => {
                    backend.send(&ids, id, is_forced, &running).await
                }
            };
            *running.ended.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(failure.map_or(ActionEnd::Complete, ActionEnd::Early));
        });
        Ok(id)
    }

    /// The letters that are meant, and how they were chosen.
    async fn meant(&self, order: &DeadLetterOrder) -> Result<(Filter, Vec<DeadLetterId>), BackendError> {
        let filter = match &order.chosen {
            ChosenLetters::Ids(ids) => Filter {
                ids: ids.iter().copied().map(DeadLetterId).collect(),
                states: vec![DeadLetterState::Waiting, DeadLetterState::Replaying],
                ..Filter::default()
            },
            ChosenLetters::Matching { query, until, counted } => {
                let count = self.matching(query, *until).await?;
                if count.count != *counted {
                    return Err(BackendError::Changed(count.count));
                }
                waiting_of(query, *until, self.deps.clock.now())?
            }
        };
        let found = self.all_of(&filter).await?.letters;
        let is_sent = order.action != DeadLetterAction::Discard;
        let ids: Vec<_> =
            found.iter().filter(|letter| !is_sent || letter.is_whole()).map(|letter| letter.id).collect();
        if ids.is_empty() {
            return Err(BackendError::Refused("none of these letters can be acted on any more".to_owned()));
        }
        Ok((filter, ids))
    }

    /// Sends them; returns why not all of them, if so.
    async fn send(
        &self,
        ids: &[DeadLetterId],
        id: i64,
        forced: bool,
        running: &RunningAction,
    ) -> Option<String> {
        let publisher = Arc::clone(&self.deps.publisher);
        let sending =
            Sending { letters: &self.deps.letters, publisher, action: id, forced, rate: SENT_PER_SECOND };
        let told = |sent: usize| {
            running.reached.store(sent as u64, Ordering::Relaxed);
            if self.lifecycle.stop.is_cancelled() {
                return Err(std::io::Error::other("this process stops; the rest waits as before"));
            }
            Ok(())
        };
        let (sent, failure) = sending.send(ids, told).await;
        let noted = self.deps.letters.end_action(id, sent.len() as u64).await;
        let failure = failure.map(|failure| failure.to_string());
        failure.or_else(|| noted.err().map(|error| error.to_string()))
    }

    async fn discard(&self, ids: &[DeadLetterId], id: i64, running: &RunningAction) -> Option<String> {
        let mut done = 0;
        for some in ids.chunks(DISCARDED_TOGETHER) {
            match self.deps.letters.discard(some, id).await {
                Ok(more) => done += more,
                Err(error) => return Some(error.to_string()),
            }
            running.reached.store(done, Ordering::Relaxed);
        }
        self.deps.letters.end_action(id, done).await.err().map(|error| error.to_string())
    }

    /// Who did what.
    pub(super) async fn audit_lines(&self, wanted: AuditQuery<'_>) -> Result<Vec<ActionRow>, BackendError> {
        let AuditQuery { who, action, before, most } = wanted;
        let filter = AuditFilter::Chosen { since: None, who, action, before };
        let entries = self.deps.letters.trail(filter, most).await?;
        Ok(entries.iter().map(action_row).collect())
    }

    /// How far it has come.
    pub(super) async fn action_detail(&self, id: i64) -> Result<Option<ActionDetail>, BackendError> {
        // Before the database is asked: what has ended is written down there.
        let running = self.actions.find(id);
        let end = running.as_ref().and_then(|running| running.end());
        let is_running = running.is_some() && end.is_none();
        let failure = match end {
            Some(ActionEnd::Early(why)) => Some(why),
            Some(ActionEnd::Complete) | None => None,
        };
        let entries = self.deps.letters.audit_of(&[id]).await?;
        let Some(entry) = entries.first() else { return Ok(None) };
        let outcomes = self.deps.letters.outcomes_of_action(id).await?;
        let letters = self.deps.letters.of_action(id).await?;
        let named = |(state, outcome, count): (String, Option<String>, i64)| match outcome {
            Some(outcome) => (format!("{state}: {outcome}"), count),
            None => (state, count),
        };
        let outcomes: BTreeMap<String, i64> = outcomes.into_iter().map(named).collect();
        Ok(Some(ActionDetail {
            action: action_row(entry),
            is_running,
            failure,
            reached: outcomes.values().sum(),
            outcomes,
            per_second: running.filter(|_| is_running).map(|running| running.rate()),
            letters: letters.iter().map(row).collect(),
        }))
    }
}

impl RunningAction {
    fn end(&self) -> Option<ActionEnd> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[expect(clippy::cast_precision_loss, reason = "letters are far fewer than 2^52")]
    fn rate(&self) -> f64 {
        self.reached.load(Ordering::Relaxed) as f64 / self.begun.elapsed().as_secs_f64().max(0.001)
    }
}
