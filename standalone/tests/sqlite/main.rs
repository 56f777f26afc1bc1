//! The embedded queue against real files.
#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod clock;
mod conformance;
mod depth;
mod engine;
mod full_disk;
mod limits;
