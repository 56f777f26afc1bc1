//! Whether there is a connection: what `/readyz` shows, and one log line when that changes.

use std::sync::{Mutex, PoisonError};

use tracing::{error, info, warn};

use super::connection::ConnectError;
use crate::lifecycle::Condition;

/// Shared by the connections that serve one purpose; reachable means that at least one of them is up.
#[derive(Debug)]
pub(super) struct Reachability {
    /// What the connections are for, in the log lines.
    purpose: &'static str,
    condition: Condition,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    up: usize,
    /// An outage was reported; the next attempts that fail are the same outage.
    away_reported: bool,
    /// A refused declaration was reported; that needs a person, whatever was reported before.
    conflict_reported: bool,
}

impl Reachability {
    pub(super) fn new(purpose: &'static str, condition: Condition) -> Self {
        Self { purpose, condition, state: Mutex::default() }
    }

    /// Whether at least one connection is up.
    pub(super) fn reachable(&self) -> bool {
        self.condition.holds()
    }

    /// A connection is up.
    pub(super) fn up(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.up += 1;
        if state.up == 1 {
            self.condition.set(true);
            info!(purpose = self.purpose, "connected to RabbitMQ for {}", self.purpose);
            state.away_reported = false;
            state.conflict_reported = false;
        }
    }

    /// A connection that was up is lost.
    pub(super) fn lost(&self, error: &ConnectError) {
        self.closed();
        self.failed(error);
    }

    /// A connection that was up was closed because it is not needed any more.
    pub(super) fn closed(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.up = state.up.saturating_sub(1);
        if state.up == 0 {
            self.condition.set(false);
        }
    }

    /// A connection could not be made.
    pub(super) fn failed(&self, error: &ConnectError) {
        let purpose = self.purpose;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.up > 0 {
            return;
        }
        match error {
            ConnectError::Conflict { .. } => {
                if !std::mem::replace(&mut state.conflict_reported, true) {
                    error!(purpose, %error, "RabbitMQ cannot be used for {purpose}: {error}");
                }
            }
            ConnectError::Amqp(_) | ConnectError::TimedOut | ConnectError::Ended => {
                if !std::mem::replace(&mut state.away_reported, true) {
                    warn!(purpose, %error, "no connection to RabbitMQ for {purpose}: {error}; trying for ever");
                }
            }
        }
    }
}
