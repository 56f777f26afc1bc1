//! Logs: pretty for a terminal, JSON for a store; `RUST_LOG` narrows or widens them.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// What is shown when `RUST_LOG` is not set: ours from `info` on, everybody else's warnings. Lapin and sqlx report
/// an outage in several lines of its own; ours says it in one.
const DEFAULT_FILTER: &str = "warn,lapin=off,sqlx=off,shared=info,ingest=info,worker=info,standalone=info";

/// Starts logging for the process, to standard error. Further calls change nothing.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    // At `trace` this one writes the broker's URL, password included, so it is silent whatever is asked for.
    let filter = match "amq_protocol_tcp=off".parse() {
        Ok(silent) => filter.add_directive(silent),
        Err(_) => filter,
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A log that cannot be written (a full disk, a closed pipe) is no reason to stop: without this the
        // subscriber would report it with `eprintln!`, which panics.
        .log_internal_errors(false)
        // Colours are for eyes; in a file they are noise.
        .with_ansi(std::io::stderr().is_terminal());
    // A second subscriber is refused by `tracing`; tests that start several roles meet this.
    let _already_started = match format {
        LogFormat::Pretty => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}
