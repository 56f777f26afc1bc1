//! How long a connection has been doing nothing. hyper limits the time for HTTP/1 headers, but neither the first
//! bytes, from which it tells the protocols apart, nor an idle HTTP/2 connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The requests a connection has in hand. A request only writes down what it does: if it woke the connection, each
/// would cost two timers and one more look at everything a connection waits for.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    requests: usize,
    /// Whether there was a request.
    has_served: bool,
    /// When the last request ended, or the connection began.
    idle_since: Instant,
}

/// One request in hand, for as long as it lives.
#[derive(Debug)]
pub(super) struct ActiveRequest(Activity);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { requests: 0, has_served: false, idle_since: Instant::now() })))
    }

    pub(super) fn begin(&self) -> ActiveRequest {
        self.state().requests += 1;
        ActiveRequest(self.clone())
    }

    /// Resolves once nothing has been in hand for `first`, or since the first request for `later`.
    pub(super) async fn idle_for(&self, first: Duration, later: Duration) {
        loop {
            let idle_until = match *self.state() {
                State { requests: 0, has_served: false, idle_since } => idle_since + first,
                State { requests: 0, has_served: true, idle_since } => idle_since + later,
                // What ends later than now is idle for long enough later than this.
                State { .. } => Instant::now() + later,
            };
            if idle_until <= Instant::now() {
                return;
            }
            sleep_until(idle_until).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        state.has_served = true;
        state.idle_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_its_start_and_from_the_end_of_its_last_request() {
        let activity = Activity::new();
        let begun = Instant::now();
        activity.idle_for(LIMIT, LIMIT).await;
        assert_eq!(begun.elapsed(), LIMIT);

        let begun = Instant::now();
        let in_hand = activity.begin();
        let finished = async {
            advance(LIMIT * 3).await;
            drop(in_hand);
        };
        tokio::join!(activity.idle_for(LIMIT, LIMIT), finished);
        assert_eq!(begun.elapsed(), LIMIT * 4);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_request_a_connection_may_be_idle_for_longer_than_before_its_first() {
        let activity = Activity::new();
        let begun = Instant::now();
        activity.idle_for(LIMIT, LIMIT * 3).await;
        assert_eq!(begun.elapsed(), LIMIT);
        drop(activity.begin());
        let begun = Instant::now();
        activity.idle_for(LIMIT, LIMIT * 3).await;
        assert_eq!(begun.elapsed(), LIMIT * 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quick_request_counts_as_activity() {
        let activity = Activity::new();
        let begun = Instant::now();
        let quick = async {
            sleep(LIMIT / 2).await;
            drop(activity.begin());
        };
        tokio::join!(activity.idle_for(LIMIT, LIMIT), quick);
        assert_eq!(begun.elapsed(), LIMIT * 3 / 2);
    }
}
