//! What became of each alert, by its name, for some days: the answer to "why did it not arrive". Rows are handed over where an
//! alert ends and written in batches beside the deliveries, which never wait for them: what the database does not take in
//! time is counted and left out.
//!
//! What was delivered, summarised or dead-lettered is a row for each alert. What happens to one alert again and again, as
//! repeats do, is one row an hour that counts it: nearly all traffic is repeats, and a row for each would cost more than
//! the rest of their way.

mod clean;
mod counts;
mod find;
mod metrics;
mod pending;
mod repeats;
mod row;
mod sizes;
mod table;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::HistoryConfig;
use model::envelope::EnvelopeId;
use prometheus::Registry;
use runtime::clock::Clock;
use tokio::sync::Notify;

use crate::render::Item;
use crate::store::Store;
use metrics::HistoryMetrics;
use pending::PendingRows;
use repeats::{Recurrence, Repeats};
use sizes::WrittenSizes;

pub use counts::{ReceiverCount, cards_since, count_plans, deferred};
pub use find::{HistoryEntry, HistoryFilter, HistoryPage, HistoryPlace, find, find_after, plan};
pub use row::{HistoryFacts, HistoryOutcome, HistoryRow, HistorySubject};

/// Rows that wait for company no longer once they are so many.
const WRITTEN_SOON: usize = 2_000;

/// What became of alerts. Clones share it.
#[derive(Clone, Debug)]
pub struct History(Option<Arc<HistoryState>>);

#[derive(Debug)]
struct HistoryState {
    store: Store,
    clock: Clock,
    config: HistoryConfig,
    memory: Mutex<HistoryMemory>,
    /// There is something to be written.
    begun: Notify,
    /// There is so much of it that it waits for no more.
    plenty: Notify,
    /// Held by whoever writes.
    turn: tokio::sync::Mutex<()>,
    /// Whether the last write failed: that is said once for as long as it lasts.
    is_failing: AtomicBool,
    /// Tells the rows of this process from those of others.
    process: u32,
    counter: AtomicU32,
    metrics: HistoryMetrics,
}

/// What is not written yet.
#[derive(Debug, Default)]
struct HistoryMemory {
    pending: PendingRows,
    repeats: Repeats,
    sizes: WrittenSizes,
}

/// Why something happens to an alert again and again.
#[derive(Debug, Default)]
pub struct RepeatCause {
    /// In words.
    pub reason: String,
    /// What Feishu has answered, if that is why.
    pub code: Option<i64>,
    /// The envelope that has delivered it, or is about to.
    pub by: Option<EnvelopeId>,
    /// The attempts at it so far.
    pub attempts: u32,
}

impl History {
    /// Kept in `store` as `config` says. Its metrics are shown by `registry`.
    pub fn new(
        store: Store,
        clock: Clock,
        config: HistoryConfig,
        registry: &Registry,
    ) -> prometheus::Result<Self> {
        let metrics = HistoryMetrics::register(registry)?;
        if !config.enabled {
            return Ok(Self(None));
        }
        Ok(Self(Some(Arc::new(HistoryState {
            store,
            clock,
            config,
            memory: Mutex::default(),
            begun: Notify::new(),
            plenty: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            is_failing: AtomicBool::new(false),
            process: runtime::entropy::random(),
            counter: AtomicU32::new(0),
            metrics,
        }))))
    }

    /// Whether it is kept: else nobody need make rows.
    pub(crate) const fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Takes note of what became of alerts just now.
    pub fn note(&self, rows: impl IntoIterator<Item = HistoryRow>) {
        let Some(state) = &self.0 else { return };
        let now_ms = state.clock.now().as_millisecond();
        let rows: Vec<_> = rows.into_iter().map(|row| row.noted(now_ms, state.number())).collect();
        state.push(&mut state.memory(), rows);
    }

    /// Takes note of what happened to alerts once more. `until_ms` is until when they wait, if they do; why it happened is asked
    /// only where a row is made.
    pub fn note_again<'i>(
        &self,
        receiver: &str,
        until_ms: Option<i64>,
        alerts: impl Iterator<Item = (Item<'i>, HistoryOutcome)>,
        cause: impl Fn(&Item<'i>) -> RepeatCause,
    ) {
        let Some(state) = &self.0 else { return };
        let now_ms = state.clock.now().as_millisecond();
        let mut is_begun = false;
        let mut memory = state.memory();
        for (item, outcome) in alerts {
            let again = Recurrence { now_ms, envelope: item.envelope.id, until_ms };
            let identity = item.alert.fingerprint.as_str();
            let key = memory.repeats.key(outcome, receiver, identity, item.alert.status);
            if memory.repeats.count(key, again) {
                continue;
            }
            let RepeatCause { reason, code, by, attempts } = cause(&item);
            let facts = HistoryFacts::at(receiver).because(&reason, code);
            let row = HistoryRow::new(&item, outcome, &Arc::new(facts)).by(by).after(attempts);
            is_begun |= !memory.repeats.is_changed();
            memory.repeats.begin(key, row, again, state.number());
            if memory.repeats.is_full() {
                let rows = memory.repeats.take();
                state.push(&mut memory, rows);
            }
        }
        drop(memory);
        if is_begun {
            state.begun.notify_one();
        }
    }
}

impl HistoryState {
    /// Those for which there is no room are counted and left out.
    fn push(&self, memory: &mut HistoryMemory, rows: Vec<HistoryRow>) {
        let was_empty = memory.pending.len() == 0;
        let skipped = rows.into_iter().map(|row| memory.pending.push(row)).filter(|is_taken| !is_taken);
        self.metrics.skipped.inc_by(skipped.count() as u64);
        if was_empty && memory.pending.len() > 0 {
            self.begun.notify_one();
        }
        if memory.pending.len() >= WRITTEN_SOON {
            self.plenty.notify_one();
        }
    }

    /// Tells a row from others of the same millisecond, those of other processes as well.
    fn number(&self) -> i64 {
        // Never negative, and the same for no two rows until four billion of one process.
        i64::from(self.process >> 1) << u32::BITS | i64::from(self.counter.fetch_add(1, Ordering::Relaxed))
    }

    fn memory(&self) -> MutexGuard<'_, HistoryMemory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
