//! The budget everybody keeps together, in whichever of the databases there is.

pub mod mysql;
pub mod postgres;
mod simulated;
pub mod sqlite;

use std::time::Duration;

use runtime::clock::Clock;

use super::rates::Rates;
use crate::store::{Pool, Store, StoreError};

/// What the database says about the next slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetAnswer {
    /// Milliseconds to wait for it. More than was asked for means that nothing was reserved.
    pub wait_ms: u64,
    /// From when on, in milliseconds since 1970 by the clock of whoever keeps the budget. A server does not say it to
    /// the first question about a receiver.
    pub at_ms: Option<i64>,
}

/// The next slot, not further away than `ahead`.
pub async fn reserve(
    store: &Store,
    clock: &Clock,
    receiver: &str,
    rates: Rates,
    ahead: Duration,
) -> Result<FleetAnswer, StoreError> {
    let ahead_ms = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
    match store.pool() {
        Pool::MySql(pool) => store.within(|| mysql::reserve(pool, receiver, rates, ahead_ms, None)).await,
        Pool::Postgres(pool) => {
            store.within(|| postgres::reserve(pool, receiver, rates, ahead_ms, None)).await
        }
        Pool::Sqlite(pool) => {
            let now_ms = clock.now().as_millisecond();
            store.within(|| sqlite::reserve(pool, receiver, rates, ahead_ms, now_ms)).await
        }
        Pool::Simulated(database) => {
            store.within(|| simulated::reserve(database, receiver, rates, ahead_ms)).await
        }
    }
}

/// Nobody reserves a slot that is nearer than `pause`.
pub async fn hold(store: &Store, clock: &Clock, receiver: &str, pause: Duration) -> Result<(), StoreError> {
    let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    match store.pool() {
        Pool::MySql(pool) => store.within(|| mysql::hold(pool, receiver, pause_ms, None)).await,
        Pool::Postgres(pool) => store.within(|| postgres::hold(pool, receiver, pause_ms, None)).await,
        Pool::Sqlite(pool) => {
            let now_ms = clock.now().as_millisecond();
            store.within(|| sqlite::hold(pool, receiver, pause_ms, now_ms)).await
        }
        Pool::Simulated(database) => store.within(|| simulated::hold(database, receiver, pause_ms)).await,
    }
}
