//! What could not be told. The queue's dead letters are moved into the database, where they wait for an operator, who
//! looks at them, sends them again or discards them; who did what is kept as well.

mod audit;
mod burial;
mod change;
mod clean;
mod filter;
mod keep;
mod letter;
mod metrics;
mod mover;
mod read;
pub(crate) mod schema;
#[cfg(test)]
mod tests;

use shared::clock::Clock;

pub use audit::Action;
pub use burial::LETTER_BYTES_MAX;
pub use filter::Filter;
pub use letter::{Content, Letter, ReplayOutcome, State};
pub use metrics::DeadLetterMetrics;
pub(crate) use mover::Mover;
pub use read::Order;

use crate::audit::Audit;
use crate::store::Store;

/// The dead letters in the database. Clones share it.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    store: Store,
    trail: Audit,
    clock: Clock,
    metrics: DeadLetterMetrics,
}

impl DeadLetters {
    /// Those in this database.
    pub fn new(store: Store, clock: Clock, metrics: DeadLetterMetrics) -> Self {
        let trail = Audit::new(store.clone(), clock.clone());
        Self { store, trail, clock, metrics }
    }
}
