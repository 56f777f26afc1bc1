//! When it began, when it ended, how long it took. Pure.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::alert::{Alert, Status};

use super::escape::clean_line;
use super::group_view::TimeRange;
use super::i18n::Words;
use super::item::Item;

/// How much of a time that cannot be read is shown, in characters.
const GIVEN_CHARACTERS_MAX: usize = 60;

/// A point in time as people write it in the configured zone.
pub(super) fn shown(at: Timestamp, timezone: &TimeZone) -> String {
    at.to_zoned(timezone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// From the first point in time to the last; of the same day the time is enough.
pub(super) fn range(range: TimeRange, timezone: &TimeZone) -> String {
    let first = shown(range.first, timezone);
    let last = shown(range.last, timezone);
    if first == last {
        return first;
    }
    let (day, time) = last.split_once(' ').unwrap_or_default();
    let last = if first.starts_with(day) { time } else { &last };
    format!("{first} – {last}")
}

/// When it began and when it ended, each with its name; the time a message gives; nothing where the source has no times.
pub(super) fn points(item: &Item<'_>, words: &Words, timezone: &TimeZone) -> Vec<(&'static str, String)> {
    let alert = item.alert;
    let Some(started) = alert.starts_at else {
        let given = item.given_time().map(|given| match given.parse() {
            Ok(at) => shown(at, timezone),
            Err(_) => clean_line(given, GIVEN_CHARACTERS_MAX),
        });
        return given.map(|given| (words.time, given)).into_iter().collect();
    };
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
    item: &Item<'_>,
    words: &Words,
    timezone: &TimeZone,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let mut facts = points(item, words, timezone);
    facts.extend(span(item.alert, words, now));
    facts
}
