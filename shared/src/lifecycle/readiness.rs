//! Whether the process should be given work, and if not, why.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What `/readyz` answers from. Ready means: every condition holds and no shutdown has begun.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    draining: AtomicBool,
    /// Of each entry, one condition has to hold.
    conditions: Mutex<Vec<(&'static str, Vec<Condition>)>>,
}

/// One thing that has to hold; its owner keeps it up to date. Begins unmet.
#[derive(Clone, Debug, Default)]
pub struct Condition(Arc<AtomicBool>);

impl Condition {
    /// Sets whether it holds; returns whether that is news.
    pub fn set(&self, holds: bool) -> bool {
        self.0.swap(holds, Ordering::Relaxed) != holds
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.0.load(Ordering::Relaxed)
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

    /// Says that a shutdown has begun; it cannot be taken back.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// The names of what does not hold; empty when ready.
    pub fn unmet(&self) -> Vec<&'static str> {
        if self.0.draining.load(Ordering::Relaxed) {
            return vec!["draining"];
        }
        let conditions = self.0.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        let unmet = conditions.iter().filter(|(_, one_of)| !one_of.iter().any(Condition::holds));
        unmet.map(|(name, _)| *name).collect()
    }

    fn add(&self, name: &'static str, one_of: Vec<Condition>) {
        self.0.conditions.lock().unwrap_or_else(PoisonError::into_inner).push((name, one_of));
    }
}
