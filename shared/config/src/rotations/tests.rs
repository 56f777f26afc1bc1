//! Rotations as they are written, and when their first turn begins.

use jiff::civil::datetime;

use crate::{Config, RotationTurn, parse};

fn read(text: &str) -> Result<Config, String> {
    parse("larkfire.yaml", text, std::iter::empty::<(&str, &str)>().collect())
        .map_err(|errors| errors.to_string())
}

#[test]
fn the_first_turn_begins_with_the_last_hand_over_before_the_first_day_is_over() {
    let text = "
rotations:
  monday: { people: [ann, bob], shift: 1w, hand_over: Mon 10:00, start: 2024-01-15 }
  thursday: { people: [ann, bob], shift: 1w, hand_over: 周四 09:30, start: 2024-01-15, timezone: Europe/Berlin }
  daily: { people: 'ann,bob', shift: 1d, hand_over: '08:00', start: 2024-02-29 }
  plain: { people: [ann], start: 2024-02-29 }
";
    let rotations = read(text).unwrap().rotations;
    let begins: Vec<_> =
        rotations.iter().map(|rotation| (rotation.name.as_str(), rotation.every, rotation.starts)).collect();
    assert_eq!(
        begins,
        [
            ("monday", RotationTurn::Week, datetime(2024, 1, 15, 10, 0, 0, 0)),
            ("thursday", RotationTurn::Week, datetime(2024, 1, 11, 9, 30, 0, 0)),
            ("daily", RotationTurn::Day, datetime(2024, 2, 29, 8, 0, 0, 0)),
            ("plain", RotationTurn::Week, datetime(2024, 2, 29, 0, 0, 0, 0)),
        ]
    );
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let text = "
rotations:
  a: { people: [ann], shift: 1d, hand_over: Mon 10:00, start: 2024-01-15 }
  b: { people: [ann], hand_over: soon, start: 2024-01-15 }
  c: { shift: 2w, start: yesterday }
  d:
    people: [ann]
    start: 2024-01-15
    overrides:
      - { person: bob, from: 2024-01-16, until: 2024-01-15 }
      - { person: bob }
";
    let problems = read(text).unwrap_err();
    for said in [
        "hand_over names a day",
        "a time, or a day and a time",
        "1d or 1w",
        "needs its people",
        "ends before it begins",
        "needs person, from and until",
    ] {
        assert!(problems.contains(said), "{said} is not in {problems}");
    }
}
