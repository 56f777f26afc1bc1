//! The Alertmanagers that did not answer. Whoever had pressed before that was found out is told so at once: of six presses
//! that wait behind each other, one waits for a mute Alertmanager. Whoever presses later has it asked again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::alertmanager::AlertmanagerError;

/// By the names of the configuration, which bound them: when each was last found not to answer.
#[derive(Debug, Default)]
pub(super) struct MuteAlertmanagers(Mutex<HashMap<String, Timestamp>>);

impl MuteAlertmanagers {
    /// It did not answer.
    pub(super) fn found(&self, name: &str, now: Timestamp) {
        self.found_by_name().insert(name.to_owned(), now);
    }

    /// Those that were found not to answer after this was wanted.
    pub(super) fn since(&self, wanted_at: Timestamp) -> HashMap<String, AlertmanagerError> {
        let found = self.found_by_name();
        let later = found.iter().filter(|(_, found_at)| **found_at >= wanted_at);
        later.map(|(name, _)| (name.clone(), AlertmanagerError::Unreachable)).collect()
    }

    fn found_by_name(&self) -> MutexGuard<'_, HashMap<String, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_wanted_before_is_told_without_asking() {
        let mute = MuteAlertmanagers::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        mute.found("eu", at(10));
        assert!(mute.since(at(9)).contains_key("eu") && mute.since(at(10)).contains_key("eu"));
        assert!(mute.since(at(11)).is_empty());
    }
}
