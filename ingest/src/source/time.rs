//! Times as senders write them. Whatever cannot be read is no time, and never a reason to refuse an alert. Pure.

use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

/// Go's zero time is in the year 1, and stands for "none" in whatever zone it is written. This is the year 2.
const FIRST_REAL_TIME: Timestamp = Timestamp::constant(-62_104_060_800, 0);
/// A number that would be a time in or after the year 2200 is in another unit, or is none.
const FIRST_UNLIKELY_TIME: Timestamp = Timestamp::constant(7_258_118_400, 0);
/// Nobody counted microseconds before the year 2000: such a number is something else.
const FIRST_FINE_TIME: Timestamp = Timestamp::constant(946_684_800, 0);
/// Digits of a time written without anything between them.
const COMPACT_DIGITS: usize = 14;
/// Unix times are told apart by their size: as milliseconds this is 1973, as seconds the year 5138.
const SECONDS_MAX: i64 = 100_000_000_000;

/// An instant: RFC 3339 with any offset and up to nanoseconds, Go's print form (`2022-09-07 15:00:26.7 +0200 CEST m=+1.5`),
/// RFC 1123, Unix seconds (also with a fraction), milliseconds, microseconds or nanoseconds; or without a zone, and then in
/// `zone`. `None` for the zero time.
pub(super) fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let time = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| go_print_form(text))
        .or_else(|| compact(text, zone))
        .or_else(|| unix(text))
        .or_else(|| local(text, zone))
        .or_else(|| rfc2822::parse(text).ok().map(|time| time.timestamp()))?;
    (time >= FIRST_REAL_TIME).then_some(time)
}

/// `2026-11-29 22:30:00`, with other separators, or with `UTC` behind it.
fn local(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let utc = text.strip_suffix("UTC").or_else(|| text.strip_suffix("GMT"));
    let written = utc.unwrap_or(text).trim().replace(['/', '年', '月'], "-").replace('日', " ");
    let words: Vec<_> = written.split_ascii_whitespace().collect();
    let time = words.join(" ").parse::<DateTime>().ok()?;
    if utc.is_some() { TimeZone::UTC.to_timestamp(time) } else { zone.to_timestamp(time) }.ok()
}

/// `20261129223000`, which as a number of milliseconds would be far off.
fn compact(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if text.len() != COMPACT_DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let time = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    zone.to_timestamp(time).ok()
}

/// The time as RFC 3339 with the offset it has in `zone`, to the second.
pub(super) fn shown(time: Timestamp, zone: &TimeZone) -> String {
    let seconds = time.round(Unit::Second).unwrap_or(time);
    seconds.display_with_offset(zone.to_offset(time)).to_string()
}

fn go_print_form(text: &str) -> Option<Timestamp> {
    let mut words = text.split_ascii_whitespace();
    let date = words.next()?;
    let time = words.next()?;
    let offset = words.next()?;
    strtime::parse("%Y-%m-%d %H:%M:%S%.f %z", format!("{date} {time} {offset}")).ok()?.to_timestamp().ok()
}

fn unix(text: &str) -> Option<Timestamp> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let number = whole.parse::<i64>().ok().filter(|number| *number > SECONDS_MAX / 1000)?;
    if number < SECONDS_MAX {
        let fraction = text.get(whole.len()..).filter(|fraction| fraction.len() > 1);
        let nanoseconds =
            fraction.map_or(Some(0.0), |fraction| format!("0{fraction}").parse::<f64>().ok())? * 1e9;
        #[expect(clippy::cast_possible_truncation, reason = "below a thousand million")]
        let nanoseconds = nanoseconds as i32;
        return before_unlikely(Timestamp::new(number, nanoseconds).ok()?);
    }
    let in_unit = |unit: i128| before_unlikely(Timestamp::from_nanosecond(i128::from(number) * unit).ok()?);
    let is_recent = |time: &Timestamp| *time >= FIRST_FINE_TIME;
    in_unit(1_000_000).or_else(|| in_unit(1_000).filter(is_recent)).or_else(|| in_unit(1).filter(is_recent))
}

fn before_unlikely(time: Timestamp) -> Option<Timestamp> {
    (time < FIRST_UNLIKELY_TIME).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shanghai() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

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
            ("1705314600500000", "2024-01-15T10:30:00.5Z"),
            ("1705314600500000000", "2024-01-15T10:30:00.5Z"),
            ("1705314600.5", "2024-01-15T10:30:00.5Z"),
            ("1705314600.", "2024-01-15T10:30:00Z"),
            ("Mon, 15 Jan 2024 10:30:00 GMT", "2024-01-15T10:30:00Z"),
            ("Mon, 15 Jan 2024 18:30:00 +0800", "2024-01-15T10:30:00Z"),
            ("2024-01-15 10:30:00 UTC", "2024-01-15T10:30:00Z"),
        ];
        for (text, expected) in forms {
            assert_eq!(instant(text, &shanghai()), Some(expected.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_zero_time_is_no_time() {
        let zeros = ["0001-01-01T00:00:00Z", "0001-01-01T08:00:00+08:00", "0001-01-01 00:00:00 +0000 UTC"];
        for text in zeros.into_iter().chain(["", "soon", "0", "-1", "99999999999999", "20261329223000"]) {
            assert_eq!(instant(text, &TimeZone::UTC), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_read_in_the_configured_one() {
        let zone = shanghai();
        let expected: Timestamp = "2023-08-01T06:30:00Z".parse().unwrap();
        for text in [
            "2023-08-01T14:30:00",
            "2023-08-01 14:30:00",
            "2023/08/01 14:30",
            "2023-08-01T06:30:00Z",
            "20230801143000",
            "2023年08月01日 14:30:00",
        ] {
            assert_eq!(instant(text, &zone), Some(expected), "{text}");
        }
        for text in ["1690871400", "1690871400000"] {
            assert_eq!(instant(text, &zone), Some(expected), "{text}");
        }
        assert_eq!(shown(expected, &zone), "2023-08-01T14:30:00+08:00");
        assert_eq!(instant("下午两点半", &zone), None);
    }
}
