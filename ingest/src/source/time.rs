//! Times as senders write them. Whatever cannot be read is no time, and never a reason to refuse an alert.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

/// Go's zero time is in the year 1, and stands for "none" in whatever zone it is written. This is the year 2.
const FIRST_REAL_TIME: Timestamp = Timestamp::constant(-62_104_060_800, 0);
/// Unix times are told apart by their size: as milliseconds this is 1973, as seconds the year 5138.
const SECONDS_MAX: i64 = 100_000_000_000;

/// An instant with a zone of its own: RFC 3339 with any offset and up to nanoseconds, Go's print form
/// (`2022-09-07 15:00:26.7 +0200 CEST m=+1.5`), or Unix seconds or milliseconds. `None` for the zero time.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let time = text.parse::<Timestamp>().ok().or_else(|| go_print_form(text)).or_else(|| unix(text))?;
    (time >= FIRST_REAL_TIME).then_some(time)
}

/// A time written for people: as `instant`, or without a zone and then in `zone`.
pub(super) fn written(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    instant(text).or_else(|| {
        let local = text.replace('/', "-").parse::<DateTime>().ok()?;
        zone.to_timestamp(local).ok()
    })
}

/// The time as RFC 3339 with the offset it has in `zone`, to the second.
pub(super) fn shown(time: Timestamp, zone: &TimeZone) -> String {
    let seconds = time.round(Unit::Second).unwrap_or(time);
    seconds.display_with_offset(zone.to_offset(time)).to_string()
}

fn go_print_form(text: &str) -> Option<Timestamp> {
    let mut words = text.split_ascii_whitespace();
    let (date, time, offset) = (words.next()?, words.next()?, words.next()?);
    strtime::parse("%Y-%m-%d %H:%M:%S%.f %z", format!("{date} {time} {offset}")).ok()?.to_timestamp().ok()
}

fn unix(text: &str) -> Option<Timestamp> {
    let number = text.parse::<i64>().ok().filter(|number| *number > SECONDS_MAX / 1000)?;
    if number < SECONDS_MAX {
        Timestamp::from_second(number).ok()
    } else {
        Timestamp::from_millisecond(number).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_every_form_senders_use() {
        let forms = [
            ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z"),
            ("2018-03-07T06:33:21.873077559-05:00", "2018-03-07T11:33:21.873077559Z"),
            ("2021-03-30T20:17:50.814674209+08:00", "2021-03-30T12:17:50.814674209Z"),
            (
                "2022-09-07 15:00:26.722304913 +0200 CEST m=+246580.963796811",
                "2022-09-07T13:00:26.722304913Z",
            ),
            ("2022-09-07 15:00:26 +0000 UTC", "2022-09-07T15:00:26Z"),
            ("2024-01-15t10:30:00z", "2024-01-15T10:30:00Z"),
            ("2024-01-15T18:30:00.5+0800", "2024-01-15T10:30:00.5Z"),
            ("1705314600", "2024-01-15T10:30:00Z"),
            ("1705314600500", "2024-01-15T10:30:00.5Z"),
        ];
        for (text, expected) in forms {
            assert_eq!(instant(text), Some(expected.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_zero_time_is_no_time() {
        let zeros = ["0001-01-01T00:00:00Z", "0001-01-01T08:00:00+08:00", "0001-01-01 00:00:00 +0000 UTC"];
        for text in zeros.into_iter().chain(["", "soon", "0", "-1", "2024-01-15T10:30:00"]) {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_read_in_the_configured_one() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let expected: Timestamp = "2023-08-01T06:30:00Z".parse().unwrap();
        for text in ["2023-08-01T14:30:00", "2023-08-01 14:30:00", "2023/08/01 14:30", "2023-08-01T06:30:00Z"]
        {
            assert_eq!(written(text, &zone), Some(expected), "{text}");
        }
        for text in ["1690871400", "1690871400000"] {
            assert_eq!(written(text, &zone), Some(expected), "{text}");
        }
        assert_eq!(shown(expected, &zone), "2023-08-01T14:30:00+08:00");
        assert_eq!(written("下午两点半", &zone), None);
    }
}
