//! What is logged of refusals: of each address and reason the first at once and in full, the others as a number once a minute.
//! Whoever is refused thousands of times fills no disk with it. Pure; the metrics count each of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::gate::subscriber;

/// How long further refusals of the same kind are only counted.
pub(crate) const SUMMED_UP_EVERY: Duration = Duration::from_mins(1);
/// Addresses with a reason remembered at once, about 100 bytes each; those beyond are counted together.
const KINDS_MAX: usize = 1024;

/// The refusals of one ingest.
#[derive(Debug, Default)]
pub(crate) struct RefusalLog {
    kinds: HashMap<(IpAddr, &'static str), RefusalCount>,
    /// Those that had no place there, by their reasons.
    beyond: HashMap<&'static str, u64>,
}

#[derive(Clone, Copy, Debug)]
struct RefusalCount {
    since: Instant,
    more: u64,
}

/// Refusals that were not logged one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uncounted {
    /// Whose; `None`: of several that were too many to tell apart.
    pub(crate) client: Option<IpAddr>,
    /// The code they were answered with.
    pub(crate) code: &'static str,
    /// How many.
    pub(crate) requests: u64,
}

impl RefusalLog {
    /// Takes note of a refusal; whether it is to be logged by itself.
    pub(crate) fn note(&mut self, client: IpAddr, code: &'static str, now: Instant) -> bool {
        let key = (subscriber(client), code);
        if let Some(counted) = self.kinds.get_mut(&key) {
            counted.more += 1;
            return false;
        }
        if self.kinds.len() >= KINDS_MAX {
            *self.beyond.entry(code).or_default() += 1;
            return false;
        }
        self.kinds.insert(key, RefusalCount { since: now, more: 0 });
        true
    }

    /// What is to be summed up now. A kind of which nothing more came is forgotten: its next one is logged by itself.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Uncounted> {
        let mut due = Vec::new();
        self.kinds.retain(|(client, code), counted| {
            if now.saturating_duration_since(counted.since) < SUMMED_UP_EVERY {
                return true;
            }
            let requests = std::mem::take(&mut counted.more);
            counted.since = now;
            if requests > 0 {
                due.push(Uncounted { client: Some(*client), code, requests });
            }
            requests > 0
        });
        let beyond = self.beyond.drain().map(|(code, requests)| Uncounted { client: None, code, requests });
        due.extend(beyond);
        due.sort_unstable_by_key(|one| (std::cmp::Reverse(one.requests), one.client, one.code));
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + last).into())
    }

    #[test]
    fn the_first_of_an_address_and_reason_is_logged_and_the_others_are_summed_up() {
        let mut log = RefusalLog::default();
        let now = Instant::now();
        assert!(log.note(address(1), "ip", now));
        assert!(log.note(address(1), "not_json", now) && log.note(address(2), "ip", now));
        assert!((0..20_000).all(|_| !log.note(address(1), "ip", now)));
        assert_eq!(log.due(now), []);
        let later = now + SUMMED_UP_EVERY;
        let summed_up = Uncounted { client: Some(address(1)), code: "ip", requests: 20_000 };
        assert_eq!(log.due(later), [summed_up]);
        assert!(!log.note(address(1), "ip", later), "it goes on, and is counted on");
        assert!(log.note(address(2), "ip", later), "whoever stopped is news again");
        assert_eq!(log.due(later + SUMMED_UP_EVERY).len(), 1);
        assert_eq!(log.due(later + 2 * SUMMED_UP_EVERY), []);
        assert!(log.kinds.is_empty());
    }

    #[test]
    fn no_number_of_addresses_takes_more_than_its_limit_in_memory_or_in_lines() {
        let mut log = RefusalLog::default();
        let now = Instant::now();
        let addresses = u32::try_from(3 * KINDS_MAX).unwrap();
        let lines = (0..addresses).filter(|last| log.note(address(*last), "ip", now)).count();
        assert_eq!((lines, log.kinds.len()), (KINDS_MAX, KINDS_MAX));
        let beyond = u64::from(addresses) - KINDS_MAX as u64;
        assert_eq!(log.due(now), [Uncounted { client: None, code: "ip", requests: beyond }]);
    }
}
