//! How long a refused address has to wait for its refusal: longer each time, and forgotten in the end. Bounded in
//! addresses and in refusals that wait. Pure.
//!
//! Only refusals wait. A sender with the right key behind the same proxy as somebody's misconfigured one is
//! answered at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use jiff::Timestamp;

/// Refusals that cost nothing: a key being changed on both sides.
const FREE: u32 = 5;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(5);
/// How long a last refusal is remembered.
const MEMORY: Duration = Duration::from_mins(10);
/// Addresses remembered at once, about 100 bytes each; beyond that the one refused longest ago is forgotten.
const ADDRESSES_MAX: usize = 4096;
/// Refusals that wait at once, of one address and of all: each holds a connection's place. Those beyond are given
/// at once.
const WAITING_MAX_EACH: usize = 8;
const WAITING_MAX: usize = 256;

/// The addresses that were refused lately.
#[derive(Debug, Default)]
pub struct Failures {
    remembered: HashMap<IpAddr, Failed>,
    waiting: HashMap<IpAddr, usize>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    times: u32,
    last: Timestamp,
}

impl Failures {
    /// Counts a refusal. If it is to wait, says how long; then `done` has to follow.
    pub fn count(&mut self, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let subscriber = subscriber(address);
        let times = self.remember(subscriber, now);
        let delay = delay(times)?;
        let waiting: usize = self.waiting.values().sum();
        let own = self.waiting.get(&subscriber).copied().unwrap_or(0);
        if waiting >= WAITING_MAX || own >= WAITING_MAX_EACH {
            return None;
        }
        self.waiting.insert(subscriber, own + 1);
        Some(delay)
    }

    /// A refusal of this address waits no longer.
    pub fn done(&mut self, address: IpAddr) {
        let subscriber = subscriber(address);
        if let Some(waiting) = self.waiting.get_mut(&subscriber) {
            *waiting -= 1;
            if *waiting == 0 {
                self.waiting.remove(&subscriber);
            }
        }
    }

    fn remember(&mut self, address: IpAddr, now: Timestamp) -> u32 {
        if self.remembered.len() >= ADDRESSES_MAX && !self.remembered.contains_key(&address) {
            self.make_room(now);
        }
        let failed = self.remembered.entry(address).or_insert(Failed { times: 0, last: now });
        if is_over(*failed, now) {
            failed.times = 0;
        }
        failed.times = failed.times.saturating_add(1);
        failed.last = now;
        failed.times
    }

    fn make_room(&mut self, now: Timestamp) {
        self.remembered.retain(|_, failed| !is_over(*failed, now));
        if self.remembered.len() >= ADDRESSES_MAX {
            let oldest =
                self.remembered.iter().min_by_key(|(_, failed)| failed.last).map(|(address, _)| *address);
            oldest.map(|address| self.remembered.remove(&address));
        }
    }
}

fn is_over(failed: Failed, now: Timestamp) -> bool {
    now.duration_since(failed.last).unsigned_abs() > MEMORY
}

fn delay(times: u32) -> Option<Duration> {
    let doublings = times.checked_sub(FREE + 1)?;
    Some(FIRST_DELAY.saturating_mul(2_u32.saturating_pow(doublings)).min(DELAY_MAX))
}

/// One subscriber has at least a /64 of IPv6 to choose its addresses from.
pub(crate) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

    fn refused(failures: &mut Failures, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let delay = failures.count(address, now);
        delay.inspect(|_| failures.done(address))
    }

    #[test]
    fn delays_grow_to_their_limit_for_this_address_alone() {
        let mut failures = Failures::default();
        let delays: Vec<_> = (0..15).map(|_| refused(&mut failures, ADDRESS, NOW)).collect();
        assert!(delays[..5].iter().all(Option::is_none));
        assert_eq!(delays[5..8], [100, 200, 400].map(|ms| Some(Duration::from_millis(ms))));
        assert!(delays[5..].is_sorted() && delays[14] == Some(DELAY_MAX), "{delays:?}");
        assert_eq!(refused(&mut failures, "203.0.113.10".parse().unwrap(), NOW), None);
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let mut failures = Failures::default();
        let address = |host: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host));
        assert!((0..6).filter_map(|host| refused(&mut failures, address(host), NOW)).count() == 1);
        assert_eq!(failures.remembered.len(), 1);
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut failures = Failures::default();
        assert_eq!((0..9).filter_map(|_| refused(&mut failures, ADDRESS, NOW)).count(), 4);
        let later = NOW + MEMORY;
        assert!(refused(&mut failures, ADDRESS, later).is_some());
        assert!(refused(&mut failures, ADDRESS, later + MEMORY + Duration::from_secs(1)).is_none());
    }

    #[test]
    fn no_number_of_addresses_takes_more_memory_than_its_limit() {
        let mut failures = Failures::default();
        let addresses = u32::try_from(2 * ADDRESSES_MAX).unwrap();
        for bits in 0..addresses {
            for _ in 0..7 {
                failures.count(IpAddr::V4(bits.into()), NOW + Duration::from_millis(u64::from(bits)));
            }
        }
        assert_eq!(failures.remembered.len(), ADDRESSES_MAX);
        assert!(
            failures.waiting.len() <= WAITING_MAX && failures.waiting.values().sum::<usize>() == WAITING_MAX
        );
        // The one refused longest ago was forgotten, the last one was not.
        assert!(!failures.remembered.contains_key(&IpAddr::V4(0.into())));
        assert!(failures.remembered.contains_key(&IpAddr::V4((addresses - 1).into())));
    }

    #[test]
    fn an_address_has_few_refusals_waiting_at_once() {
        let mut failures = Failures::default();
        let waiting = (0..100).filter_map(|_| failures.count(ADDRESS, NOW)).count();
        assert_eq!(waiting, WAITING_MAX_EACH);
        (0..waiting).for_each(|_| failures.done(ADDRESS));
        assert!(failures.waiting.is_empty() && failures.count(ADDRESS, NOW).is_some());
    }
}
