//! What the command lines of the binaries have in common: how they are read, and the commands that all of them have.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use runtime::plain::{Colouring, Layout, PlainWriter, complain, complain_in_lines, escaped};
use runtime::telemetry::logging::wants_colours;
use runtime::tls::over_loopback;

use crate::{Config, ConfigErrors, process};

/// What a command ends with, unless it says otherwise.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 64 bad configuration or usage.";

/// How long the process may take to answer for its health, connecting and answering each.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);
/// As much of the answer as is read, in bytes: the reason stands at its beginning.
const ANSWER_BYTES_MAX: u64 = 4_096;

/// What every binary can do beside its own work.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum CommonCommand {
    /// Asks the running process of this configuration whether it is well; for health checks where there is no curl
    #[command(
        after_help = "Exit codes: 0 it is well, 1 it is not, or is not there, 64 bad configuration or usage."
    )]
    Health {
        /// Whether it is ready to work, not only alive
        #[arg(long)]
        ready: bool,
    },
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
    let arguments: Vec<OsString> = std::env::args_os().collect();
    parsed(arguments.clone()).map_err(|error| {
        // What was typed may come from a payload, and clap repeats it, line ends and colours included. So it explains what is
        // wrong with the same as it is shown.
        let shown = arguments.iter().map(|argument| escaped(&argument.to_string_lossy()).into()).collect();
        match parsed::<C>(shown) {
            Err(again) if again.kind() == error.kind() => print(&again),
            Err(_) | Ok(_) => complain(&error),
        }
        let was_asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if was_asked_for { ExitCode::SUCCESS } else { process::BAD_CONFIGURATION.into() }
    })
}

fn parsed<C: Parser>(arguments: Vec<OsString>) -> Result<C, clap::Error> {
    let mut command = with_exit_codes(C::command());
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    C::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

fn print(error: &clap::Error) {
    let text = error.render();
    let (colours, out): (_, &mut dyn Write) = if error.use_stderr() {
        (wants_colours(&io::stderr()), &mut io::stderr())
    } else {
        (wants_colours(&io::stdout()), &mut io::stdout())
    };
    let colouring = if colours { Colouring::Allowed } else { Colouring::None };
    let text = if colours { text.ansi().to_string() } else { text.to_string() };
    // Nobody is left to hear that the terminal is gone.
    let _gone = PlainWriter::new(out, Layout::Lines, colouring).write_all(text.as_bytes());
}

/// Each command says what it ends with: what it says by itself, or what nearly all have in common.
fn with_exit_codes(command: Command) -> Command {
    command.mut_subcommands(|command| {
        let command = with_exit_codes(command);
        let says_something = command.get_after_help().is_some();
        if says_something { command } else { command.after_help(EXIT_CODES) }
    })
}

/// Does what is asked for. `C` is the command line it belongs to, and `load` reads the configuration, where that is needed.
pub fn run<C: CommandFactory>(
    command: CommonCommand,
    load: impl FnOnce() -> Result<Config, ConfigErrors>,
) -> ExitCode {
    let printed = match command {
        CommonCommand::Health { ready } => {
            return match load() {
                Ok(config) => health(&AdminPort::of(&config), ready),
                Err(errors) => {
                    complain_in_lines(&errors);
                    process::BAD_CONFIGURATION.into()
                }
            };
        }
        CommonCommand::Completions { shell } => {
            let mut text = Vec::new();
            let mut command = C::command();
            let name = command.get_name().to_owned();
            clap_complete::generate(shell, &mut command, name, &mut text);
            Ok(text)
        }
        CommonCommand::Man => {
            let mut text = Vec::new();
            clap_mangen::Man::new(with_exit_codes(C::command())).render(&mut text).map(|()| text)
        }
    };
    match printed.and_then(|text| io::stdout().lock().write_all(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            process::FAILED.into()
        }
    }
}

/// Where the running process is asked.
struct AdminPort {
    address: SocketAddr,
    has_tls: bool,
}

impl AdminPort {
    fn of(config: &Config) -> Self {
        Self { address: config.admin_listen, has_tls: config.admin_tls.is_some() }
    }
}

fn health(port: &AdminPort, ready: bool) -> ExitCode {
    let admin = port.address;
    let path = if ready { "/readyz" } else { "/healthz" };
    match ask(port, path) {
        Ok(answer) if answer.is_ok() => ExitCode::SUCCESS,
        Ok(answer) => {
            complain(&format_args!("{path} of {admin}: {}", answer.said()));
            process::FAILED.into()
        }
        Err(error) => {
            complain(&format_args!(
                "{admin} does not answer: {error}; is it running, and is admin_listen (LARKFIRE_ADMIN_LISTEN) right?"
            ));
            process::FAILED.into()
        }
    }
}

/// An answer of the admin port, as text.
struct AdminAnswer(String);

impl AdminAnswer {
    fn is_ok(&self) -> bool {
        self.0.split(' ').nth(1) == Some("200")
    }

    /// The reason, or else the status.
    fn said(&self) -> &str {
        let body = self.0.split_once("\r\n\r\n").map(|(_, body)| body.trim()).filter(|body| !body.is_empty());
        body.or_else(|| self.0.lines().next()).unwrap_or_default()
    }
}

fn ask(port: &AdminPort, path: &str) -> io::Result<AdminAnswer> {
    let admin = reachable(port.address);
    let stream = TcpStream::connect_timeout(&admin, HEALTH_TIMEOUT)?;
    stream.set_read_timeout(Some(HEALTH_TIMEOUT))?;
    stream.set_write_timeout(Some(HEALTH_TIMEOUT))?;
    let question = format!("GET {path} HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n");
    if port.has_tls { exchange(over_loopback(stream)?, &question) } else { exchange(stream, &question) }
}

fn exchange(mut stream: impl Read + Write, question: &str) -> io::Result<AdminAnswer> {
    stream.write_all(question.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    Ok(AdminAnswer(String::from_utf8_lossy(&answer).into_owned()))
}

/// Where a process that listens on every address is reached from its own machine.
fn reachable(admin: SocketAddr) -> SocketAddr {
    let ip = match admin.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, admin.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_says_what_it_ends_with() {
        let health = CommonCommand::augment_subcommands(Command::new("larkfire"));
        let nested = Command::new("letters").subcommand(Command::new("list"));
        let all = with_exit_codes(health.subcommand(nested));
        let said = |command: &Command| command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let mut found = 0;
        for command in all.get_subcommands().flat_map(|one| std::iter::once(one).chain(one.get_subcommands()))
        {
            assert!(said(command).starts_with("Exit codes: 0"), "{}", command.get_name());
            found += 1;
        }
        assert_eq!(found, 5);
        let health = all.find_subcommand("health").unwrap();
        assert!(said(health).contains("0 it is well"), "its own words stay");
    }
}
