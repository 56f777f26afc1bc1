//! Whether there is a connection: what `/readyz` shows, and one log line when that changes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info, warn};

use super::alarm::Alarm;
use super::connect_error::ConnectError;
use runtime::lifecycle::Condition;

/// How often it is said that there was no connection since the start.
const NEVER_WORKED_EVERY: Duration = Duration::from_mins(1);

/// Shared by the connections that serve one purpose; reachable means that at least one of them is up.
#[derive(Debug)]
pub(super) struct Reachability {
    /// What the connections are for, in the log lines.
    purpose: &'static str,
    condition: Condition,
    /// What stands in the way of whoever publishes, though connected.
    alarm: Option<Alarm>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    up: usize,
    /// An outage was reported; the next attempts that fail are the same outage.
    away_reported: bool,
    /// A refused declaration was reported; that needs a person, whatever was reported before.
    conflict_reported: bool,
    /// A connection was up once since the start.
    has_worked: bool,
    /// When it was said last that none ever was.
    said_at: Option<Instant>,
}

impl Reachability {
    /// For connections that consume: an alarm does not concern them.
    pub(super) fn new(purpose: &'static str, condition: Condition) -> Self {
        Self { purpose, condition, alarm: None, state: Mutex::default() }
    }

    /// For connections that publish: with an alarm the condition does not hold.
    pub(super) fn of_publisher(purpose: &'static str, condition: Condition, alarm: Alarm) -> Self {
        Self { alarm: Some(alarm), ..Self::new(purpose, condition) }
    }

    /// Whether at least one connection is up.
    pub(super) fn reachable(&self) -> bool {
        self.state().up > 0
    }

    /// A connection is up.
    pub(super) fn up(&self) {
        let mut state = self.state();
        state.up += 1;
        if state.up == 1 {
            info!(purpose = self.purpose, "connected to RabbitMQ");
            state.away_reported = false;
            state.conflict_reported = false;
            state.has_worked = true;
        }
        self.show(&state);
    }

    /// A connection that was up is lost.
    pub(super) fn lost(&self, error: &ConnectError) {
        self.closed();
        self.failed(error);
    }

    /// A connection that was up was closed because it is not needed any more.
    pub(super) fn closed(&self) {
        let mut state = self.state();
        state.up = state.up.saturating_sub(1);
        self.show(&state);
    }

    /// What is known about the alarm has changed.
    pub(super) fn refresh(&self) {
        self.show(&self.state());
    }

    /// A connection could not be made.
    pub(super) fn failed(&self, error: &ConnectError) {
        let purpose = self.purpose;
        let mut state = self.state();
        if state.up > 0 {
            return;
        }
        if !state.has_worked {
            // Somebody has to do something about it: an address, a password, a name.
            let now = Instant::now();
            if state.said_at.is_none_or(|at| now >= at + NEVER_WORKED_EVERY) {
                state.said_at = Some(now);
                match error {
                    ConnectError::Conflict { .. } => error!(purpose, %error, "RabbitMQ cannot be used"),
                    ConnectError::Amqp(_)
                    | ConnectError::Tls(_)
                    | ConnectError::TimedOut(_)
                    | ConnectError::Ended
                    | ConnectError::Cancelled(_) => {
                        error!(purpose, %error, "no connection to RabbitMQ since the start; trying for ever");
                    }
                }
            }
            return;
        }
        match error {
            ConnectError::Conflict { .. } => {
                if !std::mem::replace(&mut state.conflict_reported, true) {
                    error!(purpose, %error, "RabbitMQ cannot be used");
                }
            }
            ConnectError::Amqp(_)
            | ConnectError::Tls(_)
            | ConnectError::TimedOut(_)
            | ConnectError::Ended
            | ConnectError::Cancelled(_) => {
                if !std::mem::replace(&mut state.away_reported, true) {
                    warn!(purpose, %error, "no connection to RabbitMQ; trying for ever");
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &State) {
        let alarm = self.alarm.as_ref().filter(|_| state.up > 0).and_then(Alarm::reason);
        match alarm {
            Some(reason) => self.condition.fail(reason),
            None => drop(self.condition.set(state.up > 0)),
        }
    }
}
