//! Pieces that several pages are made of: times, numbers, words for states, small drawings.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::data::{HealthWord, MinuteCounts};
use crate::frame::Frame;
use crate::language::Language;

impl Frame<'_> {
    /// A moment: in the configured zone, whole in its title, and by the script as how long ago it was.
    pub(crate) fn time(&self, at: Timestamp) -> Markup {
        let here = at.to_zoned(self.zone.clone());
        let whole = here.strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
        html! { time datetime=(at.to_string()) title=(whole) { (here.strftime("%m-%d %H:%M:%S").to_string()) } }
    }
}

/// A number with its thousands set apart.
pub(crate) fn number(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    if number < 0 {
        grouped.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// The same of what is counted without a sign.
pub(crate) fn count(count: u64) -> String {
    number(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A time in seconds, as short as it can be said.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1_000.0)
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else if seconds < 3_600.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3_600.0)
    }
}

impl HealthWord {
    /// The word for people.
    pub(crate) const fn name(self, language: Language) -> &'static str {
        match self {
            Self::Healthy => language.say("healthy", "正常"),
            Self::Throttled => language.say("throttled", "被限流"),
            Self::Retrying => language.say("retrying", "重试中"),
            Self::Unreachable => language.say("unreachable", "无法连接"),
            Self::Misconfigured => language.say("refuses everything", "全部拒收"),
        }
    }

    const fn tone(self) -> &'static str {
        match self {
            Self::Healthy => "good",
            Self::Throttled | Self::Retrying => "warn",
            Self::Unreachable | Self::Misconfigured => "bad",
        }
    }

    pub(crate) fn badge(self, language: Language) -> Markup {
        html! { span.badge.(self.tone()) { (self.name(language)) } }
    }
}

/// What cannot be there, said calmly.
pub(crate) fn nothing(sentence: &str) -> Markup {
    html! { p.nothing { (sentence) } }
}

/// A card as Feishu shows it, drawn by the script.
pub(crate) fn drawn_card(json: &str) -> Markup {
    html! { div.drawn data-card=(json) data-keep="" {} }
}

/// One figure with its name.
pub(crate) fn figure(name: &str, value: &str, note: &str) -> Markup {
    html! {
        div.figure {
            dt { (name) }
            dd { span.value { (value) } @if !note.is_empty() { span.note { (note) } } }
        }
    }
}

/// Drawn bars are so wide, in the units of the drawing.
const BAR_WIDTH: u64 = 8;
/// And so high at most.
const BARS_HEIGHT: u64 = 96;

/// Alerts of each minute as bars: those that people saw, those that were known, those that could not be delivered.
pub(crate) fn bars(minutes: &[MinuteCounts], label: &str) -> Markup {
    let most = minutes.iter().map(MinuteCounts::total).max().unwrap_or(0).max(1);
    let height = |of: u64| (of * BARS_HEIGHT).div_ceil(most).min(BARS_HEIGHT);
    let width = minutes.len() as u64 * BAR_WIDTH;
    html! {
        svg.bars role="img" aria-label=(label) viewBox=(format!("0 0 {width} {BARS_HEIGHT}")) preserveAspectRatio="none" {
            @for (at, minute) in (0_u64..).zip(minutes) {
                @let seen = height(minute.delivered + minute.summarised);
                @let dead = height(minute.dead_lettered);
                @let known = height(minute.duplicate + minute.superseded + minute.expected);
                @let x = at * BAR_WIDTH;
                @if known > 0 { rect.known x=(x) width=(BAR_WIDTH - 2) height=(known) y=(BARS_HEIGHT.saturating_sub(seen + dead + known)) {} }
                @if dead > 0 { rect.dead x=(x) width=(BAR_WIDTH - 2) height=(dead) y=(BARS_HEIGHT.saturating_sub(seen + dead)) {} }
                @if seen > 0 { rect.seen x=(x) width=(BAR_WIDTH - 2) height=(seen) y=(BARS_HEIGHT - seen) {} }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(number(0), "0");
        assert_eq!(number(-1_234_567), "-1\u{202f}234\u{202f}567");
        assert_eq!(count(9_007_199_254_740_993), "9\u{202f}007\u{202f}199\u{202f}254\u{202f}740\u{202f}993");
        assert_eq!([0.0123, 2.55, 90.0, 9_000.0].map(seconds), ["12 ms", "2.5 s", "2 min", "2.5 h"]);
    }
}
