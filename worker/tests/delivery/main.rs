//! The worker between a queue in memory and the simulator: what is delivered, repeated, repaired, parked and buried.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper that fails has to fail its test; there is nobody to hand an error to"
)]

mod app_bot;
mod away;
mod bots;
mod broken;
mod chats;
mod clock_jumps;
mod console;
mod console_login;
mod continuations;
mod each_database;
mod fake_queue;
mod fallback;
mod formats;
mod halves;
mod harness;
mod heartbeats;
mod history;
mod hold_ups;
mod logs;
mod onwards;
mod owners;
mod repeated;
mod replays;
mod returns;
mod routes;
mod settled;
mod spread;
mod superseded;
mod templates;
mod ten_receivers;
mod test_alert;
mod thinning;
mod trouble;
mod unheard;
mod unresolved;
