//! What could not be told.

pub(crate) mod schema;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ReplayOutcome {
    Told,
    ToldSince,
    ResolvedSince,
    DeadAgain,
}
