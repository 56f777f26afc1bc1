//! Whether the broker takes messages: with a memory or disk alarm it stops reading from whoever publishes, until the
//! alarm is over. An alarm is the whole cluster's, so what one connection is told holds for all of a process.
//!
//! Only a connection that publishes is told, and no sooner than it publishes; those that only consume go on.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::{info, warn};

/// What the connections of a process know about it. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Alarm(Arc<watch::Sender<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Connections that are blocked now.
    connections: usize,
    /// What the broker said it is short of.
    reason: String,
}

/// What one connection was told; it counts no longer when it is dropped.
#[derive(Debug)]
pub(super) struct Told {
    alarm: Alarm,
    is_blocked: bool,
}

impl Default for Alarm {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Known::default())))
    }
}

impl Alarm {
    /// A connection that was told nothing yet.
    pub(super) fn connection(&self) -> Told {
        Told { alarm: self.clone(), is_blocked: false }
    }

    /// Why nothing can be published now; `None` if nothing is known to stand in the way.
    pub(super) fn reason(&self) -> Option<String> {
        let known = self.0.borrow();
        (known.connections > 0)
            .then(|| format!("RabbitMQ takes no messages until its alarm is over: {}", known.reason))
    }

    /// Whether nothing can be published now.
    pub(super) fn is_on(&self) -> bool {
        self.0.borrow().connections > 0
    }

    /// Ready once the alarm is on or off, as asked.
    pub(super) async fn until(&self, on: bool) {
        let mut known = self.0.subscribe();
        // The sender lives in `self`: there is no error.
        let _ready = known.wait_for(|known| (known.connections > 0) == on).await.map(drop);
    }
}

impl Told {
    /// The broker said that it takes no more.
    pub(super) fn blocked(&mut self, reason: &str) {
        if std::mem::replace(&mut self.is_blocked, true) {
            return;
        }
        self.alarm.0.send_modify(|known| {
            known.connections += 1;
            reason.clone_into(&mut known.reason);
            if known.connections == 1 {
                warn!(
                    reason,
                    "RabbitMQ takes no messages until its alarm is over: free memory or disk on its nodes"
                );
            }
        });
    }

    /// The broker said that it takes messages again.
    pub(super) fn unblocked(&mut self) {
        if !std::mem::replace(&mut self.is_blocked, false) {
            return;
        }
        self.alarm.0.send_modify(|known| {
            known.connections -= 1;
            if known.connections == 0 {
                info!("RabbitMQ takes messages again");
            }
        });
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.unblocked();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_is_on_while_any_connection_is_blocked() {
        let alarm = Alarm::default();
        let mut one = alarm.connection();
        let mut other = alarm.connection();
        one.blocked("low on memory");
        one.blocked("low on memory");
        other.blocked("low on disk");
        assert!(alarm.reason().is_some_and(|reason| reason.ends_with("low on disk")));
        one.unblocked();
        assert!(alarm.is_on());
        // A connection that is lost says nothing any more.
        drop(other);
        assert_eq!(alarm.reason(), None);
    }
}
