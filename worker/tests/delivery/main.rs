//! The worker between a queue in memory and the simulator: what is told, repeated, repaired, parked and buried.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper that fails has to fail its test; there is nobody to hand an error to"
)]

mod bots;
mod broken;
mod chats;
mod clock_jumps;
mod fake_queue;
mod halves;
mod hold_ups;
mod logs;
mod onwards;
mod owners;
mod repeated;
mod replays;
mod routes;
mod settled;
mod spread;
mod stage;
mod superseded;
mod templates;
mod ten_receivers;
mod test_alert;
