//! Whether the process should be given work, and if not, why.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What `/readyz` answers from. Ready means: every condition holds and no shutdown has begun.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<ReadinessState>);

#[derive(Debug, Default)]
struct ReadinessState {
    draining: AtomicBool,
    /// Of each entry, one condition has to hold.
    conditions: Mutex<Vec<(&'static str, Vec<Condition>)>>,
}

/// One thing that has to hold; its owner keeps it up to date. Begins unmet.
#[derive(Clone, Debug, Default)]
pub struct Condition(Arc<Held>);

#[derive(Debug, Default)]
struct Held {
    holds: AtomicBool,
    /// Why not, where the name does not say it.
    why: Mutex<Option<String>>,
}

impl Condition {
    /// Sets whether it holds; returns whether that is news.
    pub fn set(&self, holds: bool) -> bool {
        *self.why() = None;
        self.0.holds.swap(holds, Ordering::Relaxed) != holds
    }

    /// Does not hold, for this reason.
    pub fn fail(&self, why: String) {
        self.0.holds.store(false, Ordering::Relaxed);
        *self.why() = Some(why);
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.0.holds.load(Ordering::Relaxed)
    }

    fn why(&self) -> MutexGuard<'_, Option<String>> {
        self.0.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readiness {
    /// Adds a condition; `name` is what `/readyz` shows while it is unmet.
    pub fn condition(&self, name: &'static str) -> Condition {
        let condition = Condition::default();
        self.add(name, vec![condition.clone()]);
        condition
    }

    /// Adds a condition that need not hold while another one does.
    pub fn either(&self, name: &'static str, other: Condition) -> Condition {
        let condition = Condition::default();
        self.add(name, vec![condition.clone(), other]);
        condition
    }

    /// Adds a condition that somebody else keeps up to date.
    pub fn watch(&self, name: &'static str, condition: Condition) {
        self.add(name, vec![condition]);
    }

    /// Says that a shutdown has begun; it cannot be taken back.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// The names of what does not hold, with the reason where one is known; empty when ready.
    pub fn unmet(&self) -> Vec<String> {
        if self.0.draining.load(Ordering::Relaxed) {
            return vec!["draining".to_owned()];
        }
        let conditions = self.0.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        let unmet = conditions.iter().filter(|(_, one_of)| !one_of.iter().any(Condition::holds));
        unmet.map(|(name, one_of)| said(name, one_of)).collect()
    }

    fn add(&self, name: &'static str, one_of: Vec<Condition>) {
        self.0.conditions.lock().unwrap_or_else(PoisonError::into_inner).push((name, one_of));
    }
}

fn said(name: &str, one_of: &[Condition]) -> String {
    match one_of.iter().find_map(|condition| condition.why().clone()) {
        Some(why) => format!("{name} ({why})"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_hold_is_named_with_its_reason_until_it_holds() {
        let readiness = Readiness::default();
        let queue = readiness.condition("queue");
        let other = Condition::default();
        let either = readiness.either("queue and spool", other);
        assert_eq!(readiness.unmet(), ["queue", "queue and spool"]);
        queue.fail("low on memory".to_owned());
        either.set(true);
        assert_eq!(readiness.unmet(), ["queue (low on memory)"]);
        queue.set(false);
        assert_eq!(readiness.unmet(), ["queue"]);
        queue.set(true);
        assert!(readiness.unmet().is_empty());
    }
}
