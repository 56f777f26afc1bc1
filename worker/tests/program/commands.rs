//! Commands of `larkfire-worker`, as an operator gives them: the binary itself beside real neighbours.
#![expect(clippy::unwrap_used, reason = "code of tests: what goes wrong ends the test")]

pub(crate) mod harness;
mod online;
mod online_tls;
mod private_network;
mod routes;
mod send_test;
mod users;
