//! The requests that have proven nothing, and which of them makes room. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long nobody is called slow: the first packets take what they take.
const YOUNG: Duration = Duration::from_secs(1);

/// A kind of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Headers,
    Body,
}

/// The strangers in hand, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    next_id: u64,
    waiting: BTreeMap<u64, WaitingStranger>,
}

#[derive(Debug)]
struct WaitingStranger {
    begun: Instant,
    header_bytes: usize,
    body_bytes: usize,
    displaced: CancellationToken,
}

impl Strangers {
    /// Takes one in, which holds nothing yet.
    pub(super) fn enter(&mut self, now: Instant, displaced: CancellationToken) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.waiting.insert(id, WaitingStranger { begun: now, header_bytes: 0, body_bytes: 0, displaced });
        id
    }

    /// It holds so many bytes more.
    pub(super) fn add(&mut self, id: u64, part: Part, bytes: usize) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            match part {
                Part::Headers => waiting.header_bytes += bytes,
                Part::Body => waiting.body_bytes += bytes,
            }
        }
    }

    pub(super) fn leave(&mut self, id: u64) {
        self.waiting.remove(&id);
    }

    /// Has the slowest make room until so many bytes of this kind are free; says whether they will be. Nobody has to for
    /// one that is slower, and nobody if all of them were not enough.
    pub(super) fn displace(
        &mut self,
        part: Part,
        lacking_bytes: usize,
        asker: Option<u64>,
        now: Instant,
    ) -> bool {
        let mut slowest_first: Vec<_> =
            self.waiting.iter().filter(|(_, one)| one.holds(part) > 0).map(|(id, _)| *id).collect();
        slowest_first.sort_by_cached_key(|id| self.waiting.get(id).map(|one| one.slowness(now)));
        let mut freed_bytes = 0;
        let mut displaced = Vec::new();
        for id in slowest_first {
            if freed_bytes >= lacking_bytes || asker == Some(id) {
                break;
            }
            freed_bytes += self.waiting.get(&id).map_or(0, |one| one.holds(part));
            displaced.push(id);
        }
        if freed_bytes < lacking_bytes {
            return false;
        }
        for one in displaced.iter().filter_map(|id| self.waiting.remove(id)) {
            one.displaced.cancel();
        }
        true
    }
}

impl WaitingStranger {
    const fn holds(&self, part: Part) -> usize {
        match part {
            Part::Headers => self.header_bytes,
            Part::Body => self.body_bytes,
        }
    }

    /// The order in which they make room: those that are not young by the bytes they have sent in a second, then the young
    /// ones from the oldest on.
    fn slowness(&self, now: Instant) -> (bool, u64, Instant) {
        let age = now.saturating_duration_since(self.begun);
        if age < YOUNG {
            return (true, 0, self.begun);
        }
        let bytes = u64::try_from(self.header_bytes + self.body_bytes).unwrap_or(u64::MAX);
        let millis = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        (false, bytes.saturating_mul(1000) / millis.max(1), self.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strangers that began so many seconds ago and hold so many bytes of body.
    fn strangers(each: &[(u64, usize)]) -> (Strangers, Vec<CancellationToken>, Instant) {
        let begin = Instant::now();
        let now = begin + Duration::from_mins(1);
        let mut strangers = Strangers::default();
        let mut tokens = Vec::new();
        for (age, bytes) in each {
            let token = CancellationToken::new();
            let id = strangers.enter(now - Duration::from_secs(*age), token.clone());
            strangers.add(id, Part::Body, *bytes);
            tokens.push(token);
        }
        (strangers, tokens, now)
    }

    fn displaced(tokens: &[CancellationToken]) -> Vec<bool> {
        tokens.iter().map(CancellationToken::is_cancelled).collect()
    }

    #[test]
    fn the_slowest_makes_room_and_the_young_ones_last() {
        let (mut strangers, tokens, now) = strangers(&[(10, 1000), (2, 100), (0, 1), (20, 9000)]);
        assert!(strangers.displace(Part::Body, 50, None, now));
        assert_eq!(displaced(&tokens), [false, true, false, false]);
        assert!(strangers.displace(Part::Body, 1001, None, now), "as many as it takes");
        assert_eq!(displaced(&tokens), [true, true, false, true]);
        assert!(strangers.displace(Part::Body, 1, None, now), "and in the end a young one");
    }

    #[test]
    fn nobody_makes_room_in_vain_or_for_one_that_is_slower() {
        let (mut strangers, tokens, now) = strangers(&[(10, 100), (10, 5000)]);
        assert!(!strangers.displace(Part::Body, 6000, None, now));
        assert!(!strangers.displace(Part::Headers, 1, None, now));
        assert!(!strangers.displace(Part::Body, 10, Some(0), now), "it is the slowest itself");
        assert_eq!(displaced(&tokens), [false, false]);
        assert!(strangers.displace(Part::Body, 10, Some(1), now));
        assert_eq!(displaced(&tokens), [true, false]);
    }

    #[test]
    fn whoever_left_makes_no_room() {
        let (mut strangers, _, now) = strangers(&[(10, 100)]);
        strangers.leave(0);
        assert!(!strangers.displace(Part::Body, 1, None, now));
    }
}
