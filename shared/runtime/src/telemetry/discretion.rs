//! What libraries may say at most, whatever is asked for: at `trace` some write down what they send, and that is passwords.
//! lapin writes the bytes of the `StartOk` with which it logs in; amq-protocol-tcp the broker's URL.

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Our crates: what `larkfire` stands for in `RUST_LOG`.
pub(super) const OURS: [&str; 9] =
    ["config", "console", "ingest", "model", "queue", "queue_sqlite", "runtime", "standalone", "worker"];
/// What the names of libraries begin with that are given secrets: credentials, webhook URLs, statements with what is in them.
const CONFIDANTS: [&str; 11] = [
    "amq_protocol",
    "async_rs",
    "h2",
    "hyper",
    "lapin",
    "mysql",
    "native_tls",
    "reqwest",
    "rustls",
    "sqlx",
    "tokio_rustls",
];
/// What those may say at most.
const OF_CONFIDANTS: LevelFilter = LevelFilter::INFO;
/// What all others may say at most.
const OF_OTHERS: LevelFilter = LevelFilter::DEBUG;

/// Keeps libraries discreet.
pub(super) struct Discretion;

impl<S: Subscriber> Layer<S> for Discretion {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= most(metadata.target())
    }
}

/// The most detailed level of this target.
fn most(target: &str) -> LevelFilter {
    let crate_name = target.split("::").next().unwrap_or(target);
    if OURS.contains(&crate_name) {
        LevelFilter::TRACE
    } else if CONFIDANTS.iter().any(|begin| crate_name.starts_with(begin)) {
        OF_CONFIDANTS
    } else {
        OF_OTHERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_know_secrets_keep_quiet_and_ours_say_what_is_asked_for() {
        for (target, level) in [
            ("worker::delivery::intake", LevelFilter::TRACE),
            ("queue", LevelFilter::TRACE),
            ("lapin::channel", LevelFilter::INFO),
            ("amq_protocol_tcp", LevelFilter::INFO),
            ("sqlx_mysql::connection", LevelFilter::INFO),
            ("hyper_util::client", LevelFilter::INFO),
            ("mio::poll", LevelFilter::DEBUG),
            ("workerbee", LevelFilter::DEBUG),
        ] {
            assert_eq!(most(target), level, "{target}");
        }
    }
}
