//! Publishes that went to the queue and to the disk, because the queue had not answered in time. Its answer still comes, and
//! decides whether what is on disk has to be replayed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use queue::Publishing;

use super::record::Place;

/// Where the records of one publish are: from the first byte to behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) begin: Place,
    pub(super) end: Place,
}

/// A publish that is on disk, and the answer that is still to come.
pub(super) struct Unanswered {
    pub(super) span: Span,
    pub(super) answer: Publishing,
}

/// What is on disk and not answered, in its order there. Clones share it. Bounded by what the queue takes on at one time
/// without having confirmed it. A process that ends forgets it: what is on disk is then replayed.
#[derive(Clone, Default)]
pub(super) struct PendingAnswers(Arc<Mutex<VecDeque<Unanswered>>>);

impl PendingAnswers {
    /// Notes a publish that was stored behind all others.
    pub(super) fn add(&self, unanswered: Unanswered) {
        self.all().push_back(unanswered);
    }

    /// The publish that the record ending here belongs to, if its answer is still to come.
    pub(super) fn take(&self, record_end: Place) -> Option<Unanswered> {
        let mut all = self.all();
        // Whose records were damaged on disk is passed as they are.
        while all.pop_front_if(|front| front.span.end < record_end).is_some() {}
        all.pop_front_if(|front| front.span.begin < record_end)
    }

    /// Where the next such publish begins.
    pub(super) fn next_begin(&self) -> Option<Place> {
        self.all().front().map(|front| front.span.begin)
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<Unanswered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
