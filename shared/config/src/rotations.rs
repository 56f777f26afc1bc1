//! Settings of who is on call when: people who take turns, at which hour they hand over, and who stands in for whom.

#[cfg(test)]
mod tests;

use jiff::civil::{Date, DateTime, Time, Weekday};

use super::kinds::{Must, instead_of, text, timezone};
use super::owners::{moment, person};
use super::reader::{Reader, Section, key};
use super::{Rotation, RotationOverride, RotationTurn};

/// What stands for the days of a week, in both languages.
const WEEKDAYS: [(&str, &str, Weekday); 7] = [
    ("mon", "周一", Weekday::Monday),
    ("tue", "周二", Weekday::Tuesday),
    ("wed", "周三", Weekday::Wednesday),
    ("thu", "周四", Weekday::Thursday),
    ("fri", "周五", Weekday::Friday),
    ("sat", "周六", Weekday::Saturday),
    ("sun", "周日", Weekday::Sunday),
];
/// Overrides of one rotation: each is looked at whenever somebody is looked for.
const OVERRIDES_MAX: usize = 200;

/// Shorter tokens could be guessed.
const TOKEN_BYTES_MIN: usize = 16;

/// When a turn ends and the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ShiftHandover {
    /// Of a week; `None`: every day, or the day the rotation starts at.
    weekday: Option<Weekday>,
    time: Time,
}

/// The rotations of the file.
pub(super) fn read(reader: &Reader, root: &Section<'_>) -> Vec<Rotation> {
    let sections = root.sections("rotations").into_iter();
    sections.filter_map(|(name, section)| rotation(reader, name, section)).collect()
}

fn rotation(reader: &Reader, name: String, section: Section<'_>) -> Option<Rotation> {
    let people = section.values(key("people"), person);
    let every = section.value(key("shift"), shift).unwrap_or_default();
    let hand_over = section.value(key("hand_over"), hand_over);
    let start = section.value(key("start"), day);
    let timezone = section.value(key("timezone"), timezone);
    let calendar_token = section.secret(key("calendar_token"), calendar_token);
    let stand_ins = section.listed("overrides");
    if stand_ins.len() > OVERRIDES_MAX {
        reader.report(section.place_at("overrides"), format!("there may be at most {OVERRIDES_MAX}"));
    }
    let stand_ins = stand_ins.into_iter().take(OVERRIDES_MAX);
    let overrides = stand_ins.filter_map(|section| stand_in(reader, section)).collect();
    let place = section.place();
    let is_whole = section.is_set(key("people")) && section.is_set(key("start"));
    section.finish();
    if !is_whole {
        reader.report(place.clone(), "a rotation needs its people and the day it starts");
    }
    if every == RotationTurn::Day && hand_over.is_some_and(|at| at.weekday.is_some()) {
        reader.report(place, "hand_over names a day of the week, and a shift is a day: write the time alone");
    }
    let starts = begins(start?, hand_over);
    let rotation = Rotation { name, people, every, starts, timezone, overrides, calendar_token };
    (!rotation.people.is_empty()).then_some(rotation)
}

/// The hand-over with which the first one's turn begins: the last one before the end of the first day.
fn begins(start: Date, hand_over: Option<ShiftHandover>) -> DateTime {
    let Some(ShiftHandover { weekday, time }) = hand_over else { return start.to_datetime(Time::midnight()) };
    let is_it = |date: &Date| weekday.is_none_or(|weekday| date.weekday() == weekday);
    let before = std::iter::successors(Some(start), |date| date.yesterday().ok()).take(7);
    before.into_iter().find(is_it).unwrap_or(start).to_datetime(time)
}

fn stand_in(reader: &Reader, section: Section<'_>) -> Option<RotationOverride> {
    let person = section.value(key("person"), person);
    let from = section.value(key("from"), moment);
    let until = section.value(key("until"), moment);
    let place = section.place();
    let is_whole = ["person", "from", "until"].iter().all(|name| section.is_set(key(name)));
    section.finish();
    if !is_whole {
        reader.report(place.clone(), "an override needs person, from and until");
    }
    let stand_in = RotationOverride { person: person?, from: from?, until: until? };
    if stand_in.from >= stand_in.until {
        reader.report(place, "ends before it begins");
        return None;
    }
    Some(stand_in)
}

fn shift(text: &str) -> Result<RotationTurn, Must> {
    match text {
        "1d" => Ok(RotationTurn::Day),
        "1w" => Ok(RotationTurn::Week),
        _ => Err(instead_of(text, "1d or 1w")),
    }
}

fn hand_over(text: &str) -> Result<ShiftHandover, Must> {
    let must = || instead_of(text, "a time, or a day and a time, such as 10:00 or Mon 10:00");
    let (weekday, time) = match text.split_once(' ') {
        None => (None, text),
        Some((day, time)) => (Some(weekday(day).ok_or_else(must)?), time),
    };
    Ok(ShiftHandover { weekday, time: clock_time(time.trim()).ok_or_else(must)? })
}

fn weekday(text: &str) -> Option<Weekday> {
    let lower = text.to_ascii_lowercase();
    let is_it = |(en, zh, _): &&(&str, &str, Weekday)| lower == *en || lower == *zh;
    WEEKDAYS.iter().find(is_it).map(|(.., weekday)| *weekday)
}

/// `10:00`; nothing shorter, nothing longer.
pub(super) fn clock_time(text: &str) -> Option<Time> {
    let (hour, minute) =
        text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2)?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn calendar_token(token: &str) -> Result<String, Must> {
    let is_usable = token.len() >= TOKEN_BYTES_MIN
        && token.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~'));
    if is_usable { text(token) } else { Err(format!("at least {TOKEN_BYTES_MIN} letters, digits or -_.~")) }
}

fn day(text: &str) -> Result<Date, Must> {
    text.parse::<Date>()
        .ok()
        .filter(|_| text.len() == 10)
        .ok_or_else(|| instead_of(text, "a day, such as 2024-01-15"))
}
