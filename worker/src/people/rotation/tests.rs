//! Turns over the ends of years, leap days and changes of the clocks.

use config::RotationOverride;
use jiff::civil::datetime;
use proptest::prelude::*;

use super::*;

fn rotation(every: RotationTurn, starts: &str, timezone: &str) -> Rotation {
    Rotation {
        name: "oncall".to_owned(),
        people: ["ann", "bob", "eve"].map(str::to_owned).into(),
        every,
        starts: starts.parse().unwrap(),
        timezone: Some(TimeZone::get(timezone).unwrap()),
        overrides: Vec::new(),
        calendar_token: None,
    }
}

fn at(rotation: &Rotation, now: &str) -> String {
    on_duty(rotation, &[], &TimeZone::UTC, now.parse().unwrap()).unwrap().to_owned()
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
    assert_eq!(on_duty(&daily, &[], &TimeZone::UTC, now), Some("ann"));
    assert_eq!(on_duty(&daily, &[], &TimeZone::get("Asia/Shanghai").unwrap(), now), Some("bob"));
}

proptest! {
    #[test]
    fn somebody_is_always_on_duty_and_a_turn_never_comes_back(from in 0_i64..4_000_000_000, later in 0_i64..86_400) {
        let daily = rotation(RotationTurn::Day, "2024-10-26T02:30", "America/New_York");
        let zone = TimeZone::get("America/New_York").unwrap();
        let moment = |second| Timestamp::from_second(second).unwrap();
        let days = |second| days_since(daily.starts, &zone, moment(second));
        prop_assert!(on_duty(&daily, &[], &zone, moment(from)).is_some());
        prop_assert!(days(from) <= days(from + later) && days(from + later) <= days(from) + 2);
    }
}

#[test]
fn whoever_stands_in_is_on_duty_until_that_ends_and_an_agreement_goes_before_the_configuration() {
    let mut weekly = rotation(RotationTurn::Week, "2024-01-15T10:00", "Asia/Shanghai");
    weekly.overrides.push(RotationOverride {
        person: "kim".to_owned(),
        from: datetime(2024, 1, 16, 10, 0, 0, 0),
        until: datetime(2024, 1, 17, 10, 0, 0, 0),
    });
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let swap = |rotation: &str| Swap {
        rotation: rotation.to_owned(),
        person: "lee".to_owned(),
        from: at("2024-01-17T08:00:00+08:00"),
        until: at("2024-01-22T12:00:00+08:00"),
    };
    let swaps = [swap("another"), swap("oncall")];
    let who = |now| on_duty(&weekly, &swaps, &TimeZone::UTC, at(now)).unwrap();
    assert_eq!(who("2024-01-16T09:59:59+08:00"), "ann");
    assert_eq!(who("2024-01-16T10:00:00+08:00"), "kim");
    assert_eq!(who("2024-01-17T08:00:00+08:00"), "lee");
    assert_eq!(who("2024-01-22T11:59:59+08:00"), "lee");
    assert_eq!(who("2024-01-22T12:00:00+08:00"), "bob");
    let listed = shifts(
        &weekly,
        &swaps,
        &TimeZone::UTC,
        at("2024-01-15T10:00:00+08:00"),
        at("2024-01-30T00:00:00+08:00"),
    );
    let listed: Vec<_> = listed.iter().map(|shift| shift.person).collect();
    assert_eq!(listed, ["ann", "kim", "lee", "bob", "eve"]);
    let next = next_on_duty(&weekly, &swaps, &TimeZone::UTC, at("2024-01-18T00:00:00+08:00")).unwrap();
    assert_eq!((next.person, next.from), ("bob", at("2024-01-22T12:00:00+08:00")));
}

#[test]
fn of_one_person_nobody_is_next() {
    let alone =
        Rotation { people: vec!["ann".to_owned()], ..rotation(RotationTurn::Day, "2024-01-15", "UTC") };
    assert_eq!(next_on_duty(&alone, &[], &TimeZone::UTC, Timestamp::UNIX_EPOCH), None);
}

proptest! {
    /// Whatever zone, start and time: the turns that are listed follow each other without a gap, and whoever is listed for a moment
    /// is who is on duty then.
    #[test]
    fn what_is_listed_is_what_happens(
        from in 1_600_000_000_i64..2_000_000_000,
        moments in proptest::collection::vec(0_i64..40 * 86_400, 20),
        zone in 0_usize..4,
        weekly in any::<bool>(),
        hour in 0_i8..24,
        swap in (0_i64..20 * 86_400, 1_i64..10 * 86_400),
    ) {
        let zone = ["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"][zone];
        let every = if weekly { RotationTurn::Week } else { RotationTurn::Day };
        let rotation = Rotation {
            starts: datetime(2024, 2, 29, hour, 30, 0, 0),
            ..rotation(every, "2024-02-29T00:00", zone)
        };
        let moment = |second| Timestamp::from_second(second).unwrap();
        let swaps = [Swap {
            rotation: rotation.name.clone(),
            person: "lee".to_owned(),
            from: moment(from + swap.0),
            until: moment(from + swap.0 + swap.1),
        }];
        let until = from + 40 * 86_400;
        let listed = shifts(&rotation, &swaps, &TimeZone::UTC, moment(from), moment(until));
        prop_assert_eq!(listed.first().map(|shift| shift.from), Some(moment(from)));
        prop_assert_eq!(listed.last().map(|shift| shift.until), Some(moment(until)));
        for pair in listed.windows(2) {
            prop_assert_eq!(pair[0].until, pair[1].from);
            prop_assert_ne!(pair[0].person, pair[1].person);
        }
        for second in moments {
            let at = moment(from + second);
            let now = on_duty(&rotation, &swaps, &TimeZone::UTC, at).unwrap();
            let shift = listed.iter().find(|shift| (shift.from..shift.until).contains(&at)).unwrap();
            prop_assert_eq!(shift.person, now);
        }
    }
}
