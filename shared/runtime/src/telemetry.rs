//! What the process says about itself: logs, metrics and the admin port.

pub mod admin;
mod discretion;
pub mod log_level;
pub mod logging;
