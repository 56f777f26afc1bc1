//! When it began, when it ended, how long it took.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::alert::{Alert, Status};

use super::words::Words;

/// A point in time as people write it in the configured zone.
pub(super) fn shown(at: Timestamp, timezone: &TimeZone) -> String {
    at.to_zoned(timezone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The facts about time, each with its name; none where the source has no times.
pub(super) fn facts(
    alert: &Alert<'_>,
    words: &Words,
    timezone: &TimeZone,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let Some(started) = alert.starts_at else { return Vec::new() };
    let mut facts = vec![(words.started, shown(started, timezone))];
    match (alert.status, alert.ends_at) {
        (Status::Firing, _) => facts.push((words.lasts, words.duration(now.duration_since(started)))),
        (Status::Resolved, Some(ended)) => {
            facts.push((words.ended, shown(ended, timezone)));
            facts.push((words.lasted, words.duration(ended.duration_since(started))));
        }
        (Status::Resolved, None) => {}
    }
    facts
}
