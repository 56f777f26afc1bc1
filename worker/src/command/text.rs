//! Text of alerts on a terminal. Pure: what came from outside may not move the cursor or colour what follows.

use jiff::Timestamp;

/// The text in one line, without anything a terminal obeys.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
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

/// `1 letter`, `2 letters`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_gone() {
        assert_eq!(plain("\x1b[31mred\r\n\u{9b}2J\u{7}"), " [31mred   2J ");
        assert_eq!(short("磁盘已满了", 3), "磁盘…");
        assert_eq!(short("abc", 3), "abc");
    }
}
