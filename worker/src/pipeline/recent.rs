//! Envelopes this process has settled lately. A message whose acknowledgement was lost with its connection comes
//! again; it is then settled without being counted a second time.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use shared::envelope::EnvelopeId;

/// Envelopes remembered; far more than a broker has on its way back to us after a loss. 16 bytes each, twice.
const ENVELOPES_MAX: usize = 50_000;

/// What was settled lately. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    known: HashSet<EnvelopeId>,
    order: VecDeque<EnvelopeId>,
}

impl Recent {
    /// They are settled.
    pub(super) fn remember(&self, envelopes: impl IntoIterator<Item = EnvelopeId>) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for envelope in envelopes {
            if memory.known.insert(envelope) {
                memory.order.push_back(envelope);
            }
        }
        while memory.order.len() > ENVELOPES_MAX {
            if let Some(oldest) = memory.order.pop_front() {
                memory.known.remove(&oldest);
            }
        }
    }

    /// For each envelope, whether it was settled lately.
    pub(super) fn knows(&self, envelopes: impl IntoIterator<Item = EnvelopeId>) -> Vec<bool> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        envelopes.into_iter().map(|envelope| memory.known.contains(&envelope)).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let first = EnvelopeId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        let recent = Recent::default();
        recent.remember([first, first]);
        assert_eq!(recent.knows([first, first.part(1)]), [true, false]);
        recent.remember((1..=ENVELOPES_MAX).map(|index| first.part(u32::try_from(index).unwrap())));
        assert_eq!(recent.knows([first, first.part(1)]), [false, true]);
    }
}
