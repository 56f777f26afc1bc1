//! `console hash-password`: what the configuration has of a password.

use std::io::{BufRead, BufReader, Read};
use std::process::ExitCode;

use console::entrance::hash_password;

use super::{CommandError, Terminal};

/// The longest line that is read, in bytes: passwords that can be used to log in are no longer.
const LINE_BYTES_MAX: u64 = 1_024;
/// The shortest password, in characters, as NIST SP 800-63B asks.
const CHARS_MIN: usize = 8;

/// Reads the first line, so that the password stands neither in the history of the shell nor in the list of processes.
pub(super) fn hash(input: impl Read, terminal: &mut Terminal<'_>) -> Result<ExitCode, CommandError> {
    let mut line = String::new();
    BufReader::new(input.take(LINE_BYTES_MAX + 1)).read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    let count = password.chars().count();
    if count < CHARS_MIN || line.len() as u64 > LINE_BYTES_MAX {
        return Err(CommandError::Usage(format!(
            "a password has {CHARS_MIN} characters at least and {LINE_BYTES_MAX} bytes at most; it is the first line of \
             standard input"
        )));
    }
    let hash = hash_password(password.as_bytes()).map_err(|error| CommandError::Failed(error.to_string()))?;
    writeln!(terminal.out, "{hash}")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::io;

    use runtime::plain::{Colouring, Layout, PlainWriter};

    use super::*;

    fn hashed(input: &str) -> Result<String, String> {
        let mut out = Vec::new();
        let progress = PlainWriter::new(Box::new(io::sink()) as _, Layout::Lines, Colouring::None);
        let mut terminal = Terminal { out: &mut out, progress };
        let done = hash(input.as_bytes(), &mut terminal);
        done.map(|_| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_line_is_hashed_and_never_repeated() {
        let hash = hashed("correct horse\nsecond line\n").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$") && hash.lines().count() == 1, "{hash}");
        for short in ["", "\n", "hunter2\n", &"x".repeat(2_000)] {
            let told = hashed(short).unwrap_err();
            assert!(told.contains("8 characters") && !told.contains("hunter2"), "{told}");
        }
    }
}
