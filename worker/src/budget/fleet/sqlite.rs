//! `gcra.rs` itself, inside a transaction: a file has one writer at a time, and no round trips to save.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use super::FleetAnswer;
use crate::budget::gcra::{self, GcraState};
use crate::budget::rates::Rates;

/// The next slot of somebody who asks at `now_ms`.
pub async fn reserve(
    pool: &SqlitePool,
    receiver: &str,
    rates: Rates,
    ahead_ms: i64,
    now_ms: i64,
) -> Result<FleetAnswer, sqlx::Error> {
    // Immediate: between reading and writing nobody else may read.
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let state = read(&mut transaction, receiver).await?;
    let (wait_ms, state) = gcra::reserve(state, now_ms, rates, ahead_ms);
    write(&mut transaction, receiver, state).await?;
    transaction.commit().await?;
    Ok(FleetAnswer { wait_ms: wait_ms.unsigned_abs(), at_ms: Some(now_ms) })
}

/// Nobody reserves a slot that is nearer than `pause_ms`.
pub async fn hold(pool: &SqlitePool, receiver: &str, pause_ms: i64, now_ms: i64) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let state = read(&mut transaction, receiver).await?;
    write(&mut transaction, receiver, gcra::hold(state, now_ms, pause_ms)).await?;
    transaction.commit().await
}

async fn read(connection: &mut SqliteConnection, receiver: &str) -> Result<GcraState, sqlx::Error> {
    let row: Option<(i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT minute_free_ms, second_free_ms, held_until_ms, held_for_ms
         FROM larkfire_budget WHERE receiver = ?",
    )
    .bind(receiver)
    .fetch_optional(connection)
    .await?;
    Ok(row.map_or_else(GcraState::default, |(minute_free_ms, second_free_ms, held_until_ms, held_for_ms)| {
        GcraState { minute_free_ms, second_free_ms, held_until_ms, held_for_ms }
    }))
}

async fn write(
    connection: &mut SqliteConnection,
    receiver: &str,
    state: GcraState,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "REPLACE INTO larkfire_budget (receiver, minute_free_ms, second_free_ms, held_until_ms, held_for_ms)
         VALUES (?, ?, ?, ?, ?)",
    )
    .bind(receiver)
    .bind(state.minute_free_ms)
    .bind(state.second_free_ms)
    .bind(state.held_until_ms)
    .bind(state.held_for_ms)
    .execute(connection)
    .await?;
    Ok(())
}
