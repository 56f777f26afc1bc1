//! Envelopes, or parts of them, that this process has settled lately. A message whose acknowledgement was lost with its connection comes
//! again; it is then settled without being counted a second time.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use model::envelope::{Envelope, EnvelopeId};

/// Lines remembered; far more than a broker has on its way back to us after a loss. 24 bytes each, twice.
const LINES_MAX: usize = 50_000;

/// An envelope as one message has it. Parts of one that were deferred travel in messages of their own, and each has to
/// arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LineKey {
    envelope: EnvelopeId,
    /// Tells its receiver and its alerts from those of other parts.
    part: u64,
}

impl LineKey {
    /// What a line of a message says.
    pub(super) fn of(envelope: &Envelope<'_>) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(envelope.receiver.as_bytes());
        for alert in &envelope.alerts {
            hasher.write_u8(0xff);
            hasher.write(alert.fingerprint.as_str().as_bytes());
        }
        Self { envelope: envelope.id, part: hasher.finish() }
    }
}

/// What was settled lately. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecentlySettled(Arc<Mutex<SettledLines>>);

#[derive(Debug, Default)]
struct SettledLines {
    known: HashSet<LineKey>,
    order: VecDeque<LineKey>,
}

impl RecentlySettled {
    /// They are settled.
    pub(super) fn remember(&self, lines: impl IntoIterator<Item = LineKey>) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines {
            if memory.known.insert(line) {
                memory.order.push_back(line);
            }
        }
        while memory.order.len() > LINES_MAX {
            if let Some(oldest) = memory.order.pop_front() {
                memory.known.remove(&oldest);
            }
        }
    }

    /// For each line, whether it was settled lately.
    pub(super) fn knows(&self, lines: impl IntoIterator<Item = LineKey>) -> Vec<bool> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.into_iter().map(|line| memory.known.contains(&line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn line(index: usize) -> LineKey {
        let envelope = EnvelopeId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        LineKey { envelope: envelope.part(u32::try_from(index).unwrap()), part: 0 }
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let recent = RecentlySettled::default();
        recent.remember([line(0), line(0)]);
        assert_eq!(recent.knows([line(0), line(1)]), [true, false]);
        recent.remember((1..=LINES_MAX).map(line));
        assert_eq!(recent.knows([line(0), line(1)]), [false, true]);
    }

    #[test]
    fn one_part_of_an_envelope_says_nothing_about_another() {
        let recent = RecentlySettled::default();
        recent.remember([line(0)]);
        assert_eq!(recent.knows([LineKey { part: 1, ..line(0) }]), [false]);
    }
}
