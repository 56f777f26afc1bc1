//! Turns as iCalendar (RFC 5545), for calendars that subscribe to them. Pure.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::people::rotation::Shift;

/// How far back turns are listed, in days.
pub const PAST_DAYS: i64 = 28;
/// How far ahead, in days.
pub const FUTURE_DAYS: i64 = 180;
/// The longest line, in bytes without its end (RFC 5545, 3.1).
const LINE_BYTES_MAX: usize = 75;
/// How much of a hash tells events apart.
const UID_BYTES: usize = 16;

/// A calendar of these turns. `now` is when it was made.
pub fn written(rotation: &str, shifts: &[Shift<'_>], now: Timestamp) -> String {
    let mut calendar = String::new();
    let mut line = |text: &str| fold(text, &mut calendar);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//Larkfire//On-call//EN");
    line("CALSCALE:GREGORIAN");
    line("METHOD:PUBLISH");
    line(&format!("NAME:{}", escaped(rotation)));
    line(&format!("X-WR-CALNAME:{}", escaped(rotation)));
    line("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
    for shift in shifts {
        line("BEGIN:VEVENT");
        line(&format!("UID:{}@larkfire", uid(rotation, shift)));
        line(&format!("DTSTAMP:{}", moment(now)));
        line(&format!("DTSTART:{}", moment(shift.from)));
        line(&format!("DTEND:{}", moment(shift.until)));
        line(&format!("SUMMARY:{}", escaped(&format!("{}: {}", rotation, shift.person))));
        line("TRANSP:TRANSPARENT");
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    calendar
}

/// The same for the same turn, whoever asks.
fn uid(rotation: &str, shift: &Shift<'_>) -> String {
    let mut hash = Sha256::new();
    for part in [rotation, shift.person, &shift.until.to_string()] {
        hash.update(part.as_bytes());
        hash.update([0xff]);
    }
    hex::encode(&hash.finalize()[..UID_BYTES])
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as a value (RFC 5545, 3.3.11). What controls a terminal is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

/// Adds a line in pieces of 75 bytes at most, none of which cuts a character (RFC 5545, 3.1).
fn fold(text: &str, calendar: &mut String) {
    let mut room = LINE_BYTES_MAX;
    for character in text.chars() {
        if character.len_utf8() > room {
            calendar.push_str("\r\n ");
            // The blank is of the line.
            room = LINE_BYTES_MAX - 1;
        }
        calendar.push(character);
        room -= character.len_utf8();
    }
    calendar.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shift(person: &str, from: i64, until: i64) -> Shift<'_> {
        let moment = |second| Timestamp::from_second(second).unwrap();
        Shift { person, from: moment(from), until: moment(until) }
    }

    /// What a reader makes of it: lines unfolded, escapes undone.
    fn read(calendar: &str) -> Vec<(String, String)> {
        let unfolded = calendar.replace("\r\n ", "");
        let pair = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            let mut plain = String::new();
            let mut characters = value.chars();
            while let Some(character) = characters.next() {
                let escaped = if character == '\\' { characters.next().unwrap() } else { character };
                plain.push(if character == '\\' && escaped == 'n' { '\n' } else { escaped });
            }
            (name.to_owned(), plain)
        };
        unfolded.split_terminator("\r\n").map(pair).collect()
    }

    #[test]
    fn a_turn_is_an_event() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let calendar = written("primary", &[shift("张三", 1_705_284_000, 1_705_888_800)], now);
        let lines = read(&calendar);
        let value =
            |name: &str| lines.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(value("SUMMARY"), Some("primary: 张三"));
        assert_eq!(value("DTSTART"), Some("20240115T020000Z"));
        assert_eq!(value("DTEND"), Some("20240122T020000Z"));
        assert_eq!(value("DTSTAMP"), Some("20231114T221320Z"));
        assert_eq!(
            lines.first().map(|(name, value)| (name.as_str(), value.as_str())),
            Some(("BEGIN", "VCALENDAR"))
        );
        assert_eq!(
            lines.last().map(|(name, value)| (name.as_str(), value.as_str())),
            Some(("END", "VCALENDAR"))
        );
    }

    #[test]
    fn the_same_turn_is_the_same_event_tomorrow() {
        let uid_of = |now| {
            let calendar =
                written("primary", &[shift("ann", 0, 604_800)], Timestamp::from_second(now).unwrap());
            read(&calendar).into_iter().find(|(name, _)| name == "UID").unwrap().1
        };
        assert_eq!(uid_of(1), uid_of(86_401));
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_every_name_is_read_as_it_was_written(person in "\\PC{0,200}", rotation in "[a-z;,\\\\张]{1,60}") {
            let calendar = written(&rotation, &[shift(&person, 0, 86_400)], Timestamp::UNIX_EPOCH);
            for line in calendar.split("\r\n") {
                prop_assert!(line.len() <= LINE_BYTES_MAX, "{line}");
            }
            let summary = read(&calendar).into_iter().find(|(name, _)| name == "SUMMARY").unwrap().1;
            prop_assert_eq!(summary, format!("{rotation}: {person}"));
        }
    }
}
