//! The simulator over real sockets: what a sender gets back for what it sends.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a helper that fails has to fail its test"
)]

mod app_contacts;
mod app_images;
mod app_messages;
mod app_support;
mod app_tokens;
mod app_updates;
mod app_urgent;
mod control;
mod faults;
mod limits;
mod logins;
mod messages;
mod presence;
mod security;
mod support;
