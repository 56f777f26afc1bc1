//! Whose turn it is. Pure.

use config::{Rotation, RotationTurn};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Unit};

/// Whose turn it is at `now`; `zone` is for rotations without one of their own. Before its start a rotation counts
/// backwards, so that it never has nobody.
pub(super) fn on_duty<'r>(rotation: &'r Rotation, zone: &TimeZone, now: Timestamp) -> Option<&'r str> {
    let zone = rotation.timezone.as_ref().unwrap_or(zone);
    let days = days_since(rotation.starts, zone, now);
    let turn = match rotation.every {
        RotationTurn::Day => days,
        RotationTurn::Week => days.div_euclid(7),
    };
    let people = i64::try_from(rotation.people.len()).ok().filter(|people| *people > 0)?;
    let place = usize::try_from(turn.rem_euclid(people)).ok()?;
    rotation.people.get(place).map(String::as_str)
}

/// Whole days by the calendar, which are 23 or 25 hours long where the clocks change.
fn days_since(starts: DateTime, zone: &TimeZone, now: Timestamp) -> i64 {
    let today = now.to_zoned(zone.clone()).date();
    let days = starts.date().until((Unit::Day, today)).as_ref().map_or(0, Span::get_days);
    // Compared as moments: an hour that the clocks show twice would give the turn back.
    let is_over = handover(today, starts, zone).is_none_or(|handover| handover <= now);
    i64::from(days) - i64::from(!is_over)
}

fn handover(day: Date, starts: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    Some(day.to_datetime(starts.time()).to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rotation(every: RotationTurn, starts: &str, timezone: &str) -> Rotation {
        Rotation {
            name: "oncall".to_owned(),
            people: ["ann", "bob", "eve"].map(str::to_owned).into(),
            every,
            starts: starts.parse().unwrap(),
            timezone: Some(TimeZone::get(timezone).unwrap()),
        }
    }

    fn at(rotation: &Rotation, now: &str) -> String {
        on_duty(rotation, &TimeZone::UTC, now.parse().unwrap()).unwrap().to_owned()
    }

    #[test]
    fn weeks_go_on_over_the_end_of_a_year() {
        let weekly = rotation(RotationTurn::Week, "2024-12-16T09:00", "Asia/Shanghai");
        for (now, who) in [
            ("2024-12-16T08:59:59+08:00", "eve"),
            ("2024-12-16T09:00:00+08:00", "ann"),
            ("2024-12-23T09:00:00+08:00", "bob"),
            ("2024-12-31T23:59:59+08:00", "eve"),
            ("2025-01-01T00:00:00+08:00", "eve"),
            ("2025-01-06T08:59:59+08:00", "eve"),
            ("2025-01-06T09:00:00+08:00", "ann"),
        ] {
            assert_eq!(at(&weekly, now), who, "{now}");
        }
    }

    #[test]
    fn a_leap_day_is_a_day() {
        let daily = rotation(RotationTurn::Day, "2024-02-28T00:00", "UTC");
        let days = ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"];
        assert_eq!(days.map(|day| at(&daily, &format!("{day}T12:00:00Z"))), ["ann", "bob", "eve", "ann"]);
    }

    #[test]
    fn a_turn_changes_at_the_same_time_of_day_when_the_clocks_change() {
        let daily = rotation(RotationTurn::Day, "2024-03-30T09:00", "Europe/Berlin");
        // The night to the 31st is an hour short: 09:00 is 07:00 UTC instead of 08:00.
        for (now, who) in [
            ("2024-03-30T08:00:00Z", "ann"),
            ("2024-03-31T06:59:59Z", "ann"),
            ("2024-03-31T07:00:00Z", "bob"),
            ("2024-04-01T06:59:59Z", "bob"),
            ("2024-04-01T07:00:00Z", "eve"),
        ] {
            assert_eq!(at(&daily, now), who, "{now}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_or_never_hands_over_once() {
        // 02:30 comes twice on 2024-10-27, and not at all on 2024-03-31.
        let autumn = rotation(RotationTurn::Day, "2024-10-26T02:30", "Europe/Berlin");
        for (now, who) in [
            ("2024-10-27T00:29:59Z", "ann"),
            ("2024-10-27T00:30:00Z", "bob"),
            ("2024-10-27T01:10:00Z", "bob"),
            ("2024-10-27T01:30:00Z", "bob"),
        ] {
            assert_eq!(at(&autumn, now), who, "{now}");
        }
        let spring = rotation(RotationTurn::Day, "2024-03-30T02:30", "Europe/Berlin");
        assert_eq!(at(&spring, "2024-03-31T00:59:59Z"), "ann");
        assert_eq!(at(&spring, "2024-03-31T01:30:00Z"), "bob");
    }

    #[test]
    fn without_a_zone_of_its_own_it_goes_by_the_cards() {
        let daily = Rotation { timezone: None, ..rotation(RotationTurn::Day, "2024-01-15", "UTC") };
        let now = "2024-01-15T20:00:00Z".parse().unwrap();
        assert_eq!(on_duty(&daily, &TimeZone::UTC, now), Some("ann"));
        assert_eq!(on_duty(&daily, &TimeZone::get("Asia/Shanghai").unwrap(), now), Some("bob"));
    }

    proptest! {
        #[test]
        fn somebody_is_always_on_duty_and_a_turn_never_comes_back(from in 0_i64..4_000_000_000, later in 0_i64..86_400) {
            let daily = rotation(RotationTurn::Day, "2024-10-26T02:30", "America/New_York");
            let zone = TimeZone::get("America/New_York").unwrap();
            let moment = |second| Timestamp::from_second(second).unwrap();
            let days = |second| days_since(daily.starts, &zone, moment(second));
            prop_assert!(on_duty(&daily, &zone, moment(from)).is_some());
            prop_assert!(days(from) <= days(from + later) && days(from + later) <= days(from) + 2);
        }
    }
}
