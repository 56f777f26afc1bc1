//! Comma-separated values as RFC 4180 has them. Pure.

/// A row and the line it begins on, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CsvRow {
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

/// The rows, without empty lines; or the line of a quote that does not end.
pub(super) fn rows(text: &str) -> Result<Vec<CsvRow>, usize> {
    let mut rows = Vec::new();
    let mut row = CsvRow { line: 1, cells: vec![String::new()] };
    let mut line = 1;
    let mut quoted_since = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let cell_is_empty = row.cells.last().is_none_or(String::is_empty);
        match (character, quoted_since) {
            ('"', Some(_)) if characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut row, '"');
            }
            ('"', Some(_)) => quoted_since = None,
            ('"', None) if cell_is_empty => quoted_since = Some(line),
            (',', None) => row.cells.push(String::new()),
            ('\r', None) if characters.peek() == Some(&'\n') => {}
            ('\n', None) => {
                line += 1;
                let next = CsvRow { line, cells: vec![String::new()] };
                rows.push(std::mem::replace(&mut row, next));
            }
            (other, _) => {
                line += usize::from(other == '\n');
                push(&mut row, other);
            }
        }
    }
    if let Some(line) = quoted_since {
        return Err(line);
    }
    rows.push(row);
    rows.retain(|row| row.cells.iter().any(|cell| !cell.trim().is_empty()));
    Ok(rows)
}

fn push(row: &mut CsvRow, character: char) {
    if let Some(cell) = row.cells.last_mut() {
        cell.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_commas_and_line_feeds_are_read_as_they_are_meant() {
        let read = rows("a,b\r\n\"x, \"\"y\"\"\",\n\n\"1\n2\",3").unwrap();
        let cells: Vec<_> = read.iter().map(|row| (row.line, row.cells.join("|"))).collect();
        let expected = [(1, "a|b"), (2, "x, \"y\"|"), (4, "1\n2|3")];
        assert_eq!(cells, expected.map(|(line, cells)| (line, cells.to_owned())));
        assert_eq!(rows("a\n\"b"), Err(2));
        assert_eq!(rows("").unwrap(), []);
    }
}
