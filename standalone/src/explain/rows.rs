//! What is told of a payload, row by row: whatever stands in it, a row is one line.

use std::fmt;

use runtime::plain::escaped;

/// The rows so far.
#[derive(Debug, Default)]
pub(super) struct Rows(String);

impl Rows {
    /// Adds lines that were drawn, and whose ends are ours.
    pub(super) fn draw(&mut self, lines: &str) {
        self.0.push_str(lines);
        self.0.push('\n');
    }

    /// All of it.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// `write!` and `writeln!`: of what is written only a line feed at the end is ours.
impl fmt::Write for Rows {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(&escaped(text));
        Ok(())
    }

    fn write_fmt(&mut self, arguments: fmt::Arguments<'_>) -> fmt::Result {
        let text = arguments.to_string();
        match text.strip_suffix('\n') {
            Some(row) => {
                self.write_str(row)?;
                self.0.push('\n');
                Ok(())
            }
            None => self.write_str(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn a_row_is_one_line_whatever_stands_in_it() {
        let mut rows = Rows::default();
        writeln!(rows, "a  x\ncard 1 of 1\u{1b}").unwrap();
        rows.draw("b");
        assert_eq!(rows.into_text(), "a  x\\u000acard 1 of 1\\u001b\nb\n");
    }
}
