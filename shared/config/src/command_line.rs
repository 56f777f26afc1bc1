//! What the command lines of the binaries have in common: how they are read, and what shells and manuals are made of them.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::process;

/// What makes files for shells and manuals of the command line itself.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Manual {
    /// Prints completions for a shell: put them where it looks for them
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: Shell,
    },
    /// Prints the manual page, for `man -l -`
    Man,
}

/// Reads the command line. What cannot be read is explained, with the exit code of bad usage.
///
/// # Errors
/// The exit code to end with: also where help or the version was asked for, and printed.
pub fn read<C: Parser>() -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        // Nobody is left to hear that the terminal is gone.
        let _gone = error.print();
        let was_asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if was_asked_for { ExitCode::SUCCESS } else { process::BAD_CONFIGURATION.into() }
    })
}

/// Prints what was asked for of this command line.
pub fn print<C: CommandFactory>(manual: Manual) -> ExitCode {
    let mut command = C::command();
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    let made = match manual {
        Manual::Completions { shell } => {
            clap_complete::generate(shell, &mut command, name, &mut text);
            Ok(())
        }
        Manual::Man => clap_mangen::Man::new(command).render(&mut text),
    };
    match made.and_then(|()| io::stdout().lock().write_all(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _gone = writeln!(io::stderr().lock(), "{error}");
            process::FAILED.into()
        }
    }
}
