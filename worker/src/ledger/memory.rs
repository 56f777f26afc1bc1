//! What this process keeps in its own memory.

use std::collections::{HashSet, VecDeque};

use model::envelope::EnvelopeId;

use super::batch::{AlertEvents, Key, LedgerBatch, LedgerCall, LedgerOperation, is_delivered_by_own};
use super::cache::{Cached, LedgerCache};
use super::decision::{Decision, Policy, proven};
use super::late::Late;
use super::port::Stored;
use super::row::{Event, LedgerRow, Millis};

/// Envelopes whose claims are known to be recorded, at most. Of the oldest nothing is known then, which is safe.
const RECORDED_MAX: usize = 65_536;

#[derive(Debug)]
pub(super) struct MemoryLedger {
    cache: LedgerCache,
    pub(super) late: Late,
    recorded: HashSet<EnvelopeId>,
    /// The same, oldest first.
    recorded_order: VecDeque<EnvelopeId>,
}

impl MemoryLedger {
    pub(super) fn new(rows_max: usize) -> Self {
        Self {
            cache: LedgerCache::new(rows_max),
            late: Late::default(),
            recorded: HashSet::new(),
            recorded_order: VecDeque::new(),
        }
    }

    /// What the cache proves about an event.
    pub(super) fn proves(&mut self, event: &Event<'_>, now: Millis, policy: &Policy) -> Option<Decision> {
        let row = self.cache.of_event(event)?;
        let proven = proven(row, event, now, policy)?;
        let is_copy = proven == Decision::Duplicate && is_delivered_by_own(row, event);
        Some(if is_copy { Decision::Copy } else { proven })
    }

    /// The row as it was seen last, if it is remembered.
    pub(super) fn row_of(&mut self, event: &Event<'_>) -> Option<LedgerRow> {
        self.cache.of_event(event).copied()
    }

    /// The row as the database had it when we last saw it; `None` if nothing is known, or if it is known to us alone.
    pub(super) fn stored(&mut self, key: &Key<'_>) -> Option<Stored> {
        let Cached { row, version } = self.cache.get(key)?;
        version.map(|version| Stored { row, version })
    }

    /// Remembers a row as the database has it.
    pub(super) fn remember(&mut self, key: &Key<'_>, Stored { row, version }: Stored) {
        self.cache.put(key, Cached { row, version: Some(version) });
    }

    /// Decides by what is known here, and remembers it here.
    pub(super) fn judge(
        &mut self,
        batch: &LedgerBatch<'_>,
        group: &AlertEvents<'_>,
        call: &LedgerCall<'_>,
    ) -> Vec<Decision> {
        let row = self.cache.get(&group.key).map(|cached| cached.row);
        let (decisions, next) = batch.judge(group, row.as_ref(), call);
        if let Some(row) = next {
            self.cache.put(&group.key, Cached { row, version: None });
        }
        if call.operation == LedgerOperation::RecordDelivered {
            self.late.push(call.now, batch.events(group));
        }
        decisions
    }

    /// Whether the claims of this envelope are recorded as ours.
    pub(super) fn is_recorded(&self, envelope: EnvelopeId) -> bool {
        self.recorded.contains(&envelope)
    }

    /// Takes note that they are, or that they may not be.
    pub(super) fn set_recorded(&mut self, envelope: EnvelopeId, is_recorded: bool) {
        if !is_recorded {
            self.recorded.remove(&envelope);
        } else if self.recorded.insert(envelope) {
            self.recorded_order.push_back(envelope);
            if self.recorded_order.len() > RECORDED_MAX
                && let Some(oldest) = self.recorded_order.pop_front()
            {
                self.recorded.remove(&oldest);
            }
        }
    }
}
