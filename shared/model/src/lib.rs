//! What ingest and worker must agree on: the domain types and their wire format. Pure.

pub mod alert;
pub mod envelope;
pub mod interaction;
pub mod matcher;
pub mod secret;
pub mod signature;
pub mod when;
