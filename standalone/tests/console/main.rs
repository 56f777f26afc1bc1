//! The console of `larkfire` in a real browser: what operators do there, and whether everybody can read it.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails has to fail its test; there is nobody to hand an error to"
)]

mod accessibility;
mod harness;
mod operator;
mod storm;
