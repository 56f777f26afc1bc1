//! What becomes of letters: sent again, settled, discarded. Each change is one statement that looks at the state it
//! changes, so that two operators, or an operator and a worker, do not undo each other's.

use shared::queue::LetterId;
use tokio::sync::mpsc::UnboundedReceiver;
use tracing::warn;

use super::{DeadLetters, ReplayOutcome, State};
use crate::store::StoreError;
use crate::store::sql::{Value, execute, places};

impl DeadLetters {
    /// Writes down what the pipeline says of replays, until it has ended.
    pub(crate) async fn follow_replays(self, mut outcomes: UnboundedReceiver<(LetterId, ReplayOutcome)>) {
        while let Some((letter, outcome)) = outcomes.recv().await {
            self.replayed(letter, outcome).await;
        }
    }

    /// What a replay came to. If that cannot be written
    /// down the letter stays "replaying", and can be sent again: the ledger knows what was told.
    pub async fn replayed(&self, letter: LetterId, outcome: ReplayOutcome) {
        let state = match outcome {
            ReplayOutcome::Told | ReplayOutcome::ToldSince | ReplayOutcome::ResolvedSince => {
                self.metrics.replayed(outcome);
                State::Replayed
            }
            // Counted when the mover finds out why.
            ReplayOutcome::DeadAgain => State::Waiting,
        };
        let update = "UPDATE larkfire_dead_letters SET outcome = ?, state = ?, changed_ms = ? WHERE id = ? AND state = ?";
        let values = [
            outcome.as_str().into(),
            state.as_str().into(),
            self.clock.now().as_millisecond().into(),
            letter.0.into(),
            State::Replaying.as_str().into(),
        ];
        if let Err(error) = self.store.within(execute(self.store.pool(), update, &values)).await {
            warn!(
                letter = letter.0, outcome = outcome.as_str(), %error,
                "what the replay of dead letter {letter} came to ({}) was not written down: {error}", outcome.as_str()
            );
        }
    }

    /// Marks letters before they are sent again, by the action of this number in the audit trail. Says how many of
    /// them could be.
    pub async fn begin_replay(&self, letters: &[LetterId], action: i64) -> Result<u64, StoreError> {
        self.change(letters, &[State::Waiting, State::Replaying], State::Replaying, action).await
    }

    /// They could not be sent: they wait as before.
    pub async fn end_replay(&self, letters: &[LetterId], action: i64) -> Result<u64, StoreError> {
        self.change(letters, &[State::Replaying], State::Waiting, action).await
    }

    /// Gives letters up. Says how many of them were not given up, or settled, before.
    pub async fn discard(&self, letters: &[LetterId], action: i64) -> Result<u64, StoreError> {
        self.change(letters, &[State::Waiting, State::Replaying], State::Discarded, action).await
    }

    async fn change(
        &self,
        letters: &[LetterId],
        from: &[State],
        to: State,
        action: i64,
    ) -> Result<u64, StoreError> {
        if letters.is_empty() {
            return Ok(0);
        }
        let update = format!(
            "UPDATE larkfire_dead_letters SET state = ?, outcome = NULL, changed_ms = ?, changed_by = ? \
             WHERE id IN ({}) AND state IN ({})",
            places(letters.len()),
            places(from.len())
        );
        let mut values: Vec<Value<'_>> =
            vec![to.as_str().into(), self.clock.now().as_millisecond().into(), action.into()];
        values.extend(letters.iter().map(|letter| Value::Number(letter.0)));
        values.extend(from.iter().map(|state| Value::Text(state.as_str())));
        self.store.within(execute(self.store.pool(), &update, &values)).await
    }
}
