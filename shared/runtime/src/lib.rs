//! What every process stands on: clock, dice, files, start-up and shutdown, retry, logs, metrics and the admin port.

pub mod clock;
pub mod data_dir;
pub mod documents;
pub mod entropy;
pub mod lifecycle;
pub mod metrics;
pub mod plain;
pub mod retry;
pub mod telemetry;
pub mod tls;
