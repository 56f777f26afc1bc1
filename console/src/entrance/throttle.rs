//! Attempts to log in, slowed where they fail: for each name, and for each address they come from; as one worker remembers them,
//! and the rule by which all of them count together. Pure.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use jiff::{SignedDuration, Timestamp};

/// Names, and addresses, that are remembered at once.
const REMEMBERED_MAX: usize = 4_096;
/// After so long without an attempt nothing is remembered.
pub const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// What is remembered of a name, in characters.
const NAME_CHARS_MAX: usize = 64;
/// Mistypings of one person are free; whoever guesses at somebody's password keeps them out for no longer than the pause.
pub(super) const BY_NAME: AttemptLimits = AttemptLimits { free: 5, pause_max: SignedDuration::from_secs(60) };
/// And those of a whole office behind one address.
pub(super) const BY_ADDRESS: AttemptLimits =
    AttemptLimits { free: 20, pause_max: SignedDuration::from_mins(15) };

/// How far attempts of one kind may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttemptLimits {
    /// Attempts that nobody is made to wait for.
    free: u32,
    /// The longest pause.
    pause_max: SignedDuration,
}

/// What is known of the attempts at one name, or from one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Those that failed, or are under way.
    pub failures: u32,
    /// When the last was.
    pub at: Timestamp,
    /// When there may be another.
    pub open_at: Timestamp,
}

/// What is remembered of attempts.
#[derive(Debug)]
pub(crate) struct Throttle {
    by_name: Attempts<String>,
    by_address: Attempts<IpAddr>,
}

#[derive(Debug)]
struct Attempts<K> {
    known: HashMap<K, Tried>,
    limits: AttemptLimits,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { by_name: Attempts::new(BY_NAME), by_address: Attempts::new(BY_ADDRESS) }
    }
}

impl Throttle {
    /// Begins an attempt, which counts as failed until it is known better: several at once are several. An error says how long to
    /// wait; then it does not count.
    pub(crate) fn begin(
        &mut self,
        name: Option<&str>,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), SignedDuration> {
        let name = name.map(short);
        let address = network(address);
        let by_name = name.as_ref().map_or(SignedDuration::ZERO, |name| self.by_name.wait(name, now));
        let wait = by_name.max(self.by_address.wait(&address, now));
        if wait > SignedDuration::ZERO {
            return Err(wait);
        }
        if let Some(name) = name {
            self.by_name.fail(name, now);
        }
        self.by_address.fail(address, now);
        Ok(())
    }

    /// It went well.
    pub(crate) fn succeeded(&mut self, name: Option<&str>, address: IpAddr) {
        if let Some(name) = name {
            self.by_name.known.remove(&short(name));
        }
        // Whoever has one right password is not free to guess at others.
        if let Some(tried) = self.by_address.known.get_mut(&network(address)) {
            *tried = tried.without_one();
        }
    }
}

impl AttemptLimits {
    /// One more, which counts as failed.
    pub(super) fn next(self, before: Option<Tried>, now: Timestamp) -> Tried {
        let before = before.filter(|tried| tried.is_recent(now)).map_or(0, |tried| tried.failures);
        let failures = before.saturating_add(1);
        // One second after the last free attempt, then twice as long each time.
        let doublings = failures.checked_sub(self.free).map(|over| over.min(20));
        let pause = doublings.map_or(SignedDuration::ZERO, |doublings| {
            SignedDuration::from_secs(1 << doublings).min(self.pause_max)
        });
        Tried { failures, at: now, open_at: now.checked_add(pause).unwrap_or(now) }
    }
}

impl Tried {
    /// How long to wait for the next attempt.
    pub(super) fn wait(self, now: Timestamp) -> SignedDuration {
        self.open_at.duration_since(now)
    }

    /// The last one went well.
    pub(super) fn without_one(self) -> Self {
        Self { failures: self.failures.saturating_sub(1), ..self }
    }

    /// There were none.
    pub(super) const fn nothing(now: Timestamp) -> Self {
        Self { failures: 0, at: now, open_at: now }
    }

    fn is_recent(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < FORGOTTEN_AFTER
    }
}

impl<K: std::hash::Hash + Eq + Clone> Attempts<K> {
    fn new(limits: AttemptLimits) -> Self {
        Self { known: HashMap::new(), limits }
    }

    fn wait(&self, key: &K, now: Timestamp) -> SignedDuration {
        self.known.get(key).map_or(SignedDuration::ZERO, |tried| tried.wait(now))
    }

    fn fail(&mut self, key: K, now: Timestamp) {
        if !self.known.contains_key(&key) && self.known.len() >= REMEMBERED_MAX {
            self.known.retain(|_, tried| tried.is_recent(now));
            let oldest = self.known.iter().min_by_key(|(_, tried)| tried.at).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest.filter(|_| self.known.len() >= REMEMBERED_MAX) {
                self.known.remove(&oldest);
            }
        }
        let tried = self.limits.next(self.known.get(&key).copied(), now);
        self.known.insert(key, tried);
    }
}

fn short(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

/// Who has one IPv6 address has its whole network.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn a_name_that_is_guessed_at_is_waited_for_longer_and_longer_from_wherever() {
        let mut throttle = Throttle::default();
        for number in 1..=5 {
            assert_eq!(throttle.begin(Some("ann"), address(number), at(0)), Ok(()), "{number}");
        }
        let mut now = 0;
        let mut waits = Vec::new();
        for number in 6..14 {
            let wait = throttle.begin(Some("ann"), address(number), at(now)).unwrap_err();
            waits.push(wait.as_secs());
            now += wait.as_secs();
            assert_eq!(throttle.begin(Some("ann"), address(number), at(now)), Ok(()));
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(throttle.begin(Some("bob"), address(99), at(now)), Ok(()), "nobody else waits");
        throttle.succeeded(Some("ann"), address(1));
        assert_eq!(throttle.begin(Some("ann"), address(1), at(now)), Ok(()));
    }

    #[test]
    fn an_address_that_guesses_at_many_names_is_slowed() {
        let mut throttle = Throttle::default();
        let mut guess = |number: u32, now| throttle.begin(Some(&number.to_string()), address(7), at(now));
        assert!((0..20).all(|number| guess(number, 0).is_ok()));
        assert!(guess(20, 0).is_err());
        assert!(guess(20, 2).is_ok(), "and comes again");
        assert!(guess(21, 3_700).is_ok(), "forgotten after an hour");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
        let mut throttle = Throttle::default();
        for number in 0..10_000_u32 {
            let now = at(i64::from(number) / 100);
            throttle.begin(Some(&format!("n{number}")), address(number), now).unwrap();
        }
        assert!(throttle.by_name.known.len() <= REMEMBERED_MAX);
        assert!(throttle.by_address.known.len() <= REMEMBERED_MAX);
        assert!(throttle.by_name.known.contains_key("n9999") && !throttle.by_name.known.contains_key("n0"));
    }

    #[test]
    fn one_network_of_ipv6_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
