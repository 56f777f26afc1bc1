//! What ingest and worker must agree on, and nothing else: the domain types, the wire format, the queue's
//! traits and engines, configuration, start-up and shutdown, telemetry.

pub mod alert;
pub mod check;
pub mod clock;
pub mod config;
pub mod envelope;
pub mod interaction;
pub mod lifecycle;
pub mod matcher;
pub mod process;
pub mod queue;
pub mod retry;
pub mod signature;
pub mod telemetry;
