//! The connections of the admin port: at most so many, and when all places are taken the oldest makes room, so that clients
//! that hold on to theirs keep nobody out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::{IntCounter, IntGauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// The places of one listener.
#[derive(Clone, Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    taken: Arc<Mutex<Taken>>,
    open: IntGauge,
    displaced: IntCounter,
}

#[derive(Debug, Default)]
struct Taken {
    next_id: u64,
    by_age: BTreeMap<u64, CancellationToken>,
}

/// A connection's place, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    id: u64,
    /// It has to make room.
    pub(super) displaced: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(limit: usize, open: IntGauge, displaced: IntCounter) -> Self {
        Self { free: Arc::new(Semaphore::new(limit)), taken: Arc::default(), open, displaced }
    }

    /// A free place, or else that of the oldest connection; `None` if there are none any more.
    pub(super) async fn take(&self) -> Option<Place> {
        let permit = if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            permit
        } else {
            if let Some((_, oldest)) = self.taken().by_age.pop_first() {
                oldest.cancel();
                self.displaced.inc();
            }
            Arc::clone(&self.free).acquire_owned().await.ok()?
        };
        let displaced = CancellationToken::new();
        let id = {
            let mut taken = self.taken();
            let id = taken.next_id;
            taken.next_id += 1;
            taken.by_age.insert(id, displaced.clone());
            id
        };
        self.open.inc();
        Some(Place { places: self.clone(), id, displaced, _permit: permit })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().by_age.remove(&self.id);
        self.places.open.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_makes_room_and_its_place_is_taken() {
        let open = IntGauge::new("open", "o").unwrap();
        let displaced = IntCounter::new("displaced", "d").unwrap();
        let places = Places::new(2, open.clone(), displaced.clone());
        let first = places.take().await.unwrap();
        let second = places.take().await.unwrap();
        let leaves = async {
            first.displaced.cancelled().await;
            drop(first);
        };
        let (third, ()) = tokio::join!(places.take(), leaves);
        assert!(!second.displaced.is_cancelled());
        assert_eq!((open.get(), displaced.get()), (2, 1));
        drop((second, third));
        assert_eq!(open.get(), 0);
    }
}
