//! Whose turn it is. Pure.

#[cfg(test)]
mod tests;

use config::{Rotation, RotationTurn};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Unit};

/// The longest time that turns are listed for, in days: a year and a hand-over.
const LISTED_DAYS_MAX: i64 = 370;

/// Somebody stands in for whoever's turn it would be; what people have agreed on since the configuration was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// In which rotation.
    pub rotation: String,
    /// Who.
    pub person: String,
    /// From when.
    pub from: Timestamp,
    /// Until before when.
    pub until: Timestamp,
}

/// A time for which it is one person's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift<'r> {
    /// Who.
    pub person: &'r str,
    /// From when.
    pub from: Timestamp,
    /// Until before when.
    pub until: Timestamp,
}

/// Whose turn it is at `now`; `zone` is for rotations without one of their own. Swaps go before overrides of the
/// configuration, of each the last before the first. Before its start a rotation counts backwards, so that it never has
/// nobody.
pub fn on_duty<'r>(
    rotation: &'r Rotation,
    swaps: &'r [Swap],
    zone: &TimeZone,
    now: Timestamp,
) -> Option<&'r str> {
    let zone = rotation.timezone.as_ref().unwrap_or(zone);
    let swapped = swaps
        .iter()
        .rev()
        .find(|swap| swap.rotation == rotation.name && (swap.from..swap.until).contains(&now));
    if let Some(swap) = swapped {
        return Some(&swap.person);
    }
    let moment = |at: DateTime| at.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    let overridden = rotation.overrides.iter().rev().find(|stand_in| {
        let begun = moment(stand_in.from).is_some_and(|from| from <= now);
        begun && moment(stand_in.until).is_some_and(|until| now < until)
    });
    if let Some(stand_in) = overridden {
        return Some(&stand_in.person);
    }
    let days = days_since(rotation.starts, zone, now);
    let turn = days.div_euclid(days_of(rotation.every));
    let people = i64::try_from(rotation.people.len()).ok().filter(|people| *people > 0)?;
    let place = usize::try_from(turn.rem_euclid(people)).ok()?;
    rotation.people.get(place).map(String::as_str)
}

/// Whose turn it is from a moment until another, a year at most, in their order. The first begins and the last ends as far out as
/// it was asked for.
pub fn shifts<'r>(
    rotation: &'r Rotation,
    swaps: &'r [Swap],
    zone: &TimeZone,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Shift<'r>> {
    let own = rotation.timezone.as_ref().unwrap_or(zone);
    let mut edges: Vec<Timestamp> = hand_overs(rotation, own, from, until);
    let moment = |at: DateTime| at.to_zoned(own.clone()).ok().map(|at| at.timestamp());
    edges.extend(rotation.overrides.iter().flat_map(|one| [moment(one.from), moment(one.until)]).flatten());
    let of_swaps = swaps.iter().filter(|swap| swap.rotation == rotation.name);
    edges.extend(of_swaps.flat_map(|swap| [swap.from, swap.until]));
    edges.retain(|edge| (from..until).contains(edge));
    edges.push(from);
    edges.sort_unstable();
    edges.dedup();
    let mut shifts: Vec<Shift<'r>> = Vec::new();
    for (place, edge) in edges.iter().enumerate() {
        let Some(person) = on_duty(rotation, swaps, zone, *edge) else { continue };
        let end = edges.get(place + 1).copied().unwrap_or(until);
        match shifts.last_mut().filter(|last| last.person == person) {
            Some(last) => last.until = end,
            None => shifts.push(Shift { person, from: *edge, until: end }),
        }
    }
    shifts
}

/// Whose turn is next, from when; `None` if nobody else's comes within `days`.
pub fn next_on_duty<'r>(
    rotation: &'r Rotation,
    swaps: &'r [Swap],
    zone: &TimeZone,
    now: Timestamp,
) -> Option<Shift<'r>> {
    // Two whole turns: whoever stands in may have the rest of this one and all of the next.
    let days = 3 * days_of(rotation.every);
    let until = now.saturating_add(jiff::SignedDuration::from_hours(24 * days)).ok()?;
    shifts(rotation, swaps, zone, now, until).get(1).copied()
}

/// The moments at which one hands over to the next, in that time.
fn hand_overs(rotation: &Rotation, zone: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let first = from.to_zoned(zone.clone()).date();
    let every = days_of(rotation.every);
    let is_of_turn = |day: &Date| days_between(rotation.starts.date(), *day).rem_euclid(every) == 0;
    let days = (-1..=LISTED_DAYS_MAX).map_while(|days| first.checked_add(days.days()).ok());
    let handovers = days.filter(is_of_turn).filter_map(|day| handover(day, rotation.starts, zone));
    handovers.take_while(|handover| *handover < until).collect()
}

const fn days_of(turn: RotationTurn) -> i64 {
    match turn {
        RotationTurn::Day => 1,
        RotationTurn::Week => 7,
    }
}

/// Whole days by the calendar, which are 23 or 25 hours long where the clocks change.
fn days_since(starts: DateTime, zone: &TimeZone, now: Timestamp) -> i64 {
    let today = now.to_zoned(zone.clone()).date();
    let days = days_between(starts.date(), today);
    // Compared as moments: an hour that the clocks show twice would give the turn back.
    let is_over = handover(today, starts, zone).is_none_or(|handover| handover <= now);
    days - i64::from(!is_over)
}

fn days_between(from: Date, until: Date) -> i64 {
    from.until((Unit::Day, until)).as_ref().map_or(0, Span::get_days).into()
}

fn handover(day: Date, starts: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    Some(day.to_datetime(starts.time()).to_zoned(zone.clone()).ok()?.timestamp())
}
