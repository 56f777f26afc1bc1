//! Who was found, and who was not, for a while.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::people::mentions::{Identity, PersonLookup};
use crate::people::person::Person;

/// People remembered, some 300 bytes each.
const ENTRIES_MAX: usize = 10_000;

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct DirectoryCache(HashMap<Person, CachedPerson>);

#[derive(Debug)]
struct CachedPerson {
    /// `None`: nobody knows them.
    identity: Option<Identity>,
    until: Instant,
}

impl DirectoryCache {
    /// Whether asking again can wait.
    pub(super) fn is_fresh(&self, person: &Person, now: Instant) -> bool {
        self.0.get(person).is_some_and(|entry| entry.until > now)
    }

    /// What is known, also if it is old: nothing newer is there when this is asked.
    pub(super) fn get(&self, person: &Person) -> PersonLookup {
        match self.0.get(person).map(|entry| &entry.identity) {
            Some(Some(identity)) => PersonLookup::Known(identity.clone()),
            Some(None) => PersonLookup::Unknown,
            None => PersonLookup::Late,
        }
    }

    /// Remembers; what is old makes room, and if nothing is, anything does.
    pub(super) fn put(&mut self, person: Person, identity: Option<Identity>, now: Instant, until: Instant) {
        if self.0.len() >= ENTRIES_MAX && !self.0.contains_key(&person) {
            self.0.retain(|_, entry| entry.until > now);
            if self.0.len() >= ENTRIES_MAX
                && let Some(any) = self.0.keys().next().cloned()
            {
                self.0.remove(&any);
            }
        }
        self.0.insert(person, CachedPerson { identity, until });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn person(number: usize) -> Person {
        Person::Name(format!("p{number}"))
    }

    #[tokio::test(start_paused = true)]
    async fn it_never_holds_more_than_its_limit_and_prefers_what_is_not_old() {
        let mut cache = DirectoryCache::default();
        let now = Instant::now();
        let soon = now + Duration::from_secs(1);
        let later = now + Duration::from_secs(9);
        cache.put(person(0), None, now, later);
        for number in 1..ENTRIES_MAX {
            cache.put(person(number), None, now, soon);
        }
        cache.put(person(ENTRIES_MAX), None, soon, later);
        assert_eq!(cache.0.len(), 2);
        assert!(cache.is_fresh(&person(0), soon) && cache.is_fresh(&person(ENTRIES_MAX), soon));
        for number in 0..2 * ENTRIES_MAX {
            cache.put(person(number), None, soon, later);
        }
        assert_eq!(cache.0.len(), ENTRIES_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_old_is_still_better_than_nothing() {
        let mut cache = DirectoryCache::default();
        let now = Instant::now();
        let ann = Identity { name: Some("安".to_owned()), ..Identity::default() };
        cache.put(person(1), Some(ann.clone()), now, now);
        assert!(!cache.is_fresh(&person(1), now));
        assert_eq!(cache.get(&person(1)), PersonLookup::Known(ann));
        assert_eq!(cache.get(&person(2)), PersonLookup::Late);
    }
}
