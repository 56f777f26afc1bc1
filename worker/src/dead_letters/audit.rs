//! What operators do to dead letters, in the audit trail.

use super::{DeadLetters, Filter};
use crate::audit::{AuditEntry, AuditFilter, AuditedAction};
use crate::store::StoreError;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorAction {
    /// Sent again, unless it was delivered or resolved since.
    Replay,
    /// Sent again in any case.
    ForcedReplay,
    /// Given up.
    Discard,
}

impl OperatorAction {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::Replay, Self::ForcedReplay, Self::Discard];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::ForcedReplay => "replay --force",
            Self::Discard => "discard",
        }
    }
}

impl DeadLetters {
    /// Writes down that something is about to be done; returns the line's number.
    pub async fn begin_action(
        &self,
        who: &str,
        action: OperatorAction,
        filter: &Filter,
        letters: usize,
    ) -> Result<i64, StoreError> {
        let chosen = filter.to_string();
        self.trail
            .begin(AuditedAction { who, action: action.as_str(), chosen: &chosen, meant: letters })
            .await
    }

    /// The same, with the reason that was given.
    pub async fn begin_action_because(
        &self,
        who: &str,
        action: OperatorAction,
        filter: &Filter,
        letters: usize,
        reason: &str,
    ) -> Result<i64, StoreError> {
        let chosen = filter.to_string();
        let action = AuditedAction { who, action: action.as_str(), chosen: &chosen, meant: letters };
        self.trail.begin_because(action, reason).await
    }

    /// Writes down how many letters it was done to.
    pub async fn end_action(&self, entry: i64, done: u64) -> Result<(), StoreError> {
        self.trail.end(entry, done).await
    }

    /// The newest lines of the trail that are about dead letters, the newest first.
    pub async fn audit(&self, most: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.trail.entries(AuditFilter::Actions(&OperatorAction::ALL.map(OperatorAction::as_str)), most).await
    }

    /// The lines of the trail that are asked for, the newest first.
    pub async fn trail(&self, wanted: AuditFilter<'_>, most: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.trail.entries(wanted, most).await
    }

    /// These lines of the trail, the newest first.
    pub async fn audit_of(&self, entries: &[i64]) -> Result<Vec<AuditEntry>, StoreError> {
        self.trail.entries(AuditFilter::Ids(entries), entries.len()).await
    }
}
