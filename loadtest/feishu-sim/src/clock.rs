//! The time the simulator goes by: the system's, or one that a test moves, so that minutes pass without
//! waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// Where the rate limits, the sign window, timed faults and arrival times take "now" from.
#[derive(Debug, Clone, Default)]
pub(crate) enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that stands still until it is moved.
    Manual(ManualClock),
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::System =>
            {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the simulator's only look at the system clock"
                )]
                Timestamp::now()
            }
            Self::Manual(clock) => clock.now(),
        }
    }
}

/// A clock in a test's hands; clones show the same time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    start: Timestamp,
    advanced_ms: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock that shows `start` until it is advanced.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, advanced_ms: Arc::default() }
    }

    /// Moves the clock forward, in whole milliseconds.
    pub fn advance(&self, by: Duration) {
        let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.advanced_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// The time it shows.
    pub fn now(&self) -> Timestamp {
        self.start + Duration::from_millis(self.advanced_ms.load(Ordering::Relaxed))
    }
}
