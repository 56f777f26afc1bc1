//! Which time is looked at.

use std::time::Duration;

use super::window::{TimeWindow, around};
use super::*;

const FIVE: Duration = Duration::from_mins(5);

fn looked_at(alert: &Alert<'_>, arrival: LinkContext<'_>) -> (String, String) {
    let TimeWindow { from, to } = around(alert, arrival, FIVE, FIVE);
    let shown = |time| Timestamp::from_millisecond(time).unwrap().to_string();
    (shown(from), shown(to))
}

#[test]
fn logs_are_shown_from_five_minutes_before_to_five_minutes_after() {
    let start = "2024-01-15T10:30:00Z";
    let now = "2024-01-15T11:00:00Z";
    for (status, ends_at, from, to) in [
        (Status::Firing, None, "2024-01-15T10:25:00Z", "2024-01-15T10:35:00Z"),
        (Status::Firing, Some(now), "2024-01-15T10:25:00Z", "2024-01-15T10:35:00Z"),
        (Status::Resolved, Some("2024-01-15T10:50:00Z"), "2024-01-15T10:25:00Z", "2024-01-15T10:55:00Z"),
        (Status::Resolved, None, "2024-01-15T10:25:00Z", "2024-01-15T10:35:00Z"),
        // An end before the beginning, and one that is still to come.
        (Status::Resolved, Some("2024-01-15T10:00:00Z"), "2024-01-15T10:25:00Z", "2024-01-15T10:35:00Z"),
        (Status::Resolved, Some("2034-01-15T10:00:00Z"), "2024-01-15T10:25:00Z", "2024-01-15T11:05:00Z"),
    ] {
        let alert = Alert { status, starts_at: Some(at(start)), ends_at: ends_at.map(at), ..alert(&[]) };
        assert_eq!(looked_at(&alert, arrival()), (from.to_owned(), to.to_owned()), "{status:?} {ends_at:?}");
    }
}

#[test]
fn the_time_of_a_message_counts_and_one_nobody_can_read_is_when_it_came() {
    for (labels, from) in [
        (vec![("time", "2024-01-15T18:00:00+08:00")], "2024-01-15T09:55:00Z"),
        (vec![("time", "刚才")], "2024-01-15T10:25:01Z"),
        (vec![("time", "2054-01-15T18:00:00+08:00")], "2024-01-15T10:55:00Z"),
        (vec![], "2024-01-15T10:25:01Z"),
    ] {
        let alert = Alert { starts_at: None, ..alert(&labels) };
        assert_eq!(looked_at(&alert, message()).0, from, "{labels:?}");
    }
}

#[test]
fn loki_is_never_asked_about_more_than_a_day() {
    let started = at("2019-01-15T10:30:00Z");
    let alert = Alert {
        status: Status::Resolved,
        starts_at: Some(started),
        ends_at: Some(arrival().now),
        ..alert(&[])
    };
    let (from, to) = looked_at(&alert, arrival());
    assert_eq!((from.as_str(), to.as_str()), ("2019-01-15T10:25:00Z", "2019-01-16T10:25:00Z"));
    let extreme = Alert { starts_at: Some(Timestamp::MIN), ..alert };
    let window = around(&extreme, arrival(), Duration::MAX, Duration::MAX);
    assert!(window.from < window.to);
}
