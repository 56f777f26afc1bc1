//! The budget everybody keeps together, in either database.

pub mod mysql;
mod simulated;
pub mod sqlite;

use std::time::Duration;

use runtime::clock::Clock;

use super::rates::Rates;
use crate::store::{Pool, Store, StoreError};

/// The next slot: how long to wait for it. Longer than `ahead` means that nothing was reserved.
pub async fn reserve(
    store: &Store,
    clock: &Clock,
    receiver: &str,
    rates: Rates,
    ahead: Duration,
) -> Result<Duration, StoreError> {
    let ahead_ms = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
    let wait_ms = match store.pool() {
        Pool::MySql(pool) => store.within(|| mysql::reserve(pool, receiver, rates, ahead_ms, None)).await?,
        Pool::Sqlite(pool) => {
            let now_ms = clock.now().as_millisecond();
            store.within(|| sqlite::reserve(pool, receiver, rates, ahead_ms, now_ms)).await?
        }
        Pool::Simulated(database) => {
            store.within(|| simulated::reserve(database, receiver, rates, ahead_ms)).await?
        }
    };
    Ok(Duration::from_millis(wait_ms))
}

/// Nobody reserves a slot that is nearer than `pause`.
pub async fn hold(store: &Store, clock: &Clock, receiver: &str, pause: Duration) -> Result<(), StoreError> {
    let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    match store.pool() {
        Pool::MySql(pool) => store.within(|| mysql::hold(pool, receiver, pause_ms, None)).await,
        Pool::Sqlite(pool) => {
            let now_ms = clock.now().as_millisecond();
            store.within(|| sqlite::hold(pool, receiver, pause_ms, now_ms)).await
        }
        Pool::Simulated(database) => store.within(|| simulated::hold(database, receiver, pause_ms)).await,
    }
}
