//! Rows that wait to be written: a bounded number, so that a database that is slow or away costs rows and no memory. Pure.

use std::collections::VecDeque;

use super::row::HistoryRow;

/// Rows that wait at most.
const ROWS_MAX: usize = 50_000;
/// The same in bytes.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Rows in the order they came.
#[derive(Debug, Default)]
pub(super) struct PendingRows {
    rows: VecDeque<HistoryRow>,
    bytes: usize,
}

impl PendingRows {
    /// Takes a row in; says whether there was room.
    pub(super) fn push(&mut self, row: HistoryRow) -> bool {
        let bytes = row.bytes();
        let has_room = self.rows.len() < ROWS_MAX && self.bytes + bytes <= BYTES_MAX;
        if has_room {
            self.bytes += bytes;
            self.rows.push_back(row);
        }
        has_room
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The first of them, within both limits; at least one if there is any.
    pub(super) fn take(&mut self, rows_max: usize, bytes_max: usize) -> Vec<HistoryRow> {
        let mut bytes = 0;
        let mut taken = Vec::new();
        while let Some(row) = self.rows.front() {
            let more = row.bytes();
            if taken.len() >= rows_max || (bytes + more > bytes_max && !taken.is_empty()) {
                break;
            }
            bytes += more;
            self.bytes = self.bytes.saturating_sub(more);
            taken.extend(self.rows.pop_front());
        }
        if self.rows.is_empty() {
            // What a storm has needed is not kept for good.
            self.rows = VecDeque::new();
        }
        taken
    }
}
