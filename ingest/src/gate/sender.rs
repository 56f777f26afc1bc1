//! Which senders may use the custom format. A `sender_id` is a name, not a secret.

use std::collections::HashSet;

#[derive(Debug)]
pub(super) struct Senders(HashSet<String>);

impl Senders {
    pub(super) fn new(ids: &[String]) -> Self {
        Self(ids.iter().cloned().collect())
    }

    /// An empty list admits everybody.
    pub(super) fn admit(&self, sender_id: &str) -> bool {
        self.0.is_empty() || self.0.contains(sender_id)
    }
}
