//! What tests in all crates use: unique names, a broken network, real processes, waiting with a deadline.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a helper that fails has to fail its test; there is nobody to hand an error to"
)]

pub mod alertmanager;
pub mod bodies;
pub mod broker_node;
pub mod browser;
pub mod chaos_proxy;
pub mod database_node;
pub mod http;
pub mod mariadb;
pub mod pace;
pub mod ports;
pub mod postgres;
pub mod postgres_node;
pub mod prefix;
pub mod process;
pub mod prometheus;
pub mod queue_conformance;
pub mod rabbitmq;
pub mod tls;
pub mod wait_until;
pub mod witness;
