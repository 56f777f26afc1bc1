//! Lines that are kept in hand because the queue did not confirm that it has put them aside. It may have, and then the copy
//! comes back, here or elsewhere. One that comes back here shows that it was stored: the line in hand is then one copy too
//! many, and would be published again and again beside it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::recently_settled::LineKey;

/// What is kept, and whether a copy of it has come. Clones share it. What it can hold is bounded by the window.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnconfirmedLines(Arc<Mutex<HashMap<LineKey, bool>>>);

impl UnconfirmedLines {
    /// A line is kept from now on.
    pub(super) fn begin(&self, line: LineKey) {
        self.lines().insert(line, false);
    }

    /// It is kept no longer; says whether a copy has come meanwhile.
    pub(super) fn end(&self, line: LineKey) -> bool {
        self.lines().remove(&line).unwrap_or(false)
    }

    /// These have come off the queue.
    pub(super) fn came(&self, came: impl Iterator<Item = LineKey>) {
        let mut lines = self.lines();
        if lines.is_empty() {
            return;
        }
        for line in came {
            if let Some(has_come) = lines.get_mut(&line) {
                *has_come = true;
            }
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<LineKey, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use model::alert::Labels;
    use model::envelope::{Envelope, EnvelopeId, Notice, Source};

    use super::*;

    fn line(number: u8) -> LineKey {
        LineKey::of(&Envelope {
            id: EnvelopeId::new(Timestamp::UNIX_EPOCH, [number; 10]),
            received_at: Timestamp::UNIX_EPOCH,
            source: Source::Alertmanager,
            receiver: "ops".into(),
            group_key: "".into(),
            group_labels: Labels::default(),
            external_url: "".into(),
            truncated: 0,
            notice: Notice::default(),
            is_repeat: false,
            is_unheard: false,
            instead_of: "".into(),
            alerts: Vec::new(),
        })
    }

    #[test]
    fn only_what_comes_while_it_is_kept_is_a_copy() {
        let held = UnconfirmedLines::default();
        held.came([line(1)].into_iter());
        held.begin(line(1));
        held.begin(line(2));
        held.came([line(2), line(3)].into_iter());
        assert!(!held.end(line(1)), "it came before");
        assert!(held.end(line(2)));
        assert!(!held.end(line(2)), "it is kept no longer");
        assert!(!held.end(line(3)), "it was never kept");
    }
}
