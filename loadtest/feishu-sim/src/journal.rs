//! The memory of the simulator: every request and its verdict, bounded in bytes, and totals that never
//! forget.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::record::{Record, Verdict};

/// Counts since the start or the last clearing, over all bots and apps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Messages shown in a group.
    pub accepted: u64,
    /// Updates of messages shown before.
    pub updated: u64,
    /// Sends that repeated a `uuid`, and showed nothing new.
    pub repeated: u64,
    /// Other calls that got what they asked for.
    pub answered: u64,
    /// Refusals by code.
    pub refused: BTreeMap<i64, u64>,
    /// Of the refusals, those for a rate: 11232 of a custom bot, 230020 of a chat or a message, 99991400 of an app.
    pub throttled: u64,
    /// Requests that met a scripted fault before they were judged.
    pub faulted: u64,
    /// Accepted messages and updates beyond a limit: 0 while the limits are enforced.
    pub over_budget: u64,
    /// Records dropped for the limit of the journal's memory.
    pub forgotten: u64,
}

pub(crate) struct Journal {
    records: VecDeque<Record>,
    weight_bytes: usize,
    limit_bytes: usize,
    written: u64,
    totals: Totals,
}

impl Journal {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { records: VecDeque::new(), weight_bytes: 0, limit_bytes, written: 0, totals: Totals::default() }
    }

    pub(crate) fn write(&mut self, mut record: Record, over_budget: bool) {
        self.written += 1;
        record.number = self.written;
        match &record.verdict {
            Verdict::Accepted => self.totals.accepted += 1,
            Verdict::Updated => self.totals.updated += 1,
            Verdict::Repeated => self.totals.repeated += 1,
            Verdict::Answered => self.totals.answered += 1,
            Verdict::Refused(refusal) => {
                *self.totals.refused.entry(refusal.code).or_default() += 1;
                self.totals.throttled += u64::from(refusal.is_for_rate());
            }
            Verdict::Faulted => self.totals.faulted += 1,
        }
        self.totals.over_budget += u64::from(over_budget);
        self.weight_bytes += record.weight_bytes();
        self.records.push_back(record);
        while self.weight_bytes > self.limit_bytes {
            let Some(oldest) = self.records.pop_front() else {
                break;
            };
            self.weight_bytes -= oldest.weight_bytes();
            self.totals.forgotten += 1;
        }
    }

    /// What is remembered, oldest first.
    pub(crate) fn records(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.records.iter()
    }

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.limit_bytes);
    }
}
