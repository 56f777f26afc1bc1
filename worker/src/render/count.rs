//! How many fire, and how many are over. Pure.

use model::alert::Status;

/// How many of what is counted fire, and how many are over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) firing: usize,
    pub(super) resolved: usize,
}

impl Count {
    pub(super) fn total(self) -> usize {
        self.firing + self.resolved
    }

    /// Counts so many more.
    pub(super) fn add(&mut self, status: Status, count: usize) {
        match status {
            Status::Firing => self.firing += count,
            Status::Resolved => self.resolved += count,
        }
    }
}
