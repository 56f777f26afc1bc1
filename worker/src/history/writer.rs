//! Writes what waits, in batches, beside everything else.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{History, HistoryState, sizes, table};

/// How long rows wait for company, unless there are many.
const COMPANY: Duration = Duration::from_secs(1);
/// How long a row that counts is counted on before it is written (again).
const COUNTED_FOR: Duration = Duration::from_secs(10);
/// How often it is written down how much there is.
const SIZES_EVERY: Duration = Duration::from_mins(1);
/// What is left is written for so long at the end of the process.
const FINISHED_WITHIN: Duration = Duration::from_secs(3);

/// When is what due.
struct Schedule {
    counted: Instant,
    sizes: Instant,
}

impl History {
    /// Writes until the stop. What is noted after that is left to [`finish`](Self::finish).
    pub(crate) async fn run(self, stop: CancellationToken) {
        let Some(state) = self.0 else { return };
        let now = Instant::now();
        let mut schedule = Schedule { counted: now, sizes: now + SIZES_EVERY };
        loop {
            let is_idle = !state.has_something();
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = state.begun.notified(), if is_idle => {}
                () = state.plenty.notified(), if !is_idle => {}
                () = sleep(COMPANY), if !is_idle => {}
            }
            // Not cut off by the stop: whoever finishes waits for its turn.
            if is_idle {
                // It has begun to come: the rest of it comes now.
                schedule.counted = Instant::now() + COUNTED_FOR;
                continue;
            }
            Box::pin(state.tend(&mut schedule)).await;
        }
    }

    /// Writes what is left, for a few seconds at most: what is not written then is counted and left out.
    pub async fn finish(&self) {
        let Some(state) = &self.0 else { return };
        let left = async {
            let _turn = state.turn.lock().await;
            state.take_repeats();
            while state.write_some().await {}
            state.keep_sizes().await;
        };
        let _too_late = timeout(FINISHED_WITHIN, Box::pin(left)).await;
        let left = state.memory().pending.take(usize::MAX, usize::MAX).len();
        state.metrics.skipped.inc_by(left as u64);
    }
}

impl HistoryState {
    fn has_something(&self) -> bool {
        let memory = self.memory();
        memory.pending.len() > 0 || memory.repeats.is_changed() || !memory.sizes.is_empty()
    }

    /// One round of everything that is due.
    async fn tend(self: &Arc<Self>, schedule: &mut Schedule) {
        let turn = self.turn.lock().await;
        let now = Instant::now();
        if now >= schedule.counted {
            self.take_repeats();
            schedule.counted = now + COUNTED_FOR;
        }
        while self.write_some().await {}
        if now >= schedule.sizes {
            self.keep_sizes().await;
            schedule.sizes = now + SIZES_EVERY;
        }
        drop(turn);
    }

    fn take_repeats(&self) {
        let mut memory = self.memory();
        let rows = memory.repeats.take();
        self.push(&mut memory, rows);
    }

    /// Writes one batch; says whether there was one.
    async fn write_some(&self) -> bool {
        let rows = self.memory().pending.take(table::ROWS_MAX, table::BYTES_MAX);
        if rows.is_empty() {
            return false;
        }
        let count = rows.len() as u64;
        match table::write(&self.store, &rows).await {
            Ok(()) => {
                self.metrics.written.inc_by(count);
                self.memory().sizes.add(&rows);
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    info!("what becomes of alerts is written down again");
                }
            }
            Err(error) => {
                self.metrics.skipped.inc_by(count);
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    warn!(
                        %error,
                        "what becomes of alerts is not written down for now: trace will not know of it; they are delivered all \
                         the same"
                    );
                }
            }
        }
        true
    }

    /// A failure is the store's to tell; what is not counted then makes room later.
    async fn keep_sizes(&self) {
        let sizes = std::mem::take(&mut self.memory().sizes);
        if !sizes.is_empty() {
            let _uncounted = sizes::keep(&self.store, sizes).await;
        }
    }
}
