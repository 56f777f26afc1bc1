//! The RabbitMQ engine against the machine's broker on 127.0.0.1:5672, and against one of its own to be killed.
#![expect(clippy::expect_used, reason = "helpers of tests")]

mod batches;
mod conformance;
mod engine;
mod faults;
mod limits;
mod outages;
mod tls;
