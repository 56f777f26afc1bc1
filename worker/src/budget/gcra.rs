//! When the next slot is: the generic cell rate algorithm (the "leaky bucket as a meter" of ITU-T I.371) over two
//! limits at once. Where the usual form keeps the theoretical arrival time, this one keeps that time less the
//! tolerance, which is simply when the limit has room again; so a slot is the latest of a few times.
//!
//! `mysql.rs` has the same function in SQL, and a test holds the two together.

use super::rates::{Rate, Rates};

/// [`RESERVE_AHEAD_MAX`](super::RESERVE_AHEAD_MAX).
pub(super) const RESERVE_AHEAD_MS: i64 = 5_000;
/// [`HOLD_MAX`](super::HOLD_MAX).
pub(super) const HOLD_MAX_MS: i64 = 600_000;

/// What is known about a receiver. Times are milliseconds since 1970; a receiver never heard of has zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the unit is part of a number's name, and all three are times")]
pub(super) struct State {
    /// When the minute's limit has room again.
    pub(super) minute_free_ms: i64,
    /// When the second's limit has room again.
    pub(super) second_free_ms: i64,
    /// Nobody sends before that.
    pub(super) held_until_ms: i64,
}

/// The next slot of somebody who asks at `now_ms`: how long to wait for it, and the state after that. A wait longer
/// than [`RESERVE_AHEAD_MS`] means that nothing was reserved.
pub(super) fn reserve(state: State, now_ms: i64, rates: Rates) -> (i64, State) {
    let State { minute_free_ms, second_free_ms, held_until_ms } = state;
    // No time is further away than we ever put one. Otherwise the clock was set back, or the limits were changed,
    // and a receiver must not stay silent until the clock is there again.
    let minute_free_ms = minute_free_ms.min(now_ms + RESERVE_AHEAD_MS + rates.minute.interval_ms);
    let second_free_ms = second_free_ms.min(now_ms + RESERVE_AHEAD_MS + rates.second.interval_ms);
    let held_until_ms = held_until_ms.min(now_ms + HOLD_MAX_MS);
    let slot_ms = now_ms.max(minute_free_ms).max(second_free_ms).max(held_until_ms);
    let wait_ms = slot_ms - now_ms;
    if wait_ms > RESERVE_AHEAD_MS {
        return (wait_ms, State { minute_free_ms, second_free_ms, held_until_ms });
    }
    // A hold counts as a burst that was spent: whoever was told to slow down does not start with one.
    let after = |free_ms: i64, rate: Rate| {
        free_ms.max(held_until_ms).max(slot_ms - rate.tolerance_ms()) + rate.interval_ms
    };
    let minute_free_ms = after(minute_free_ms, rates.minute);
    let second_free_ms = after(second_free_ms, rates.second);
    (wait_ms, State { minute_free_ms, second_free_ms, held_until_ms })
}

/// Nobody sends for `pause_ms`, or for longer if that was said before.
pub(super) fn hold(state: State, now_ms: i64, pause_ms: i64) -> State {
    State { held_until_ms: state.held_until_ms.max(now_ms + pause_ms), ..state }
}
