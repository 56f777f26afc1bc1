//! The story of a seed that failed: what happened, in order, and of many alerts only the one that matters.

use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::check::Violation;
use crate::world::World;

/// What was written down, and what was found.
pub(crate) struct FailureReport {
    pub(crate) text: String,
    pub(crate) violations: Vec<Violation>,
}

/// All of it.
pub(crate) fn whole(story: &FailureReport) -> String {
    let FailureReport { text, violations } = story;
    let found: Vec<_> = violations.iter().map(ToString::to_string).collect();
    let found = if found.is_empty() { "nothing was found".to_owned() } else { found.join("\n") };
    format!("{text}\n{found}")
}

/// What concerns the alert of the first thing that was found: lines that name one of its states or envelopes, and what
/// happened to everybody.
pub(crate) fn of_first_violation(story: &FailureReport) -> String {
    let FailureReport { text, violations } = story;
    let Some(first) = violations.first() else {
        return "run again, nothing was found: the seed cannot be repeated".to_owned();
    };
    let about =
        first.alert().map_or_else(String::new, |alert| format!(" (alert {alert} is \"Alert{alert}\")"));
    format!("the story of: {first}{about}\n{text}")
}

/// Adds what the processes log to the story, for as long as the guard lives.
pub(crate) fn follow_logs(world: &World) -> DefaultGuard {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_writer(Lines(world.clone()))
        .finish();
    tracing::subscriber::set_default(subscriber)
}

struct Lines(World);

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Line<'w>;

    fn make_writer(&'w self) -> Line<'w> {
        Line(&self.0)
    }
}

struct Line<'w>(&'w World);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.say(|| format!("  log: {}", text.trim_end()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
