//! Rows in memory, a bounded number of them: what was used least lately makes room, by the second-chance rule (a hand
//! goes round and takes what was not used since it last came by), so that a hit writes one flag and nothing else.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher, RandomState};

use super::batch::Key;
use super::row::{Event, LedgerRow};

/// What is known of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cached {
    pub(crate) row: LedgerRow,
    /// The version the database has it under; `None` if it is known to us alone.
    pub(crate) version: Option<i64>,
}

#[derive(Debug)]
struct CacheSlot {
    hash: u64,
    receiver: u32,
    fingerprint: Box<str>,
    is_used: bool,
    cached: Cached,
}

/// The rows by receiver and fingerprint. Looking one up allocates nothing.
#[derive(Debug)]
pub(crate) struct LedgerCache {
    slots: Vec<CacheSlot>,
    places: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    hand: usize,
    slots_max: usize,
    /// Receivers by name: as many as are configured, so they are never forgotten.
    receivers: HashMap<Box<str>, u32>,
    hasher: RandomState,
}

/// Keys of the map are hashes already, made with a random seed.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl LedgerCache {
    /// A cache of at most so many rows, some 250 bytes each.
    pub(crate) fn new(rows_max: usize) -> Self {
        Self {
            slots: Vec::new(),
            places: HashMap::default(),
            hand: 0,
            slots_max: rows_max.clamp(1, u32::MAX as usize),
            receivers: HashMap::new(),
            hasher: RandomState::new(),
        }
    }

    /// The event's row.
    pub(crate) fn of_event(&mut self, event: &Event<'_>) -> Option<&LedgerRow> {
        self.find(event.receiver, event.fingerprint).map(|cached| &cached.row)
    }

    /// A key's row.
    pub(crate) fn get(&mut self, key: &Key<'_>) -> Option<Cached> {
        self.find(&key.receiver, &key.fingerprint).copied()
    }

    /// Remembers a row in place of what was known of it.
    pub(crate) fn put(&mut self, key: &Key<'_>, cached: Cached) {
        let receiver = self.intern(&key.receiver);
        let hash = self.hash(receiver, &key.fingerprint);
        let slot = |fingerprint| CacheSlot { hash, receiver, fingerprint, is_used: false, cached };
        if let Some(place) = self.places.get(&hash)
            && let Some(old) = self.slots.get_mut(*place as usize)
        {
            if old.receiver == receiver && *old.fingerprint == *key.fingerprint {
                old.cached = cached;
                old.is_used = true;
            } else {
                // Two keys with one hash of 64 bits: the newer one stays, the other is asked for again.
                *old = slot(key.fingerprint.as_ref().into());
            }
            return;
        }
        let slot = slot(key.fingerprint.as_ref().into());
        let place = if self.slots.len() < self.slots_max {
            self.slots.push(slot);
            self.slots.len() - 1
        } else {
            let place = self.make_room();
            if let Some(old) = self.slots.get_mut(place) {
                self.places.remove(&old.hash);
                *old = slot;
            }
            place
        };
        // Never truncated: there are at most `u32::MAX` slots.
        self.places.insert(hash, u32::try_from(place).unwrap_or(u32::MAX));
    }

    fn find(&mut self, receiver: &str, fingerprint: &str) -> Option<&Cached> {
        let receiver = *self.receivers.get(receiver)?;
        let hash = self.hash(receiver, fingerprint);
        let slot = self.slots.get_mut(*self.places.get(&hash)? as usize)?;
        if slot.receiver != receiver || *slot.fingerprint != *fingerprint {
            return None;
        }
        slot.is_used = true;
        Some(&slot.cached)
    }

    /// The place of what has not been used for longest, as far as the hand can tell.
    fn make_room(&mut self) -> usize {
        // One round at most: it clears the flags it passes.
        loop {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.slots.len().max(1);
            match self.slots.get_mut(place) {
                Some(slot) if slot.is_used => slot.is_used = false,
                Some(_) | None => return place,
            }
        }
    }

    fn intern(&mut self, receiver: &str) -> u32 {
        if let Some(number) = self.receivers.get(receiver) {
            return *number;
        }
        let number = u32::try_from(self.receivers.len()).unwrap_or(u32::MAX);
        self.receivers.insert(receiver.into(), number);
        number
    }

    fn hash(&self, receiver: u32, fingerprint: &str) -> u64 {
        let mut hasher: DefaultHasher = self.hasher.build_hasher();
        hasher.write_u32(receiver);
        hasher.write(fingerprint.as_bytes());
        hasher.finish()
    }
}
