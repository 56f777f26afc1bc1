//! When it began, when it ended, how long it took.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use shared::alert::{Alert, Status};

use super::words::Words;

/// A point in time as people write it in the configured zone.
pub(super) fn shown(at: Timestamp, timezone: &TimeZone) -> String {
    at.to_zoned(timezone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// When it began and when it ended, each with its name; nothing where the source has no times.
pub(super) fn points(alert: &Alert<'_>, words: &Words, timezone: &TimeZone) -> Vec<(&'static str, String)> {
    let Some(started) = alert.starts_at else { return Vec::new() };
    let ended = alert.ends_at.filter(|_| alert.status == Status::Resolved);
    let points = [(words.started, Some(started)), (words.ended, ended)];
    points.into_iter().filter_map(|(name, at)| Some((name, shown(at?, timezone)))).collect()
}

/// How long it has lasted, or lasted, with its name; nothing where that is not known.
pub(super) fn span(alert: &Alert<'_>, words: &Words, now: Timestamp) -> Option<(&'static str, String)> {
    let name = match alert.status {
        Status::Firing => words.lasts,
        Status::Resolved => words.lasted,
    };
    Some((name, words.duration(length(alert, now)?)))
}

/// The same as a length of time.
pub(super) fn length(alert: &Alert<'_>, now: Timestamp) -> Option<SignedDuration> {
    let started = alert.starts_at?;
    match alert.status {
        Status::Firing => Some(now.duration_since(started)),
        Status::Resolved => Some(alert.ends_at?.duration_since(started)),
    }
}

/// All of it in one list.
pub(super) fn facts(
    alert: &Alert<'_>,
    words: &Words,
    timezone: &TimeZone,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let mut facts = points(alert, words, timezone);
    facts.extend(span(alert, words, now));
    facts
}
