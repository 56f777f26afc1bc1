//! The promise, held against a whole fleet of real processes: delivered once, never flooded, nothing lost.
//!
//! Each test has two `larkfire-ingest` and three `larkfire-worker` on a real RabbitMQ and a real MariaDB, and a
//! simulator with Feishu's own limits. They run one at a time: what a busy machine delays is not what they are about.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "code of tests: what goes wrong ends the test, and what was found is told"
)]

mod alerts;
mod cards;
mod chance;
mod copies;
mod faults;
mod fleet;
mod ledger;
mod shutdown;
mod turn;
