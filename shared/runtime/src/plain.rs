//! What goes to a terminal or into a log: nothing in it is obeyed. A payload may hold whatever moves a cursor, rings, turns
//! the direction of text around, or begins a line that looks like one of ours; at the writer it becomes visible instead.
//!
//! It is written `\u001b`, as JSON writes it: so a JSON text stays one, and says the same.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

/// How a text is laid out: what of it is ours and not a payload's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Lines, as a command prints them: line feeds and tabs are ours.
    Lines,
    /// One line in each write, as a log has them: only the line feed at its end is ours.
    Record,
}

/// Whether colours are ours too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colouring {
    /// Sequences that set a colour or a weight pass, and no others.
    Allowed,
    /// Nobody understands any.
    None,
}

/// Writes only what is not obeyed.
#[derive(Debug)]
pub struct PlainWriter<W> {
    out: W,
    layout: Layout,
    colouring: Colouring,
    /// The beginning of a character whose rest has not been written yet.
    begun: Vec<u8>,
}

/// Whether a terminal or a reader's eye would obey this character: controls of both sets, what changes the direction of
/// text, and the line ends that are no line feed.
pub fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// The text in one line, with a space in place of each character that would be obeyed.
pub fn in_one_line(text: &str) -> String {
    text.chars().map(|character| if is_obeyed(character) { ' ' } else { character }).collect()
}

/// The text in one line, in which each character that would be obeyed is written `\u001b`.
pub fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut plain, character);
    }
    plain
}

/// Says on standard error what went wrong, in one line: of whatever it repeats nothing is obeyed.
pub fn complain(what: &dyn fmt::Display) {
    complain_in_lines(&escaped(&what.to_string()));
}

/// The same in several lines, each of which was made of escaped text.
pub fn complain_in_lines(what: &dyn fmt::Display) {
    // Nobody is left to hear that the terminal is gone.
    let _gone = writeln!(PlainWriter::new(io::stderr().lock(), Layout::Lines, Colouring::None), "{what}");
}

fn push(plain: &mut String, character: char) {
    if is_obeyed(character) {
        // Writing to a string cannot fail.
        let _written = write!(plain, "\\u{:04x}", u32::from(character));
    } else {
        plain.push(character);
    }
}

impl<W: Write> PlainWriter<W> {
    /// Over `out`.
    pub const fn new(out: W, layout: Layout, colouring: Colouring) -> Self {
        Self { out, layout, colouring, begun: Vec::new() }
    }

    /// Has what is written next stand over what this line says, as a count does that goes on.
    pub fn begin_line_again(&mut self) -> io::Result<()> {
        self.out.write_all(b"\r")
    }

    fn text(&mut self, text: &str, is_last: bool) -> io::Result<()> {
        let mut plain = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let (_, behind) = rest.split_at(character.len_utf8());
            let sequence = self.sequence(rest);
            if sequence > 0 {
                let (passed, behind) = rest.split_at(sequence);
                plain.push_str(passed);
                rest = behind;
                continue;
            }
            let is_end = is_last && behind.is_empty();
            match (character, self.layout) {
                ('\n' | '\t', Layout::Lines) => plain.push(character),
                ('\n', Layout::Record) if is_end => plain.push(character),
                _ => push(&mut plain, character),
            }
            rest = behind;
        }
        self.out.write_all(plain.as_bytes())
    }

    /// How long the sequence is that begins here and may pass: `ESC [`, digits and semicolons, `m`.
    fn sequence(&self, text: &str) -> usize {
        let Some(parameters) = text.strip_prefix("\u{1b}[").filter(|_| self.colouring == Colouring::Allowed)
        else {
            return 0;
        };
        let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';');
        end.filter(|end| parameters[*end..].starts_with('m')).map_or(0, |end| end + 3)
    }
}

impl<W: Write> Write for PlainWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let mut rest = all.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.text(text, true)?;
                    return Ok(bytes.len());
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    // Checked a moment ago.
                    self.text(std::str::from_utf8(good).unwrap_or_default(), false)?;
                    let Some(length) = error.error_len() else {
                        self.begun = bad.to_vec();
                        return Ok(bytes.len());
                    };
                    self.out.write_all("\u{fffd}".as_bytes())?;
                    rest = bad.get(length..).unwrap_or_default();
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(parts: &[&[u8]], layout: Layout, colouring: Colouring) -> String {
        let mut out = Vec::new();
        let mut writer = PlainWriter::new(&mut out, layout, colouring);
        for part in parts {
            writer.write_all(part).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_would_be_obeyed_is_shown_and_what_is_ours_passes() {
        let text = "a\u{1b}[2Jb\u{7}\u{9b}\u{202e}\u{7f}\r\n\tz\n".as_bytes();
        let shown = written(&[text], Layout::Lines, Colouring::None);
        assert_eq!(shown, "a\\u001b[2Jb\\u0007\\u009b\\u202e\\u007f\\u000d\n\tz\n");
        let record = written(&[b"one\n2026 ERROR forged\n"], Layout::Record, Colouring::None);
        assert_eq!(record, "one\\u000a2026 ERROR forged\n");
        let coloured = written(
            &[b"\x1b[1;31mred\x1b[0m \x1b[2J \x1b[31\x1b]0;t\x07"],
            Layout::Lines,
            Colouring::Allowed,
        );
        assert_eq!(coloured, "\x1b[1;31mred\x1b[0m \\u001b[2J \\u001b[31\\u001b]0;t\\u0007");
    }

    #[test]
    fn a_character_may_come_in_two_writes_and_bytes_that_are_none_are_replaced() {
        let shown = written(&[b"\xe2\x80", b"\xae|\xff|\xc2", b"\x9b"], Layout::Lines, Colouring::None);
        assert_eq!(shown, "\\u202e|\u{fffd}|\\u009b");
    }

    #[test]
    fn a_json_text_stays_one_and_says_the_same() {
        let text = r#"{"a":"x"}"#.replace('x', "\u{9b}\u{202e}\u{7f}é");
        let shown = written(&[text.as_bytes()], Layout::Lines, Colouring::None);
        assert_eq!(shown, r#"{"a":"\u009b\u202e\u007fé"}"#);
    }

    proptest! {
        #[test]
        fn whatever_is_written_however_it_is_cut_nothing_in_it_is_obeyed(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            text in ".*",
            cut in 0_usize..200,
        ) {
            let all = [text.as_bytes(), &bytes].concat();
            let (first, second) = all.split_at(cut.min(all.len()));
            for layout in [Layout::Lines, Layout::Record] {
                let shown = written(&[first, second], layout, Colouring::None);
                let left = shown.chars().filter(|c| is_obeyed(*c) && !matches!(c, '\n' | '\t')).count();
                prop_assert_eq!(left, 0, "{:?}", shown);
            }
        }
    }
}
