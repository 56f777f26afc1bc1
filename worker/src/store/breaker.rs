//! Whether something that may be away is worth asking. After a failure it is left alone for a pause that grows, then one caller
//! asks while the others go on without it; so an outage costs one deadline per pause, not one per alert. Only that caller's
//! success ends the outage: what was under way when it began proves nothing about now.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use runtime::retry::{Pauses, RetryPolicy};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::StoreMetrics;

/// Whatever fails again sooner than this after an outage has not recovered from it: the pauses go on growing, so that
/// something that comes and goes is not logged ten times a second.
const RECOVERED_AFTER: Duration = Duration::from_secs(10);

/// How often it is said of something that has never worked since the start: somebody has to do something about it.
const NEVER_WORKED_EVERY: Duration = Duration::from_mins(1);

/// How often a refusal is logged at most: what is refused once may be refused with every alert.
const REFUSAL_EVERY: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Breaker {
    /// What may be away, as logs call it.
    what: &'static str,
    state: Mutex<BreakerState>,
    metrics: StoreMetrics,
}

#[derive(Debug)]
struct BreakerState {
    phase: Phase,
    /// Counts the phases.
    number: u64,
    pauses: Pauses,
    /// When it was well again after the last outage.
    well_since: Option<Instant>,
    /// When a refusal was logged last.
    refused_at: Option<Instant>,
    /// Whether it has answered once since the start.
    has_worked: bool,
    /// When it was said last that it never has.
    said_at: Option<Instant>,
}

#[derive(Debug)]
enum Phase {
    Closed,
    Open { ask_at: Instant },
}

/// The right to ask once. What comes of it is to be told to [`Breaker::learn`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Pass {
    phase: u64,
    is_probe: bool,
}

impl Pass {
    /// Whether whoever has it finds out if what was away is back.
    pub(crate) const fn is_probe(self) -> bool {
        self.is_probe
    }
}

impl Breaker {
    pub(crate) fn new(what: &'static str, metrics: StoreMetrics) -> Self {
        let pauses = RetryPolicy::RECONNECT.pauses();
        let state = BreakerState {
            phase: Phase::Closed,
            number: 0,
            pauses,
            well_since: None,
            refused_at: None,
            has_worked: false,
            said_at: None,
        };
        Self { what, state: Mutex::new(state), metrics }
    }

    /// Whether to ask now. Whoever is let through while it is open is the only one for a while.
    pub(crate) fn lets_through(&self) -> Option<Pass> {
        let mut state = self.state();
        let is_probe = match state.phase {
            Phase::Closed => false,
            Phase::Open { ask_at } => {
                let now = Instant::now();
                if now < ask_at {
                    return None;
                }
                // A pause ahead, in case this caller is dropped before it has learnt anything.
                state.phase = Phase::Open { ask_at: now + next(&mut state.pauses) };
                true
            }
        };
        Some(Pass { phase: state.number, is_probe })
    }

    /// What came of it.
    pub(crate) fn learn(&self, pass: Pass, failure: Option<&dyn Error>) {
        let what = self.what;
        let mut state = self.state();
        // What was asked before it went or came back says nothing about what it is now.
        let is_news = pass.phase == state.number;
        let has_worked = state.has_worked || failure.is_none();
        state.has_worked = has_worked;
        match (failure, &state.phase) {
            (None, Phase::Open { .. }) if is_news => {
                state.turn_to(Phase::Closed);
                state.well_since = Some(Instant::now());
                self.metrics.up.set(1);
                info!(what, "is back");
            }
            (None, Phase::Closed | Phase::Open { .. }) => {}
            (Some(error), Phase::Closed) if is_news => {
                self.metrics.failures.inc();
                let now = Instant::now();
                if state.well_since.is_none_or(|since| now >= since + RECOVERED_AFTER) {
                    state.pauses = RetryPolicy::RECONNECT.pauses();
                }
                let ask_at = now + next(&mut state.pauses);
                state.turn_to(Phase::Open { ask_at });
                self.metrics.up.set(0);
                if has_worked {
                    warn!(what, %error, "going on without it until it is back");
                } else {
                    state.say_that_it_never_worked(what, error);
                }
            }
            (Some(error), Phase::Closed | Phase::Open { .. }) => {
                self.metrics.failures.inc();
                if !has_worked {
                    state.say_that_it_never_worked(what, error);
                }
            }
        }
    }

    /// What was asked for was refused, and whoever was asked is there and well all the same.
    pub(crate) fn learn_refusal(&self, pass: Pass, error: &dyn Error) {
        let what = self.what;
        let now = Instant::now();
        self.metrics.failures.inc();
        self.learn(pass, None);
        let mut state = self.state();
        if state.refused_at.is_none_or(|at| now >= at + REFUSAL_EVERY) {
            state.refused_at = Some(now);
            drop(state);
            warn!(what, %error, "it refuses a statement");
        }
    }

    fn state(&self) -> MutexGuard<'_, BreakerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BreakerState {
    fn say_that_it_never_worked(&mut self, what: &'static str, error: &dyn Error) {
        let now = Instant::now();
        if self.said_at.is_none_or(|at| now >= at + NEVER_WORKED_EVERY) {
            self.said_at = Some(now);
            error!(what, %error, "going on without it; it has not worked once since the start");
        }
    }

    fn turn_to(&mut self, phase: Phase) {
        self.phase = phase;
        self.number += 1;
    }
}

fn next(pauses: &mut Pauses) -> Duration {
    pauses.after_failure(runtime::entropy::random(), None).unwrap_or(RetryPolicy::RECONNECT.cap)
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;

    use super::*;
    use crate::store::StoreError;

    const FAILURE: StoreError = StoreError::TimedOut { after: Duration::from_secs(1), last: None };

    fn breaker() -> Breaker {
        Breaker::new("the database", StoreMetrics::register(&Registry::new()).unwrap())
    }

    fn fails(breaker: &Breaker) {
        breaker.learn(breaker.lets_through().unwrap(), Some(&FAILURE));
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_at_a_time_finds_out_whether_it_is_back() {
        let breaker = breaker();
        fails(&breaker);
        assert!(breaker.lets_through().is_none(), "it has failed just now");
        tokio::time::advance(RetryPolicy::RECONNECT.cap).await;
        let pass = breaker.lets_through().expect("somebody has to ask");
        assert!(pass.is_probe());
        assert!(breaker.lets_through().is_none(), "and one is enough");
        breaker.learn(pass, None);
        assert!(!breaker.lets_through().unwrap().is_probe() && !breaker.lets_through().unwrap().is_probe());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_under_way_when_it_went_or_came_back_is_no_news() {
        let breaker = breaker();
        let [early, late] = [(); 2].map(|()| breaker.lets_through().unwrap());
        fails(&breaker);
        breaker.learn(early, None);
        assert_eq!(breaker.metrics.up.get(), 0, "asked before it went");
        tokio::time::advance(RetryPolicy::RECONNECT.cap).await;
        breaker.learn(breaker.lets_through().unwrap(), None);
        breaker.learn(late, Some(&FAILURE));
        assert_eq!(breaker.metrics.up.get(), 1, "asked before it came back");
        assert_eq!(breaker.metrics.failures.get(), 2, "counted all the same");
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_and_goes_is_asked_less_and_less_often() {
        let breaker = breaker();
        let begun = Instant::now();
        let mut outages = 0;
        while begun.elapsed() < Duration::from_secs(15) {
            if let Some(pass) = breaker.lets_through() {
                outages += u32::from(!pass.is_probe());
                breaker.learn(pass, (!pass.is_probe()).then_some(&FAILURE as _));
            }
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert!((3..=9).contains(&outages), "{outages} in 15 s");
        tokio::time::advance(RECOVERED_AFTER * 2).await;
        if let Some(pass) = breaker.lets_through() {
            breaker.learn(pass, None);
        }
        tokio::time::advance(RECOVERED_AFTER).await;
        fails(&breaker);
        tokio::time::advance(RetryPolicy::RECONNECT.first * 2).await;
        assert!(breaker.lets_through().is_some(), "it was well for long");
    }
}
