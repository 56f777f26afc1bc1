//! What happens to one alert again and again, as repeats do, is one row that counts it: nineteen of twenty alerts are
//! repeats, and what somebody asks of them is since when, until when, how often, and by which envelope they were known.
//! Pure: the time is an argument.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use model::alert::Status;
use model::envelope::EnvelopeId;

use super::row::{HistoryOutcome, HistoryRow};

/// For how long one row counts at most, in milliseconds: whoever looks for what happened at some time finds the rows that
/// began at most so long before.
pub(super) const SPAN_MS: i64 = 60 * 60 * 1_000;
/// Rows that are remembered to be counted on, at most twice as many. 120 bytes each.
const OPEN_MAX: usize = 50_000;
/// Rows with something that is not written yet at most; then they are written at once.
const CHANGED_MAX: usize = 4_096;

/// The rows that are counted on.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Those that were looked for lately, and those before.
    open: HashMap<u64, OpenRow, RandomState>,
    before: HashMap<u64, OpenRow, RandomState>,
    changed: Vec<ChangedRow>,
    hasher: RandomState,
}

/// A row that was written.
#[derive(Clone, Copy, Debug)]
struct OpenRow {
    at_ms: i64,
    number: i64,
    times: u32,
    by: Option<EnvelopeId>,
    /// Its place among the changed ones, if it is there.
    changed: Option<u32>,
}

#[derive(Debug)]
struct ChangedRow {
    key: RepeatKey,
    row: HistoryRow,
}

/// Says what happens again. Two with one hash of 64 bits would be counted as one, which in a hundred thousand happens once
/// in a billion times.
#[derive(Clone, Copy, Debug)]
pub(super) struct RepeatKey(u64);

/// That something happened once more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recurrence {
    pub(super) now_ms: i64,
    /// The envelope it came with.
    pub(super) envelope: EnvelopeId,
    /// Until when it waits.
    pub(super) until_ms: Option<i64>,
}

impl Repeats {
    /// What tells it from everything else that happens.
    pub(super) fn key(
        &self,
        outcome: HistoryOutcome,
        receiver: &str,
        identity: &str,
        status: Status,
    ) -> RepeatKey {
        let mut hasher = self.hasher.build_hasher();
        outcome.number().hash(&mut hasher);
        status.hash(&mut hasher);
        receiver.hash(&mut hasher);
        identity.hash(&mut hasher);
        RepeatKey(hasher.finish())
    }

    /// Counts it on a row that is not written yet; says whether there is one. This is what nearly all repeats cost.
    pub(super) fn count(&mut self, key: RepeatKey, again: Recurrence) -> bool {
        let place = self.open.get(&key.0).and_then(|open| open.changed);
        let Some(changed) = place.and_then(|place| self.changed.get_mut(place as usize)) else {
            return false;
        };
        let row = &mut changed.row;
        row.times = row.times.saturating_add(1);
        row.last_ms = row.last_ms.max(again.now_ms);
        row.envelope = again.envelope;
        row.until_ms = again.until_ms;
        true
    }

    /// Begins a row, or goes on with the one that was written for the same thing. `number` is for a new one.
    pub(super) fn begin(&mut self, key: RepeatKey, mut row: HistoryRow, again: Recurrence, number: i64) {
        let before = self.open.remove(&key.0).or_else(|| self.before.remove(&key.0));
        let same = before
            .filter(|open| open.by == row.by && again.now_ms < open.at_ms.saturating_add(SPAN_MS))
            // A clock that was set back begins anew: a row ends no sooner than it begins.
            .filter(|open| again.now_ms >= open.at_ms);
        (row.at_ms, row.number) = same.map_or((again.now_ms, number), |open| (open.at_ms, open.number));
        row.times = same.map_or(1, |open| open.times.saturating_add(1));
        row.is_new = same.is_none();
        row.last_ms = again.now_ms;
        row.until_ms = again.until_ms;
        let changed = u32::try_from(self.changed.len()).ok();
        let HistoryRow { at_ms, number, times, by, .. } = row;
        self.open.insert(key.0, OpenRow { at_ms, number, times, by, changed });
        self.changed.push(ChangedRow { key, row });
    }

    /// Whether there is something to be written.
    pub(super) fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Whether it is to be written at once.
    pub(super) fn is_full(&self) -> bool {
        self.changed.len() >= CHANGED_MAX
    }

    /// What is to be written.
    pub(super) fn take(&mut self) -> Vec<HistoryRow> {
        let changed = std::mem::take(&mut self.changed);
        let mut rows = Vec::with_capacity(changed.len());
        for ChangedRow { key, row } in changed {
            if let Some(open) = self.open.get_mut(&key.0) {
                open.times = row.times;
                open.changed = None;
            }
            rows.push(row);
        }
        if self.open.len() >= OPEN_MAX {
            self.before = std::mem::take(&mut self.open);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use model::envelope::decode;

    use super::super::row::HistoryFacts;
    use super::*;
    use crate::metrics::Outcome;
    use crate::render::Item;

    fn id(number: u32) -> EnvelopeId {
        EnvelopeId::new(Timestamp::UNIX_EPOCH, [0; 10]).part(number)
    }

    fn duplicate(by: u32) -> HistoryRow {
        let line = br#"{"v":1,"id":"018d0d1e-3b7a-7c3e-9f00-000000000001","received_at":"2024-01-15T10:30:00Z","source":"alertmanager","receiver":"ops","group_key":"g","alerts":[{"fingerprint":"f1","status":"firing","labels":{"alertname":"A"}}]}"#;
        let envelope = decode(line).unwrap();
        let facts = Arc::new(HistoryFacts::at("ops"));
        HistoryRow::new(&Item::all_of(&envelope)[0], Outcome::Duplicate, &facts).by(Some(id(by)))
    }

    /// A repeat, as the history takes it.
    fn repeat(repeats: &mut Repeats, now_ms: i64, by: u32) {
        let key = repeats.key(Outcome::Duplicate.into(), "ops", "f1", Status::Firing);
        let again = Recurrence { now_ms, envelope: id(100), until_ms: None };
        if !repeats.count(key, again) {
            repeats.begin(key, duplicate(by), again, now_ms + 1_000_000);
        }
    }

    fn taken(repeats: &mut Repeats) -> Vec<(i64, i64, u32)> {
        repeats.take().iter().map(|row| (row.at_ms, row.last_ms, row.times)).collect()
    }

    #[test]
    fn repeats_are_one_row_that_is_written_again_with_what_came_since() {
        let mut repeats = Repeats::default();
        for now_ms in [10, 20, 30] {
            repeat(&mut repeats, now_ms, 1);
        }
        assert_eq!(taken(&mut repeats), [(10, 30, 3)]);
        assert!(!repeats.is_changed());
        repeat(&mut repeats, 40, 1);
        repeat(&mut repeats, 50, 1);
        assert_eq!(taken(&mut repeats), [(10, 50, 5)]);
    }

    #[test]
    fn another_row_begins_after_an_hour_by_another_envelope_and_with_a_clock_set_back() {
        let mut repeats = Repeats::default();
        let mut begun = Vec::new();
        for (now_ms, by) in [(10, 1), (20, 1), (30, 2), (30 + SPAN_MS, 2), (31, 2)] {
            repeat(&mut repeats, now_ms, by);
            begun.extend(taken(&mut repeats));
        }
        let fresh = 30 + SPAN_MS;
        assert_eq!(begun, [(10, 10, 1), (10, 20, 2), (30, 30, 1), (fresh, fresh, 1), (31, 31, 1)]);
    }

    #[test]
    fn what_tells_two_things_apart_tells_their_rows_apart() {
        let repeats = Repeats::default();
        let key = |outcome: Outcome, receiver, identity, status| {
            repeats.key(outcome.into(), receiver, identity, status).0
        };
        let one = key(Outcome::Duplicate, "ops", "f1", Status::Firing);
        assert_eq!(one, key(Outcome::Duplicate, "ops", "f1", Status::Firing));
        for other in [
            key(Outcome::Superseded, "ops", "f1", Status::Firing),
            key(Outcome::Duplicate, "dev", "f1", Status::Firing),
            key(Outcome::Duplicate, "ops", "f2", Status::Firing),
            key(Outcome::Duplicate, "ops", "f1", Status::Resolved),
            key(Outcome::Duplicate, "opsf", "1", Status::Firing),
        ] {
            assert_ne!(one, other);
        }
    }
}
