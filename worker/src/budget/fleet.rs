//! The budget everybody keeps together, in either database.

pub(super) mod mysql;
pub(super) mod sqlite;

use std::time::Duration;

use shared::clock::Clock;

use super::rates::Rates;
use crate::store::{Pool, Store, StoreError};

/// The next slot: how long to wait for it. Longer than `ahead` means that nothing was reserved.
pub(super) async fn reserve(
    store: &Store,
    clock: &Clock,
    receiver: &str,
    (rates, ahead): (Rates, Duration),
) -> Result<Duration, StoreError> {
    let rates = (rates, i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX));
    let wait_ms = match store.pool() {
        Pool::MySql(pool) => store.within(mysql::reserve(pool, receiver, rates, None)).await?,
        Pool::Sqlite(pool) => {
            let now_ms = clock.now().as_millisecond();
            store.within(sqlite::reserve(pool, receiver, rates, now_ms)).await?
        }
    };
    Ok(Duration::from_millis(wait_ms))
}

/// Nobody reserves a slot that is nearer than `pause`.
pub(super) async fn hold(
    store: &Store,
    clock: &Clock,
    receiver: &str,
    pause: Duration,
) -> Result<(), StoreError> {
    let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    match store.pool() {
        Pool::MySql(pool) => store.within(mysql::hold(pool, receiver, pause_ms, None)).await,
        Pool::Sqlite(pool) => {
            let now_ms = clock.now().as_millisecond();
            store.within(sqlite::hold(pool, receiver, pause_ms, now_ms)).await
        }
    }
}
