//! How many workers there are, so that each knows its share when the database is away. Whoever sends says that it is
//! there and counts the others; whoever is idle does nothing.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::mysql::MySqlPool;
use tokio::time::Instant;

use crate::store::{Pool, Store};

/// How often a worker that sends says so.
const MAKE_KNOWN_EVERY: Duration = Duration::from_secs(15);
/// How long a worker counts after it was heard of. An idle one gets its alerts like any other when they come, so it
/// has to count for longer than a calm spell between two alerts; one that is gone only makes the shares smaller.
const SEEN_LATELY: Duration = Duration::from_mins(10);
/// The guess until the workers have been counted: the usual fleet is not larger, and a share too small only means
/// that cards carry more.
const WORKERS_ASSUMED: u32 = 4;

/// The workers on one database, this one included.
#[derive(Debug)]
pub(super) struct Workers {
    /// This process, or rather this start of it.
    id: u64,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    said_at: Option<Instant>,
    count: u32,
}

impl Workers {
    pub(super) fn new(store: &Store) -> Self {
        let count = if store.is_shared() { WORKERS_ASSUMED } else { 1 };
        Self { id: rand::random(), known: Mutex::new(Known { said_at: None, count }) }
    }

    /// How many there are, as far as is known.
    pub(super) fn count(&self) -> u32 {
        self.lock(|known| known.count)
    }

    /// Says that this worker is there, if it is time to, and counts all. A failure changes nothing: the last count
    /// is the best there is.
    pub(super) async fn make_known(&self, store: &Store) {
        let Pool::MySql(pool) = store.pool() else { return };
        if !self.lock(|known| known.is_time(Instant::now())) {
            return;
        }
        if let Ok(count) = store.within(make_known(pool, self.id)).await {
            self.lock(|known| known.count = u32::try_from(count).unwrap_or(u32::MAX).max(1));
        }
    }

    fn lock<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    /// Whether to say it now; if so, somebody does.
    fn is_time(&mut self, now: Instant) -> bool {
        let is_time = self.said_at.is_none_or(|said_at| now >= said_at + MAKE_KNOWN_EVERY);
        if is_time {
            self.said_at = Some(now);
        }
        is_time
    }
}

async fn make_known(pool: &MySqlPool, id: u64) -> Result<i64, sqlx::Error> {
    sqlx::query("REPLACE INTO larkfire_workers (id, seen_s) VALUES (?, UNIX_TIMESTAMP())")
        .bind(id)
        .execute(pool)
        .await?;
    sqlx::query("DELETE FROM larkfire_workers WHERE seen_s < UNIX_TIMESTAMP() - ?")
        .bind(SEEN_LATELY.as_secs())
        .execute(pool)
        .await?;
    sqlx::query_scalar("SELECT COUNT(*) FROM larkfire_workers").fetch_one(pool).await
}

#[cfg(test)]
mod tests {
    use testkit::mariadb::TestDatabase;

    use super::super::tests::store_at;
    use super::*;

    #[test]
    fn it_is_said_once_per_turn() {
        let (mut known, now) = (Known { said_at: None, count: 1 }, Instant::now());
        assert!(known.is_time(now));
        assert!(!known.is_time(now + MAKE_KNOWN_EVERY / 2));
        assert!(known.is_time(now + MAKE_KNOWN_EVERY));
    }

    #[tokio::test]
    async fn those_that_were_seen_lately_count() {
        let database = TestDatabase::create().await;
        let store = store_at(&database.url());
        let Pool::MySql(pool) = store.pool() else { panic!("a server") };
        let [first, second] = [(); 2].map(|()| Workers::new(&store));
        assert_eq!(first.count(), WORKERS_ASSUMED, "nobody has counted yet");
        first.make_known(&store).await;
        assert_eq!(first.count(), 1);
        sqlx::query("INSERT INTO larkfire_workers VALUES (7, UNIX_TIMESTAMP() - 3600)")
            .execute(pool)
            .await
            .unwrap();
        second.make_known(&store).await;
        assert_eq!(second.count(), 2, "the first and the second, but not the one of an hour ago");
    }
}
