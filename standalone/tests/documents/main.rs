//! The tables of `docs/configuration.md` and `docs/metrics.md` are made from the registries, and the registries say what
//! the code does. `UPDATE_DOCS=1` writes the tables anew. What is in `deploy/` to watch Larkfire by is held against them, too.
#![expect(clippy::unwrap_used, clippy::panic, reason = "code of tests: what goes wrong ends the test")]

mod configuration;
mod examples;
mod language;
mod metrics;
mod page;
mod running;
mod units;
mod watching;
