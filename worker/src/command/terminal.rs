//! What a command prints: columns, and text of alerts. Pure: what came from outside may not move the cursor or colour
//! what follows.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use runtime::plain::in_one_line;

/// Prints rows under a heading, each column as wide as its widest cell; the last one as it is. A cell is one line.
pub(super) fn print<const N: usize>(
    out: &mut dyn Write,
    heading: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heading[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let headings = heading.map(str::to_owned);
    for row in std::iter::once(&headings).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&plain(cell));
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The text in one line, without anything a terminal obeys.
pub(super) fn plain(text: &str) -> String {
    in_one_line(text)
}

/// The same, cut to so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// A time to the second.
pub(super) fn time(moment: Timestamp) -> String {
    moment.round(jiff::Unit::Second).unwrap_or(moment).to_string()
}

/// A time to the second, in a time zone, whose difference from UTC is said.
pub(super) fn time_in(moment: Timestamp, timezone: &TimeZone) -> String {
    moment.to_zoned(timezone.clone()).strftime("%Y-%m-%d %H:%M:%S%:z").to_string()
}

/// `1 letter`, `2 letters`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_one_another() {
        let mut printed = Vec::new();
        let rows = [["1".to_owned(), "x".to_owned()], ["100".to_owned(), String::new()]];
        print(&mut printed, ["ID", "WHAT"], &rows).unwrap();
        assert_eq!(String::from_utf8(printed).unwrap(), "ID   WHAT\n1    x\n100\n");
    }

    #[test]
    fn a_time_says_how_far_from_utc_it_is() {
        let moment = "2024-01-15T10:30:01.9Z".parse().unwrap();
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(time_in(moment, &shanghai), "2024-01-15 18:30:01+08:00");
        assert_eq!(time_in(moment, &TimeZone::UTC), "2024-01-15 10:30:01+00:00");
    }

    #[test]
    fn what_a_terminal_would_obey_is_gone() {
        assert_eq!(plain("\x1b[31mred\r\n\u{9b}2J\u{7}"), " [31mred   2J ");
        assert_eq!(short("磁盘已满了", 3), "磁盘…");
        assert_eq!(short("abc", 3), "abc");
    }
}
