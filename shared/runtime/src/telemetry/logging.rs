//! Logs: pretty for a terminal, JSON for a store; `RUST_LOG` narrows or widens them.
//!
//! The message of a line is a constant sentence, by which it is found and counted; what varies is in the fields. An error
//! is the field `error`: it says in its `Display` what it came of as well, and nothing here prints chains of causes.

use std::io::IsTerminal;
use std::sync::Arc;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::discretion::{Discretion, OURS};
use crate::plain::{Colouring, Layout, PlainWriter};

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
    ingest=info,worker=info,console=info,standalone=info";

/// The name that stands for them.
const ALL_OF_OURS: &str = "larkfire";
/// What everybody else says where `RUST_LOG` speaks of ours only.
const OTHERS: &str = "warn,lapin=off,sqlx=off";

/// What `RUST_LOG` asks for, with `larkfire` as a name for all of ours: `larkfire=debug`, `info,larkfire=debug`.
fn asked_for(variable: &str) -> String {
    let directives: Vec<&str> = variable.split(',').map(str::trim).collect();
    let of_all = |directive: &&str| {
        directive.strip_prefix(ALL_OF_OURS).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    if !directives.iter().any(of_all) {
        return variable.to_owned();
    }
    let each = directives.iter().flat_map(|directive| match directive.strip_prefix(ALL_OF_OURS) {
        Some(rest) if of_all(directive) => OURS.map(|ours| format!("{ours}{rest}")).to_vec(),
        Some(_) | None => vec![(*directive).to_owned()],
    });
    std::iter::once(OTHERS.to_owned()).chain(each).collect::<Vec<_>>().join(",")
}

/// The filter of a process's log, which can be changed while it runs. Clones change the same one.
#[derive(Clone)]
pub struct LogFilter(Arc<LogFilterState>);

struct LogFilterState {
    /// What it is without a change.
    configured: String,
    /// Puts another in its place. Fails only where nothing is logged any more.
    replace: Box<dyn Fn(EnvFilter) -> bool + Send + Sync>,
}

impl LogFilter {
    /// What is logged without a change.
    pub fn configured(&self) -> &str {
        &self.0.configured
    }

    /// Logs this from now on, with the same words as `RUST_LOG`.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn set(&self, asked: &str) -> Result<(), String> {
        let filter = EnvFilter::try_new(asked_for(asked)).map_err(|error| error.to_string())?;
        let _is_logging = (self.0.replace)(filter);
        Ok(())
    }

    /// Logs what is configured.
    pub(super) fn reset(&self) {
        let _is_logging = (self.0.replace)(EnvFilter::new(&self.0.configured));
    }

    /// One that changes nothing.
    #[cfg(test)]
    pub(super) fn unused(configured: &str) -> Self {
        let replace = Box::new(|_: EnvFilter| true);
        Self(Arc::new(LogFilterState { configured: configured.to_owned(), replace }))
    }
}

/// Starts logging for the process, to standard error. A further call changes nothing, and what it returns does not either.
pub fn start(format: LogFormat) -> LogFilter {
    let asked = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|asked| !asked.trim().is_empty());
    let asked = asked.map(|asked| asked_for(&asked)).filter(|asked| EnvFilter::try_new(asked).is_ok());
    let configured = asked.unwrap_or_else(|| DEFAULT_FILTER.to_owned());
    let has_colours = wants_colours(&std::io::stderr());
    let colouring = if has_colours { Colouring::Allowed } else { Colouring::None };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&configured))
        // Whatever an alert says, it neither forges a line nor speaks to the terminal.
        .with_writer(move || PlainWriter::new(std::io::stderr(), Layout::Record, colouring))
        // A log that cannot be written (a full disk, a closed pipe) is no reason to stop: without this the
        // subscriber would report it with `eprintln!`, which panics.
        .log_internal_errors(false)
        // Colours are for eyes; in a file they are noise, and some want none (no-color.org).
        .with_ansi(has_colours);
    // A second subscriber is refused by `tracing`; tests that start several roles meet this.
    let replace: Box<dyn Fn(EnvFilter) -> bool + Send + Sync> = match format {
        LogFormat::Pretty => {
            let lines = lines.with_target(false).with_filter_reloading();
            let handle = lines.reload_handle();
            let _already_started = lines.finish().with(Discretion).try_init();
            Box::new(move |filter| handle.reload(filter).is_ok())
        }
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_filter_reloading();
            let handle = lines.reload_handle();
            let _already_started = lines.finish().with(Discretion).try_init();
            Box::new(move |filter| handle.reload(filter).is_ok())
        }
    };
    LogFilter(Arc::new(LogFilterState { configured, replace }))
}

/// Whether whoever reads this wants colours: a terminal that does not say `NO_COLOR` (no-color.org: any value but an empty one).
pub fn wants_colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::Directive;

    use super::*;

    #[test]
    fn larkfire_stands_for_all_of_ours_and_leaves_the_others_as_they_are() {
        let asked = asked_for("larkfire=debug");
        assert!(asked.starts_with("warn,lapin=off,sqlx=off,"), "{asked}");
        assert!(asked.contains("worker=debug") && asked.contains("queue_sqlite=debug"), "{asked}");
        assert!(
            asked_for("info, larkfire")
                .ends_with(",info,config,console,ingest,model,queue,queue_sqlite,runtime,standalone,worker")
        );
        for other in ["debug", "worker::delivery=debug", "larkfires=debug", "hyper=info,worker=warn"] {
            assert_eq!(asked_for(other), other);
        }
        for asked in [asked, asked_for("trace,larkfire=info")] {
            assert!(EnvFilter::try_new(&asked).is_ok(), "{asked}");
        }
    }

    #[test]
    fn every_part_of_the_default_filter_is_one() {
        for part in DEFAULT_FILTER.split(',') {
            let directive: Result<Directive, _> = part.parse();
            assert!(directive.is_ok_and(|parsed| parsed.to_string() == part), "{part:?}");
        }
    }
}
