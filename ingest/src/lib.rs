//! HTTP in, queue out: the role that takes alerts.

mod accept;
mod answer;
mod body;
mod connections;
pub mod gate;
mod lark;
mod live_gate;
mod metrics;
mod route;
mod server;
mod settings;
mod slowdown;
pub mod source;
pub mod spool;

pub use server::{StartError, run};
pub use settings::{Settings, problems};
