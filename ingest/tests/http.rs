//! Ingest as senders see it: real sockets, raw bytes, and a queue that does what the test says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot talk to its server has failed")]

#[path = "http/answers.rs"]
mod answers;
#[path = "http/callbacks.rs"]
mod callbacks;
#[path = "http/client.rs"]
mod client;
#[path = "http/drain.rs"]
mod drain;
#[path = "http/gate.rs"]
mod gate;
#[path = "http/house.rs"]
mod house;
#[path = "http/lark.rs"]
mod lark;
#[path = "http/limits.rs"]
mod limits;
#[path = "http/metrics.rs"]
mod metrics;
#[path = "http/oddities.rs"]
mod oddities;
#[path = "http/openapi.rs"]
mod openapi;
#[path = "http/presses.rs"]
mod presses;
#[path = "http/protocols.rs"]
mod protocols;
