//! Ingest as senders see it: real sockets, raw bytes, and a queue that does what the test says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot talk to its server has failed")]

mod answers;
mod callbacks;
mod client;
mod drain;
mod gate;
mod harness;
mod lark;
mod limits;
mod metrics;
mod oddities;
mod openapi;
mod presses;
mod protocols;
mod senders;
mod tls;
