//! HTTP in, queue out: the role that takes alerts.

mod accept;
mod addressing;
mod answer;
mod body;
mod connections;
pub mod expansion;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod gate;
pub mod hooks;
mod lark;
mod live_gate;
mod memory;
mod metrics;
#[cfg(test)]
mod mutations;
pub mod program;
mod refusal_log;
mod route;
mod server;
mod settings;
mod slowdown;
pub mod source;
pub mod spool;

pub use addressing::Addressing;
pub use server::{StartError, run};
pub use settings::{Settings, problems};
