//! Logs: pretty for a terminal, JSON for a store; `RUST_LOG` narrows or widens them.
//!
//! The message of a line is a constant sentence, by which it is found and counted; what varies is in the fields. An error
//! is the field `error`: it says in its `Display` what it came of as well, and nothing here prints chains of causes.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How logs look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal.
    #[default]
    Pretty,
    /// One JSON object per line, for a log store.
    Json,
}

/// What is shown when `RUST_LOG` is not set: ours from `info` on, everybody else's warnings. Lapin and sqlx report
/// an outage in several lines of its own; ours says it in one.
const DEFAULT_FILTER: &str = "warn,lapin=off,sqlx=off,config=info,queue=info,queue_sqlite=info,runtime=info,\
    ingest=info,worker=info,standalone=info";

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

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::Directive;

    use super::*;

    #[test]
    fn every_part_of_the_default_filter_is_one() {
        for part in DEFAULT_FILTER.split(',') {
            let directive: Result<Directive, _> = part.parse();
            assert!(directive.is_ok_and(|parsed| parsed.to_string() == part), "{part:?}");
        }
    }
}
