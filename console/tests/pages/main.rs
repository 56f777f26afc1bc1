//! The pages over HTTP, with a backend of the test's own: who gets in, languages, headers, prefix, JSON, hostile text.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails has to fail its test; there is nobody to hand an error to"
)]

mod browser;
mod entrance;
mod fake_backend;
mod fake_entrance;
mod feishu_entrance;
mod frame;
mod harness;
mod letters;
mod openapi;
mod receiver_tests;
mod silences;
