//! The effects: rows are read, decided about and written, and whoever was slower decides again.

use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};

use shared::envelope::EnvelopeId;
use tracing::warn;

use super::Ledger;
use super::batch::{Batch, Call, Deed, Group, Key};
use super::decision::Decision;
use super::memory::Memory;
use super::row::{Event, Millis};
use super::table::{Change, ROWS_MAX, Stamp, Stored};
use crate::store::StoreError;

/// How often a row is decided about again because somebody else was faster. Each time somebody got further, so more
/// than a few times means that something is wrong, and then nobody is to wait for it.
const ROUNDS_MAX: usize = 16;

impl Ledger {
    /// Does something to the rows of these events, and says what is to become of each.
    pub(super) async fn run(&self, deed: Deed, events: &[Event<'_>], now: Millis) -> Vec<Decision> {
        // Boxed, here and below: with what callers await around it, it would be one type too deep to compile. And only
        // where there is something to wait for: what waits for a database is some 10 KB, and repeats need none.
        if !self.memory().late.is_empty() {
            Box::pin(self.write_late()).await;
        }
        let mut decisions = vec![Decision::Known; events.len()];
        let pending = self.pending(deed, events, now, &mut decisions);
        if !pending.is_empty() {
            Box::pin(self.run_on_database(deed, events, (pending, now), &mut decisions)).await;
        }
        decisions
    }

    async fn run_on_database(
        &self,
        deed: Deed,
        events: &[Event<'_>],
        (pending, now): (Vec<usize>, Millis),
        decisions: &mut [Decision],
    ) {
        let batch = Batch::of(events, pending);
        let call = self.call(deed, events, now);
        let alone = Call { is_alone: true, ..call.clone() };
        let mut bypassed = HashSet::new();
        for groups in batch.groups.chunks(ROWS_MAX) {
            for group in self.settle(&batch, groups, &call, decisions).await {
                let judged = self.memory().judge(&batch, group, &alone);
                note(decisions, batch.places(group), judged);
                bypassed.extend(batch.events(group).map(|event| event.envelope));
                if deed == Deed::Observe {
                    self.metrics.bypassed.inc_by(batch.places(group).len() as u64);
                }
            }
        }
        self.take_note(deed, events, decisions, &bypassed);
    }

    /// The events the cache has no answer for; the answers it has are put down.
    fn pending(
        &self,
        deed: Deed,
        events: &[Event<'_>],
        now: Millis,
        decisions: &mut [Decision],
    ) -> Vec<usize> {
        if !matches!(deed, Deed::Observe | Deed::Confirm) {
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
        if deed == Deed::Observe {
            self.metrics.cache_hits.inc_by((events.len() - pending.len()) as u64);
        }
        pending
    }

    fn call(&self, deed: Deed, events: &[Event<'_>], now: Millis) -> Call<'_> {
        let mut recorded = HashSet::new();
        if deed == Deed::Confirm {
            let memory = self.memory();
            let envelopes = events.iter().map(|event| event.envelope);
            recorded.extend(envelopes.filter(|envelope| memory.is_recorded(*envelope)));
        }
        Call { deed, now, policy: &self.policy, recorded, is_alone: false }
    }

    /// Decides by the database. Returns what is left if that fails; it has to be decided without.
    async fn settle<'b, 'e>(
        &self,
        batch: &'b Batch<'e>,
        groups: &'b [Group<'e>],
        call: &Call<'_>,
        decisions: &mut [Decision],
    ) -> Vec<&'b Group<'e>> {
        let mut open: Vec<_> = groups.iter().collect();
        for round in 0..ROUNDS_MAX {
            // Whoever holds a claim knows its row; if that has undecided since, the write finds out.
            let loaded = match call.deed {
                Deed::Observe | Deed::Confirm => self.load(&open).await,
                Deed::Tell | Deed::Release | Deed::Renew if round > 0 => self.load(&open).await,
                Deed::Tell | Deed::Release | Deed::Renew => self.remembered(&open).await,
            };
            let Ok(rows) = loaded else { return open };
            let (mut changes, mut undecided) = (Vec::new(), Vec::new());
            for (group, stored) in open.into_iter().zip(rows) {
                let (judged, next) = batch.judge(group, stored.map(|stored| stored.row).as_ref(), call);
                match next {
                    Some(row) => {
                        let replaces = stored.map(|stored| stored.version);
                        changes.push(Change { key: &group.key, row, replaces });
                        undecided.push((group, judged));
                    }
                    None => note(decisions, batch.places(group), judged),
                }
            }
            if changes.is_empty() {
                return Vec::new();
            }
            // Odd, so that it is never 0.
            let stamp = Stamp { version: rand::random::<i64>() | 1, now: call.now };
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
        warn!(rows = open.len(), "{} rows of the ledger change too fast; going on without them", open.len());
        open
    }

    async fn load(&self, groups: &[&Group<'_>]) -> Result<Vec<Option<Stored>>, StoreError> {
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
    async fn remembered(&self, groups: &[&Group<'_>]) -> Result<Vec<Option<Stored>>, StoreError> {
        let remember = |group: &&Group<'_>| self.memory().stored(&group.key);
        let mut rows: Vec<_> = groups.iter().map(remember).collect();
        let is_missing = |(_, row): &(&&Group<'_>, &mut Option<Stored>)| row.is_none();
        let (missing, places): (Vec<&Group<'_>>, Vec<_>) =
            groups.iter().zip(&mut rows).filter(is_missing).map(|(group, row)| (*group, row)).unzip();
        if !missing.is_empty() {
            for (place, row) in places.into_iter().zip(self.load(&missing).await?) {
                *place = row;
            }
        }
        Ok(rows)
    }

    /// Writes what was told while the database was away. Nobody decides before that, or it would be told again.
    pub(super) async fn write_late(&self) {
        if self.memory().late.is_empty() {
            return;
        }
        let _turn = self.late_turn.lock().await;
        loop {
            let Some(told) = self.memory().late.pop() else { return };
            let events = told.events();
            let batch = Batch::of(&events, 0..events.len());
            let call = self.call(Deed::Tell, &events, told.at);
            for groups in batch.groups.chunks(ROWS_MAX) {
                if !self
                    .settle(&batch, groups, &call, &mut vec![Decision::Known; events.len()])
                    .await
                    .is_empty()
                {
                    // To write a part of it twice changes nothing.
                    self.memory().late.put_back(told);
                    return;
                }
            }
        }
    }

    /// Remembers whose claims are recorded, and counts what could not be.
    fn take_note(
        &self,
        deed: Deed,
        events: &[Event<'_>],
        decisions: &[Decision],
        bypassed: &HashSet<EnvelopeId>,
    ) {
        let mut memory = self.memory();
        if deed == Deed::Observe {
            for (event, decision) in events.iter().zip(decisions) {
                if matches!(decision, Decision::Tell(_)) {
                    memory.set_recorded(event.envelope, !bypassed.contains(&event.envelope));
                }
            }
        }
        let lost = memory.late.take_lost();
        drop(memory);
        if lost > 0 {
            self.metrics.unrecorded.inc_by(lost);
            warn!(alerts = lost, "{lost} alerts were told and could not be recorded");
        }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
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
