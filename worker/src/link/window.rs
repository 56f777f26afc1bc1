//! The time around an alert. Pure.

use std::time::Duration;

use jiff::Timestamp;
use model::alert::{Alert, Status};

use super::LinkContext;

/// The longest time that is looked at, in milliseconds. Loki refuses more than its `max_query_length` (30 days unless
/// set), and a day of logs is more than anybody reads.
const WINDOW_MAX: i64 = 24 * 3_600 * 1_000;
/// The label of the time a message gives (告警时间).
const TIME: &str = "time";

/// From when to when, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeWindow {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// From `before` the alert began until `after` it began, or ended if it is over. A clock that is ahead of ours does
/// not move the window into the future, where there is nothing.
pub(super) fn around(
    alert: &Alert<'_>,
    arrival: LinkContext<'_>,
    before: Duration,
    after: Duration,
) -> TimeWindow {
    let began = began(alert, arrival.received_at).min(arrival.now);
    let ended = match (alert.status, alert.ends_at) {
        (Status::Resolved, Some(ended)) => ended.clamp(began, arrival.now.max(began)),
        (Status::Resolved, None) | (Status::Firing, _) => began,
    };
    let from = began.as_millisecond().saturating_sub(milliseconds(before));
    let to = ended.as_millisecond().saturating_add(milliseconds(after));
    TimeWindow { from, to: to.min(from.saturating_add(WINDOW_MAX)) }
}

/// When it began: a message without a time, or with one nobody can read, began when it came.
fn began(alert: &Alert<'_>, received_at: Timestamp) -> Timestamp {
    let written = || alert.labels.get(TIME).and_then(|time| time.parse().ok());
    alert.starts_at.or_else(written).unwrap_or(received_at)
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
