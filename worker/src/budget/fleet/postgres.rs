//! `gcra.rs` in one statement, by the server's clock: what the workers' clocks say does not matter, and whoever comes
//! second waits for the row, not for a transaction. What is assigned is computed once the row is ours, from a clock that is
//! read once (`clock_timestamp`; `now` would be the moment we queued for the row).

use sqlx::postgres::Postgres;
use sqlx::{FromRow, query};

use super::FleetAnswer;
use crate::budget::gcra::furthest_ms;
use crate::budget::rates::Rates;
use crate::store::Server;

/// The first question about a receiver makes its row and gets the slot of that moment. Its wait is -1, and it names no moment:
/// it may have been held up by the tables that had to be made. `$1` is the receiver, `$2` the time
/// for tests, `$3` how far ahead; then of the minute's limit its interval, its tolerance and how far away it may be free,
/// and the same of the second's.
const RESERVE: &str = "
    INSERT INTO larkfire_budget AS kept
        (receiver, asked_ms, wait_ms, minute_free_ms, second_free_ms, held_until_ms, held_for_ms)
    SELECT $1, asked_ms, -1, asked_ms + $4 - $5, asked_ms + $7 - $8, 0, 0
    FROM (SELECT COALESCE($2, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)) AS asked_ms) AS clock
    ON CONFLICT (receiver) DO UPDATE SET
    (asked_ms, wait_ms, minute_free_ms, second_free_ms, held_until_ms) = (
        SELECT
            asked_ms,
            wait_ms,
            CASE WHEN wait_ms > $3 THEN minute_ms ELSE GREATEST(minute_ms, held_ms, asked_ms + wait_ms - $5) + $4 END,
            CASE WHEN wait_ms > $3 THEN second_ms ELSE GREATEST(second_ms, held_ms, asked_ms + wait_ms - $8) + $7 END,
            held_ms
        FROM (
            SELECT
                asked_ms, minute_ms, second_ms, held_ms,
                GREATEST(0, minute_ms - asked_ms, second_ms - asked_ms, held_ms - asked_ms) AS wait_ms
            FROM (
                SELECT
                    asked_ms,
                    LEAST(kept.minute_free_ms, asked_ms + $6) AS minute_ms,
                    LEAST(kept.second_free_ms, asked_ms + $9) AS second_ms,
                    LEAST(kept.held_until_ms, asked_ms + kept.held_for_ms) AS held_ms
                FROM (
                    SELECT COALESCE($2, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)) AS asked_ms
                ) AS clock
            ) AS bounded
        ) AS slot
    )
    RETURNING wait_ms, asked_ms";

const HOLD: &str = "
    INSERT INTO larkfire_budget AS kept
        (receiver, asked_ms, wait_ms, minute_free_ms, second_free_ms, held_until_ms, held_for_ms)
    VALUES ($1, 0, 0, 0, 0, COALESCE($2, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)) + $3, $3)
    ON CONFLICT (receiver) DO UPDATE SET
    held_for_ms = CASE WHEN excluded.held_until_ms > kept.held_until_ms THEN excluded.held_for_ms ELSE kept.held_for_ms END,
    held_until_ms = GREATEST(kept.held_until_ms, excluded.held_until_ms)";

/// `now_ms` is for tests; `None` is the server's clock.
pub async fn reserve(
    server: &Server<Postgres>,
    receiver: &str,
    rates: Rates,
    ahead_ms: i64,
    now_ms: Option<i64>,
) -> Result<FleetAnswer, sqlx::Error> {
    let query = query(RESERVE).bind(receiver.as_bytes()).bind(now_ms).bind(ahead_ms);
    let query = [rates.minute, rates.second].into_iter().fold(query, |query, rate| {
        query.bind(rate.interval_ms).bind(rate.tolerance_ms()).bind(furthest_ms(rate))
    });
    let rows = server.rows(query).await?;
    let (wait_ms, asked_ms) = <(i64, i64)>::from_row(rows.first().ok_or(sqlx::Error::RowNotFound)?)?;
    let is_first = wait_ms < 0;
    Ok(FleetAnswer { wait_ms: u64::try_from(wait_ms).unwrap_or(0), at_ms: (!is_first).then_some(asked_ms) })
}

/// `now_ms` is for tests; `None` is the server's clock.
pub async fn hold(
    server: &Server<Postgres>,
    receiver: &str,
    pause_ms: i64,
    now_ms: Option<i64>,
) -> Result<(), sqlx::Error> {
    let query = query(HOLD).bind(receiver.as_bytes()).bind(now_ms).bind(pause_ms);
    server.execute(query).await.map(drop)
}
