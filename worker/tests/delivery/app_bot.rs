//! The app bot against the simulator: what is shown, once, and what each refusal means.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails has to fail its test; there is nobody to hand an error to"
)]

mod contacts;
mod harness;
mod messages;
mod secrecy;
mod tokens;
