//! Columns for a terminal. Pure.

use std::io::{self, Write};

/// Prints rows under a heading, each column as wide as its widest cell; the last one as it is.
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
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
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
}
