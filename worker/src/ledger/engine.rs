//! The effects: rows are read, decided about and written, and whoever was slower decides again.

use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};

use model::envelope::EnvelopeId;
use tracing::warn;

use super::Ledger;
use super::batch::{AlertEvents, Key, LedgerBatch, LedgerCall, LedgerOperation};
use super::decision::{Decision, Occasion};
use super::memory::MemoryLedger;
use super::port::{ROWS_MAX, RowChange, Stamp, Stored};
use super::row::{Event, LedgerRow, Millis};
use crate::store::StoreError;

/// How often a row is decided about again because somebody else was faster. Each time somebody got further, so more
/// than a few times means that something is wrong, and then nobody is to wait for it.
const ROUNDS_MAX: usize = 16;

impl Ledger {
    /// Does something to the rows of these events, and says what is to become of each.
    pub(super) async fn run(
        &self,
        operation: LedgerOperation,
        events: &[Event<'_>],
        now: Millis,
    ) -> Vec<Decision> {
        // Boxed, here and below, and only where there is something to wait for: what waits for a database is some 10 KB,
        // and repeats need none.
        if !self.memory().late.is_empty() {
            Box::pin(self.write_late()).await;
        }
        let mut decisions = vec![Decision::Duplicate; events.len()];
        let pending = self.pending(operation, events, now, &mut decisions);
        if !pending.is_empty() {
            Box::pin(self.run_on_database(operation, events, pending, now, &mut decisions)).await;
        }
        decisions
    }

    async fn run_on_database(
        &self,
        operation: LedgerOperation,
        events: &[Event<'_>],
        pending: Vec<usize>,
        now: Millis,
        decisions: &mut [Decision],
    ) {
        let batch = LedgerBatch::of(events, pending);
        let call = self.call(operation, events, now);
        let alone = LedgerCall { is_alone: true, ..call.clone() };
        let mut bypassed = HashSet::new();
        for groups in batch.groups.chunks(ROWS_MAX) {
            for group in self.settle(&batch, groups, &call, decisions).await {
                let judged = self.memory().judge(&batch, group, &alone);
                note(decisions, batch.places(group), judged);
                bypassed.extend(batch.events(group).map(|event| event.envelope));
                if operation == LedgerOperation::Observe {
                    self.metrics.bypassed.inc_by(batch.places(group).len() as u64);
                }
            }
        }
        self.take_note(operation, events, decisions, &bypassed);
    }

    /// The events the cache has no answer for; the answers it has are put down.
    fn pending(
        &self,
        operation: LedgerOperation,
        events: &[Event<'_>],
        now: Millis,
        decisions: &mut [Decision],
    ) -> Vec<usize> {
        if !matches!(operation, LedgerOperation::Observe | LedgerOperation::Confirm) {
            return (0..events.len()).collect();
        }
        let mut pending = Vec::new();
        let mut memory = self.memory();
        for (place, (event, decision)) in events.iter().zip(decisions.iter_mut()).enumerate() {
            match memory.proves(event, now, &self.policy) {
                Some(proven) => *decision = proven,
                None => pending.push(place),
            }
        }
        drop(memory);
        let answered = events.len() - pending.len();
        if !pending.is_empty() && answered > 0 {
            pending = with_successors(events, pending);
        }
        if operation == LedgerOperation::Observe {
            self.metrics.cache_hits.inc_by((events.len() - pending.len()) as u64);
        }
        pending
    }

    fn call(&self, operation: LedgerOperation, events: &[Event<'_>], now: Millis) -> LedgerCall<'_> {
        let mut recorded = HashSet::new();
        if operation == LedgerOperation::Confirm {
            let memory = self.memory();
            let envelopes = events.iter().map(|event| event.envelope);
            recorded.extend(envelopes.filter(|envelope| memory.is_recorded(*envelope)));
        }
        LedgerCall { operation, now, policy: &self.policy, recorded, is_alone: false }
    }

    /// Decides by the database. Returns what is left if that fails; it has to be decided without.
    async fn settle<'b, 'e>(
        &self,
        batch: &'b LedgerBatch<'e>,
        groups: &'b [AlertEvents<'e>],
        call: &LedgerCall<'_>,
        decisions: &mut [Decision],
    ) -> Vec<&'b AlertEvents<'e>> {
        let mut open: Vec<_> = groups.iter().collect();
        for round in 0..ROUNDS_MAX {
            // Whoever holds a claim knows its row; if that has undecided since, the write finds out.
            let loaded = match call.operation {
                LedgerOperation::Observe | LedgerOperation::Confirm => self.load(&open).await,
                LedgerOperation::RecordDelivered | LedgerOperation::Release | LedgerOperation::Renew
                    if round > 0 =>
                {
                    self.load(&open).await
                }
                LedgerOperation::RecordDelivered | LedgerOperation::Release | LedgerOperation::Renew => {
                    self.remembered(&open).await
                }
            };
            let Ok(rows) = loaded else { return open };
            let mut changes = Vec::new();
            let mut undecided = Vec::new();
            let judgements = self.judge(batch, &open, &rows, call).await;
            for ((group, stored), (judged, next)) in open.into_iter().zip(rows).zip(judgements) {
                match next {
                    Some(row) => {
                        let replaces = stored.map(|stored| stored.version);
                        changes.push(RowChange { key: &group.key, row, replaces });
                        undecided.push((group, judged));
                    }
                    None => note(decisions, batch.places(group), judged),
                }
            }
            if changes.is_empty() {
                return Vec::new();
            }
            // Odd, so that it is never 0.
            let stamp = Stamp { version: runtime::entropy::random::<i64>() | 1, now: call.now };
            let Ok(lost) = self.table.save(&changes, stamp).await else {
                return undecided.into_iter().map(|(group, _)| group).collect();
            };
            let mut lost: HashSet<usize> = lost.into_iter().collect();
            open = Vec::new();
            let mut memory = self.memory();
            for (place, ((group, judged), change)) in undecided.into_iter().zip(&changes).enumerate() {
                if lost.remove(&place) {
                    open.push(group);
                } else {
                    memory.remember(change.key, Stored { row: change.row, version: stamp.version });
                    note(decisions, batch.places(group), judged);
                }
            }
            drop(memory);
            if open.is_empty() {
                return open;
            }
        }
        warn!(rows = open.len(), "rows of the ledger change too fast; going on without them");
        open
    }

    /// What becomes of each group, and of its row. Of what somebody has taken on nobody is reminded: such an event is known,
    /// and no claim is written for it only to be given back.
    async fn judge(
        &self,
        batch: &LedgerBatch<'_>,
        groups: &[&AlertEvents<'_>],
        rows: &[Option<Stored>],
        call: &LedgerCall<'_>,
    ) -> Vec<(Vec<Decision>, Option<LedgerRow>)> {
        let judge = |group: &AlertEvents<'_>, stored: &Option<Stored>, call: &LedgerCall<'_>| {
            batch.judge(group, stored.map(|stored| stored.row).as_ref(), call)
        };
        let each = || groups.iter().zip(rows);
        let mut judgements: Vec<_> = each().map(|(group, stored)| judge(group, stored, call)).collect();
        let reminds =
            |(judged, _): &(Vec<Decision>, _)| judged.contains(&Decision::Deliver(Occasion::Reminder));
        if call.operation != LedgerOperation::Observe || !judgements.iter().any(reminds) {
            return judgements;
        }
        let reminded = groups.iter().zip(&judgements).filter(|(_, judgement)| reminds(judgement));
        let reminded: Vec<_> = reminded.map(|(group, _)| &group.key).collect();
        let spared = Box::pin(self.spared(&reminded)).await;
        let policy = call.policy.without_reminders();
        let without = LedgerCall { policy: &policy, ..call.clone() };
        for ((group, stored), judgement) in each().zip(&mut judgements) {
            if spared.contains(&group.key) {
                *judgement = judge(group, stored, &without);
            }
        }
        judgements
    }

    async fn load(&self, groups: &[&AlertEvents<'_>]) -> Result<Vec<Option<Stored>>, StoreError> {
        let keys: Vec<&Key<'_>> = groups.iter().map(|group| &group.key).collect();
        let rows = self.table.load(&keys).await?;
        let mut memory = self.memory();
        for (key, stored) in keys.iter().zip(&rows) {
            if let Some(stored) = stored {
                memory.remember(key, *stored);
            }
        }
        Ok(rows)
    }

    /// The rows as they are remembered; what is not is loaded.
    async fn remembered(&self, groups: &[&AlertEvents<'_>]) -> Result<Vec<Option<Stored>>, StoreError> {
        let remember = |group: &&AlertEvents<'_>| self.memory().stored(&group.key);
        let mut rows: Vec<_> = groups.iter().map(remember).collect();
        let is_missing = |(_, row): &(&&AlertEvents<'_>, &mut Option<Stored>)| row.is_none();
        let (missing, places): (Vec<&AlertEvents<'_>>, Vec<_>) =
            groups.iter().zip(&mut rows).filter(is_missing).map(|(group, row)| (*group, row)).unzip();
        if !missing.is_empty() {
            for (place, row) in places.into_iter().zip(self.load(&missing).await?) {
                *place = row;
            }
        }
        Ok(rows)
    }

    /// Writes what was delivered while the database was away. Nobody decides before that, or it would be delivered again.
    pub(super) async fn write_late(&self) {
        if self.memory().late.is_empty() {
            return;
        }
        let _turn = self.late_turn.lock().await;
        loop {
            let Some(delivered) = self.memory().late.pop() else { return };
            let events = delivered.events();
            let batch = LedgerBatch::of(&events, 0..events.len());
            let call = self.call(LedgerOperation::RecordDelivered, &events, delivered.at);
            for groups in batch.groups.chunks(ROWS_MAX) {
                if !self
                    .settle(&batch, groups, &call, &mut vec![Decision::Duplicate; events.len()])
                    .await
                    .is_empty()
                {
                    // To write a part of it twice changes nothing.
                    self.memory().late.put_back(delivered);
                    return;
                }
            }
        }
    }

    /// Remembers whose claims are recorded, and counts what could not be.
    fn take_note(
        &self,
        operation: LedgerOperation,
        events: &[Event<'_>],
        decisions: &[Decision],
        bypassed: &HashSet<EnvelopeId>,
    ) {
        let mut memory = self.memory();
        if operation == LedgerOperation::Observe {
            for (event, decision) in events.iter().zip(decisions) {
                if matches!(decision, Decision::Deliver(_)) {
                    memory.set_recorded(event.envelope, !bypassed.contains(&event.envelope));
                }
            }
        }
        let lost = memory.late.take_lost();
        drop(memory);
        if lost > 0 {
            self.metrics.unrecorded.inc_by(lost);
            warn!(alerts = lost, "alerts were delivered and could not be recorded");
        }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, MemoryLedger> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is about the same alert as something that waits comes after it, whatever the cache said.
fn with_successors(events: &[Event<'_>], pending: Vec<usize>) -> Vec<usize> {
    let mut waiting: HashSet<(&str, &str)> = HashSet::new();
    let mut pending = pending.into_iter().peekable();
    let mut all = Vec::new();
    for (place, event) in events.iter().enumerate() {
        let key = (event.receiver, event.fingerprint);
        if pending.next_if_eq(&place).is_some() {
            waiting.insert(key);
            all.push(place);
        } else if waiting.contains(&key) {
            all.push(place);
        }
    }
    all
}

fn note(decisions: &mut [Decision], places: &[usize], judged: Vec<Decision>) {
    for (place, judged) in places.iter().zip(judged) {
        if let Some(decision) = decisions.get_mut(*place) {
            *decision = judged;
        }
    }
}
