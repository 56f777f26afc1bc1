//! How many workers there are, and which of them this one is, so that each knows its share and its turn when the database
//! is away. Every worker says every few seconds that it is there, whether it has anything to send or not.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub use super::turns::WorkerPlace;
use crate::store::sql::{execute, rows};
use crate::store::{Insert, Pool, SimulatedDatabase, Store, StoreError};

/// How often a worker says that it is there.
pub(super) const MAKE_KNOWN_EVERY: Duration = Duration::from_secs(15);
/// How long a worker counts after it was heard of: some of its words may be late.
const SEEN_LATELY: Duration = Duration::from_mins(1);
/// How long the largest count holds: who is not heard of may only have lost the database, and goes on sending. Also how
/// long rows are kept: earlier versions count all of them.
const COUNTED_FOR: Duration = Duration::from_mins(10);
/// The guess until the workers have been counted. Too many only means that the first cards of an outage that was there
/// before the worker come some seconds later and carry more; with too few, a fleet that starts into it would flood.
pub(super) const WORKERS_ASSUMED: u32 = 16;

const SAID: Insert<'_> = Insert { table: "larkfire_workers", columns: &["id", "seen_s"], key: 1 };

/// The workers on one database, this one included.
#[derive(Debug)]
pub struct Workers {
    /// This process, or rather this start of it. As large as the numbers of all databases are.
    pub(super) id: u64,
    is_shared: bool,
    known: Mutex<KnownWorkers>,
}

/// What is known of the others. Pure.
#[derive(Debug, Default)]
struct KnownWorkers {
    /// How many there were, and when; each was larger than all that came later.
    counts: VecDeque<(Instant, u32)>,
    /// How many come before this one.
    before: u32,
    /// The database's time at some moment, in milliseconds since 1970.
    time: Option<(Instant, i64)>,
}

/// One look at the fleet: all, those before this one, and the time.
struct Counted {
    all: u32,
    before: u32,
    now_ms: i64,
}

impl Workers {
    /// This worker, among those on this database.
    pub fn new(store: &Store) -> Self {
        Self {
            id: runtime::entropy::random::<u64>() >> 1,
            is_shared: store.is_shared(),
            known: Mutex::default(),
        }
    }

    /// This one's place among all, as far as is known.
    pub fn place(&self, now: Instant) -> WorkerPlace {
        if !self.is_shared {
            return WorkerPlace { count: 1, rank: 0 };
        }
        self.lock(|known| known.place(self.id, now))
    }

    /// The time everybody goes by, in milliseconds since 1970: the database's, or else the system's.
    pub fn time_ms(&self, now: Instant, system_ms: i64) -> i64 {
        self.lock(|known| known.time).map_or(system_ms, |(at, ms)| ms + millis(now.duration_since(at)))
    }

    /// Says that this worker is there, and counts all. A failure changes nothing: what was known is the best there is.
    /// Returns the database's time, in milliseconds since 1970.
    pub async fn make_known(&self, store: &Store) -> Option<i64> {
        let counted = match store.pool() {
            Pool::Simulated(database) => store.within(|| make_known_simulated(database, self.id)).await,
            pool @ (Pool::MySql(_) | Pool::Postgres(_) | Pool::Sqlite(_)) => {
                let clock = ServerClock::of(pool)?;
                store.within(|| make_known(pool, &clock, self.id.cast_signed())).await
            }
        };
        let counted = counted.ok()?;
        let now = Instant::now();
        self.lock(|known| known.learn(&counted, now));
        Some(counted.now_ms)
    }

    fn lock<T>(&self, change: impl FnOnce(&mut KnownWorkers) -> T) -> T {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KnownWorkers {
    fn place(&mut self, id: u64, now: Instant) -> WorkerPlace {
        // The last count holds for as long as there is no other.
        while self.counts.len() > 1 && self.counts.front().is_some_and(|(at, _)| now >= *at + COUNTED_FOR) {
            self.counts.pop_front();
        }
        match self.counts.front() {
            Some((_, count)) => WorkerPlace { count: *count, rank: self.before.min(count - 1) },
            // Numbers are random: two have the same place as rarely as may be.
            None => WorkerPlace {
                count: WORKERS_ASSUMED,
                rank: u32::try_from(id % u64::from(WORKERS_ASSUMED)).unwrap_or(0),
            },
        }
    }

    fn learn(&mut self, counted: &Counted, now: Instant) {
        let all = counted.all.max(1);
        // Whatever is not larger than what came later says nothing any more.
        while self.counts.back().is_some_and(|(_, count)| *count <= all) {
            self.counts.pop_back();
        }
        self.counts.push_back((now, all));
        self.before = counted.before;
        self.time = Some((now, counted.now_ms));
    }
}

/// How many workers were heard of in the last minute, the one that asks included.
pub async fn workers_seen(store: &Store) -> Result<i64, StoreError> {
    let Some(clock) = ServerClock::of(store.pool()) else { return Ok(1) };
    let count = format!("SELECT COUNT(*) FROM larkfire_workers WHERE seen_s >= {} - ?", clock.now_s);
    let values = [seconds(SEEN_LATELY).into()];
    let found: Vec<(i64,)> = store.within(|| rows(store.pool(), &count, &values)).await?;
    Ok(found.first().map_or(0, |(all,)| *all))
}

/// How a server is asked for its time.
struct ServerClock {
    now_s: &'static str,
    now_ms: &'static str,
}

impl ServerClock {
    /// `None` where there are no others, or they have no clock that could be asked so.
    const fn of(pool: &Pool) -> Option<Self> {
        match pool {
            Pool::MySql(_) => Some(Self {
                now_s: "UNIX_TIMESTAMP()",
                now_ms: "CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)",
            }),
            Pool::Postgres(_) => Some(Self {
                now_s: "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)",
                now_ms: "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
            }),
            Pool::Sqlite(_) | Pool::Simulated(_) => None,
        }
    }
}

async fn make_known(pool: &Pool, clock: &ServerClock, id: i64) -> Result<Counted, sqlx::Error> {
    let ServerClock { now_s, now_ms } = clock;
    let say = SAID.or_replace(pool.dialect(), &format!("VALUES (?, {now_s})"));
    execute(pool, &say, &[id.into()]).await?;
    let forget = format!("DELETE FROM larkfire_workers WHERE seen_s < {now_s} - ?");
    execute(pool, &forget, &[seconds(COUNTED_FOR).into()]).await?;
    let count = format!(
        "SELECT COUNT(*), COUNT(CASE WHEN id < ? THEN 1 END), {now_ms} FROM larkfire_workers WHERE seen_s >= {now_s} - ?"
    );
    let found: Vec<(i64, i64, i64)> = rows(pool, &count, &[id.into(), seconds(SEEN_LATELY).into()]).await?;
    let (all, before, now_ms) = found.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
    let number = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Counted { all: number(all), before: number(before), now_ms })
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

async fn make_known_simulated(database: &SimulatedDatabase, id: u64) -> Result<Counted, sqlx::Error> {
    let now_ms = database.now_ms();
    let say_and_count = |seen: &mut BTreeMap<u64, i64>| {
        seen.insert(id, now_ms);
        seen.retain(|_, seen| *seen >= now_ms - millis(COUNTED_FOR));
        let lately = seen.iter().filter(|(_, seen)| **seen >= now_ms - millis(SEEN_LATELY));
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let before = lately.clone().filter(|(other, _)| **other < id).count();
        Counted { all: number(lately.count()), before: number(before), now_ms }
    };
    database.statement(say_and_count).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(all: u32) -> Counted {
        Counted { all, before: all - 1, now_ms: 0 }
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_count_of_the_last_minutes_holds_and_the_last_one_for_ever() {
        let mut known = KnownWorkers::default();
        let now = Instant::now();
        let count =
            |known: &mut KnownWorkers, minutes: u64| known.place(7, now + Duration::from_mins(minutes)).count;
        assert_eq!(count(&mut known, 0), WORKERS_ASSUMED, "nobody has counted yet");
        for (minute, all) in [(0, 5), (1, 2), (2, 3), (3, 1)] {
            known.learn(&counted(all), now + Duration::from_mins(minute));
        }
        assert_eq!(count(&mut known, 4), 5);
        assert_eq!(count(&mut known, 10), 3);
        assert_eq!(count(&mut known, 12), 1);
        assert_eq!(count(&mut known, 600), 1, "an outage of hours does not make it forget");
    }
}
