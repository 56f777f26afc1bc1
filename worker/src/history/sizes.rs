//! How much there is, by the ten minutes it was written in: what is to make room is found without counting millions of
//! rows. Added up here and written now and then; what a process that dies had not written yet is not counted, which is at
//! most a minute of it.

use std::collections::BTreeMap;

use super::row::HistoryRow;
use crate::store::sql::{Value, execute, rows};
use crate::store::{Insert, Run, Store, StoreError};

/// What is counted together, in milliseconds.
pub(super) const SLOT_MS: i64 = 10 * 60 * 1_000;
/// Counts that are read at most: 180 days of them.
const SLOTS_READ_MAX: i64 = 26_000;

const WRITTEN: Insert<'_> =
    Insert { table: "larkfire_history_size", columns: &["slot_ms", "kept", "bytes"], key: 1 };

/// What was written since it was counted last.
#[derive(Debug, Default)]
pub(super) struct WrittenSizes(BTreeMap<i64, SlotSize>);

/// What was written in one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SlotSize {
    rows: i64,
    bytes: i64,
}

impl WrittenSizes {
    /// These were written. A row that counts is one row, however often it is written.
    pub(super) fn add(&mut self, written: &[HistoryRow]) {
        for row in written.iter().filter(|row| row.is_new) {
            let size = self.0.entry(row.at_ms.div_euclid(SLOT_MS) * SLOT_MS).or_default();
            size.rows += 1;
            size.bytes += i64::try_from(row.bytes()).unwrap_or(i64::MAX);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Adds what was written to what is counted. Not twice: where nobody knows whether it was added it is left.
pub(super) async fn keep(store: &Store, sizes: WrittenSizes) -> Result<(), StoreError> {
    let insert = WRITTEN.or_update(
        store.pool().dialect(),
        "VALUES (?, ?, ?)",
        &[
            "kept = larkfire_history_size.kept + NEW(kept)",
            "bytes = larkfire_history_size.bytes + NEW(bytes)",
        ],
    );
    for (slot_ms, size) in sizes.0 {
        let values: [Value<'_>; 3] = [slot_ms.into(), size.rows.into(), size.bytes.into()];
        let insert = insert.as_str();
        let values = &values;
        let add = |run: Run| async move {
            match run {
                Run::First => execute(store.pool(), insert, values).await.map(drop),
                Run::MaybeAgain => Ok(()),
            }
        };
        store.within_knowing(add).await?;
    }
    Ok(())
}

/// Before when rows have to go for the others to be within these limits; nothing before the first of them.
pub(super) async fn beyond(store: &Store, rows_max: u64, bytes_max: u64) -> Result<i64, StoreError> {
    let select = "SELECT slot_ms, kept, bytes FROM larkfire_history_size ORDER BY slot_ms DESC LIMIT ?";
    let limit = [SLOTS_READ_MAX.into()];
    let slots: Vec<(i64, i64, i64)> = store.within(|| rows(store.pool(), select, &limit)).await?;
    Ok(cutoff(&slots, rows_max, bytes_max))
}

/// The same, of slots with their rows and bytes, the newest first. The newest stays, whatever is in it.
fn cutoff(slots: &[(i64, i64, i64)], rows_max: u64, bytes_max: u64) -> i64 {
    let positive = |number: i64| u64::try_from(number).unwrap_or(0);
    let mut rows = 0_u64;
    let mut bytes = 0_u64;
    let mut newer = i64::MIN;
    for (place, (slot_ms, more_rows, more_bytes)) in slots.iter().enumerate() {
        rows = rows.saturating_add(positive(*more_rows));
        bytes = bytes.saturating_add(positive(*more_bytes));
        if place > 0 && (rows > rows_max || bytes > bytes_max) {
            return newer;
        }
        newer = *slot_ms;
    }
    i64::MIN
}

/// The rows before then are gone.
pub(super) async fn forget(store: &Store, before_ms: i64) -> Result<(), StoreError> {
    let delete = "DELETE FROM larkfire_history_size WHERE slot_ms <= ?";
    let values = [before_ms.saturating_sub(SLOT_MS).into()];
    store.within(|| execute(store.pool(), delete, &values)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_slots_make_room_and_the_newest_stays() {
        let slots = [(40, 5, 50), (30, 5, 500), (20, 5, 50), (10, 5, 50)];
        assert_eq!(cutoff(&slots, 20, 1_000), i64::MIN, "all of it has room");
        assert_eq!(cutoff(&slots, 19, 1_000), 20);
        assert_eq!(cutoff(&slots, 12, 1_000), 30);
        assert_eq!(cutoff(&slots, 100, 549), 40, "too many bytes");
        assert_eq!(cutoff(&slots, 1, 1), 40);
        assert_eq!(cutoff(&[], 1, 1), i64::MIN);
    }
}
