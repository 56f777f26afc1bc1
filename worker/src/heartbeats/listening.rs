//! Whether this worker takes what comes, so that what does not come is missing. Pure: times are arguments.
//!
//! A worker that waits at an empty queue has heard everything; one that is busy has if what it takes came just now. One that
//! works through what has piled up, or cannot take anything, has not: what it waits for may lie before it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long it has to wait for messages before the queue counts as empty: the next ones may be on their way from the broker.
const EMPTY_AFTER: Duration = Duration::from_secs(2);
/// How old what it takes may be, and how long ago it may have taken something.
const FRESH: Duration = Duration::from_secs(30);

/// Of one worker. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Listening(Arc<Mutex<ListeningState>>);

#[derive(Debug, Default)]
struct ListeningState {
    /// Since when it waits for messages.
    waits_since: Option<Instant>,
    /// When it last took something that had come just before.
    fresh_at: Option<Instant>,
    /// Whether there was a connection when it was last asked.
    was_connected: bool,
}

/// What a worker can say of what does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListeningPart {
    /// That it has not come.
    Hears,
    /// That it may be among what is still to be taken.
    IsBehind,
    /// Nothing: it has no connection to the queue.
    IsAway,
}

impl Listening {
    /// It waits for messages.
    pub fn waits(&self, now: Instant) {
        self.state().waits_since.get_or_insert(now);
    }

    /// It has taken some, the newest of which was received so long ago; `None`: all of them were here before.
    pub fn took(&self, newest: Option<Duration>, now: Instant) {
        let mut state = self.state();
        state.waits_since = None;
        if newest.is_some_and(|age| age <= FRESH) {
            state.fresh_at = Some(now);
        }
    }

    /// What can be said now.
    pub fn part(&self, is_connected: bool, now: Instant) -> ListeningPart {
        let mut state = self.state();
        let was_connected = std::mem::replace(&mut state.was_connected, is_connected);
        if !is_connected {
            state.fresh_at = None;
            return ListeningPart::IsAway;
        }
        let lasts = |since: Option<Instant>| since.map(|since| now.saturating_duration_since(since));
        let is_empty = lasts(state.waits_since).is_some_and(|waits| waits >= EMPTY_AFTER);
        let is_fresh = lasts(state.fresh_at).is_some_and(|ago| ago <= FRESH);
        // A connection that is new has not brought anything yet.
        if was_connected && (is_empty || is_fresh) { ListeningPart::Hears } else { ListeningPart::IsBehind }
    }

    fn state(&self) -> MutexGuard<'_, ListeningState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::ListeningPart::{Hears, IsAway, IsBehind};
    use super::*;

    #[test]
    fn it_hears_while_it_waits_at_an_empty_queue_or_takes_what_came_just_now() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let age = |seconds| Some(Duration::from_secs(seconds));
        let listening = Listening::default();
        assert_eq!(listening.part(true, at(0)), IsBehind, "nothing has come over a new connection yet");
        listening.waits(at(0));
        assert_eq!(listening.part(true, at(1)), IsBehind, "what is on its way from the broker");
        listening.waits(at(1));
        assert_eq!(listening.part(true, at(2)), Hears);
        listening.took(age(600), at(3));
        assert_eq!(listening.part(true, at(9)), IsBehind, "what has piled up");
        listening.took(age(3), at(10));
        assert_eq!(listening.part(true, at(12)), Hears);
        assert_eq!(listening.part(true, at(41)), IsBehind, "nothing is taken, and nothing waited for");
        listening.took(None, at(42));
        assert_eq!(listening.part(true, at(43)), IsBehind, "what was deferred says nothing");
    }

    #[test]
    fn without_a_connection_it_hears_nothing_and_with_a_new_one_not_at_once() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let listening = Listening::default();
        listening.waits(at(0));
        assert_eq!([5, 10].map(|second| listening.part(true, at(second))), [IsBehind, Hears]);
        assert_eq!(listening.part(false, at(15)), IsAway);
        assert_eq!([20, 25].map(|second| listening.part(true, at(second))), [IsBehind, Hears]);
    }
}
