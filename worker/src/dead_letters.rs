//! What could not be delivered. The queue's dead letters are moved into the database, where they wait for an operator, who
//! looks at them, sends them again or discards them; who did what is kept as well.

mod audit;
mod filter;
mod keep;
mod metrics;
mod mover;
pub(crate) mod publishing;
mod record;
mod rows;
mod search;
pub(crate) mod sending;
mod stored;

use runtime::clock::Clock;

pub use audit::OperatorAction;
pub use filter::Filter;
pub use metrics::DeadLetterMetrics;
pub use mover::Mover;
pub use record::LETTER_BYTES_MAX;
pub(crate) use rows::SETTLED_KEPT;
pub use search::{DeadLetterSearch, FoundDeadLetters, Order};
pub use stored::{DeadLetterContent, DeadLetterState, ReplayOutcome, StoredDeadLetter};

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
