//! Whether something that may be away is worth asking. After a failure it is left alone for a pause that grows, then one caller
//! asks while the others go on without it; so an outage costs one deadline per pause, not one per alert.

use std::error::Error;
use std::sync::{Mutex, PoisonError};

use shared::retry::{Pauses, RetryPolicy};
use tokio::time::Instant;
use tracing::{info, warn};

use super::StoreMetrics;

#[derive(Debug)]
pub(crate) struct Breaker {
    /// What may be away, as logs call it.
    what: &'static str,
    state: Mutex<State>,
    metrics: StoreMetrics,
}

#[derive(Debug)]
enum State {
    Closed,
    Open { ask_at: Instant, pauses: Pauses },
}

impl Breaker {
    pub(crate) const fn new(what: &'static str, metrics: StoreMetrics) -> Self {
        Self { what, state: Mutex::new(State::Closed), metrics }
    }

    /// Whether to ask now. Whoever is let through while it is open is the only one for a while.
    pub(crate) fn lets_through(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Closed => true,
            State::Open { ask_at, pauses } => {
                let now = Instant::now();
                let is_time = now >= *ask_at;
                if is_time {
                    // A pause ahead, in case this caller is dropped before it has learnt anything.
                    *ask_at = now + next(pauses);
                }
                is_time
            }
        }
    }

    /// What came of it.
    pub(crate) fn learn(&self, failure: Option<&dyn Error>) {
        let what = self.what;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (failure, &mut *state) {
            (None, State::Closed) => {}
            (None, State::Open { .. }) => {
                *state = State::Closed;
                self.metrics.up.set(1);
                info!("{what} is back");
            }
            (Some(error), State::Closed) => {
                let mut pauses = RetryPolicy::RECONNECT.pauses();
                let ask_at = Instant::now() + next(&mut pauses);
                *state = State::Open { ask_at, pauses };
                self.metrics.failures.inc();
                self.metrics.up.set(0);
                warn!(%error, "going on without {what} until it is back: {error}");
            }
            (Some(_), State::Open { .. }) => self.metrics.failures.inc(),
        }
    }
}

fn next(pauses: &mut Pauses) -> std::time::Duration {
    pauses.after_failure(rand::random(), None).unwrap_or(RetryPolicy::RECONNECT.cap)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus::Registry;

    use super::*;
    use crate::store::StoreError;

    #[tokio::test(start_paused = true)]
    async fn one_caller_at_a_time_finds_out_whether_it_is_back() {
        let breaker = Breaker::new("the database", StoreMetrics::register(&Registry::new()).unwrap());
        assert!(breaker.lets_through());
        breaker.learn(Some(&StoreError::TimedOut(Duration::from_secs(1))));
        assert!(!breaker.lets_through(), "it has failed just now");
        tokio::time::advance(RetryPolicy::RECONNECT.cap).await;
        assert!(breaker.lets_through(), "somebody has to ask");
        assert!(!breaker.lets_through(), "and one is enough");
        breaker.learn(None);
        assert!(breaker.lets_through() && breaker.lets_through());
    }
}
