//! `gcra.rs` in one statement, by the server's clock: what the workers' clocks say does not matter, and whoever comes
//! second waits for the row, not for a transaction. MySQL assigns from left to right, so each line may use what the
//! lines before it have set; the wait, and the moment it counts from, come back in the "last insert id" of the answer,
//! without a second question.

use sqlx::mysql::MySql;

use super::FleetAnswer;
use crate::budget::gcra::furthest_ms;
use crate::budget::rates::Rates;
use crate::store::Server;

/// How many bits of the answer are the wait; the others are the moment. No wait is longer than a quarter of an hour
/// ([`HOLD_MAX`](crate::budget::HOLD_MAX), and the minute of the slowest limit), which is 20 bits of milliseconds.
const WAIT_BITS: u32 = 20;

/// The first question about a receiver makes its row and gets the slot of that moment; the "last insert id" is then
/// 0, which is its wait, and names no moment. `SYSDATE` is the moment the row is ours, where `NOW` would be the moment we queued for it.
const RESERVE: &str = "
    INSERT INTO larkfire_budget
        (receiver, asked_ms, wait_ms, minute_free_ms, second_free_ms, held_until_ms, held_for_ms)
    VALUES
        (?, COALESCE(?, CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)), 0, asked_ms + ?, asked_ms + ?, 0, 0)
    ON DUPLICATE KEY UPDATE
    asked_ms = COALESCE(?, CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)),
    wait_ms = GREATEST(
        0,
        LEAST(minute_free_ms - asked_ms, ?),
        LEAST(second_free_ms - asked_ms, ?),
        LEAST(held_until_ms - asked_ms, held_for_ms)
    ),
    held_until_ms = LEAST(held_until_ms, asked_ms + held_for_ms),
    minute_free_ms = IF(
        wait_ms > ?,
        LEAST(minute_free_ms, asked_ms + ?),
        GREATEST(minute_free_ms, held_until_ms, asked_ms + wait_ms - ?) + ?
    ),
    second_free_ms = IF(
        wait_ms > ?,
        LEAST(second_free_ms, asked_ms + ?),
        GREATEST(second_free_ms, held_until_ms, asked_ms + wait_ms - ?) + ?
    ),
    asked_ms = LAST_INSERT_ID((asked_ms << 20) | LEAST(wait_ms, 1048575)) >> 20";

const HOLD: &str = "
    INSERT INTO larkfire_budget
        (receiver, asked_ms, wait_ms, minute_free_ms, second_free_ms, held_until_ms, held_for_ms)
    VALUES (?, 0, 0, 0, 0, COALESCE(?, CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)) + ?, ?)
    ON DUPLICATE KEY UPDATE
    held_for_ms = IF(VALUES(held_until_ms) > held_until_ms, VALUES(held_for_ms), held_for_ms),
    held_until_ms = GREATEST(held_until_ms, VALUES(held_until_ms))";

/// `now_ms` is for tests; `None` is the server's clock.
pub async fn reserve(
    server: &Server<MySql>,
    receiver: &str,
    rates: Rates,
    ahead_ms: i64,
    now_ms: Option<i64>,
) -> Result<FleetAnswer, sqlx::Error> {
    let Rates { minute, second } = rates;
    let query = sqlx::query(RESERVE)
        .bind(receiver.as_bytes())
        .bind(now_ms)
        .bind(minute.interval_ms - minute.tolerance_ms())
        .bind(second.interval_ms - second.tolerance_ms())
        .bind(now_ms)
        .bind(furthest_ms(minute))
        .bind(furthest_ms(second))
        .bind(ahead_ms)
        .bind(furthest_ms(minute))
        .bind(minute.tolerance_ms())
        .bind(minute.interval_ms)
        .bind(ahead_ms)
        .bind(furthest_ms(second))
        .bind(second.tolerance_ms())
        .bind(second.interval_ms);
    let answer = server.execute(query).await?.last_insert_id();
    let at_ms = i64::try_from(answer >> WAIT_BITS).unwrap_or(i64::MAX);
    Ok(FleetAnswer { wait_ms: answer & ((1 << WAIT_BITS) - 1), at_ms: (at_ms > 0).then_some(at_ms) })
}

/// `now_ms` is for tests; `None` is the server's clock.
pub async fn hold(
    server: &Server<MySql>,
    receiver: &str,
    pause_ms: i64,
    now_ms: Option<i64>,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(HOLD).bind(receiver.as_bytes()).bind(now_ms).bind(pause_ms).bind(pause_ms);
    server.execute(query).await.map(drop)
}
