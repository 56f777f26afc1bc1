//! `check`: what a configuration comes to, and what about it is probably not meant. What is wrong outright never gets
//! this far: loading refuses it, all of it at once.

mod disk;
pub mod probe;
mod summary;
#[cfg(test)]
mod tests;
mod warnings;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use runtime::plain::{Colouring, Layout, PlainWriter, complain, complain_in_lines};
use serde::Serialize;

use crate::process;
use crate::{Config, ConfigErrors};
use probe::{Outcome, Probe};
use summary::summary;
use warnings::warnings;

/// Which parts of a configuration a binary goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `larkfire-ingest`.
    Ingest,
    /// `larkfire-worker`.
    Worker,
    /// `larkfire`.
    Both,
}

impl Role {
    const fn takes_alerts(self) -> bool {
        matches!(self, Self::Ingest | Self::Both)
    }

    const fn tells(self) -> bool {
        matches!(self, Self::Worker | Self::Both)
    }
}

/// How the configuration is looked at, and how that is said.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(
    after_help = "Exit codes: 0 it is right, 1 something it needs is not there or, with --strict, there is any warning, \
                        64 it is wrong, or bad usage."
)]
pub struct CheckOptions {
    /// Asks what the configuration names outside of this process, too
    #[arg(long)]
    pub online: bool,
    /// Ends with 1 if there is any warning
    #[arg(long)]
    pub strict: bool,
    /// Prints one JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}

/// What came of it.
#[derive(Serialize)]
struct Report {
    valid: bool,
    problems: Vec<ReportedProblem>,
    /// What the configuration comes to, line by line.
    summary: Vec<String>,
    probes: Vec<Probe>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct ReportedProblem {
    place: String,
    message: String,
}

impl Report {
    fn refused(errors: &ConfigErrors) -> Self {
        let problems = errors.0.iter().map(|problem| ReportedProblem {
            place: problem.place().to_string(),
            message: problem.message().to_owned(),
        });
        let problems = problems.collect();
        Self { valid: false, problems, summary: Vec::new(), probes: Vec::new(), warnings: Vec::new() }
    }

    fn of(config: &Config, role: Role, probes: Vec<Probe>) -> Self {
        let summary = summary(config, role).lines().map(str::to_owned).collect();
        Self { valid: true, problems: Vec::new(), summary, probes, warnings: warnings(config, role) }
    }

    /// Something outside that is needed did not answer.
    fn has_failed(&self) -> bool {
        self.probes.iter().any(|probe| matches!(probe.outcome, Outcome::Failed(_)))
    }

    fn doubts(&self) -> usize {
        let doubtful = self.probes.iter().filter(|probe| matches!(probe.outcome, Outcome::Doubtful(_)));
        doubtful.count() + self.warnings.len()
    }

    fn code(&self, strict: bool) -> ExitCode {
        if !self.valid {
            return process::BAD_CONFIGURATION.into();
        }
        if self.has_failed() || (strict && self.doubts() > 0) {
            process::FAILED.into()
        } else {
            ExitCode::SUCCESS
        }
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        for line in &self.summary {
            writeln!(out, "{line}")?;
        }
        for Probe { what, outcome } in &self.probes {
            match outcome {
                Outcome::Fine(said) => writeln!(out, "ok: {what}: {said}")?,
                Outcome::Doubtful(why) => writeln!(out, "warning: {what}: {why}")?,
                Outcome::Failed(why) => writeln!(out, "FAILED: {what}: {why}")?,
            }
        }
        for warning in &self.warnings {
            writeln!(out, "warning: {warning}")?;
        }
        let answers = if self.has_failed() { ", but not everything it needs is there" } else { "" };
        let count = self.doubts();
        let plural = if count == 1 { "" } else { "s" };
        writeln!(out, "the configuration is right{answers}; {count} warning{plural}")
    }
}

/// Says on the terminal what is wrong with the configuration, or what it comes to. `probe` asks what it names outside
/// of this process; it is asked only if that is wanted and the configuration is right.
pub fn command<P>(
    loaded: &Result<Config, ConfigErrors>,
    role: Role,
    options: CheckOptions,
    probe: P,
) -> ExitCode
where
    P: AsyncFnOnce(&Config) -> Vec<Probe>,
{
    let report = match loaded {
        Err(errors) => Ok(Report::refused(errors)),
        Ok(config) => probed(config, options.online, probe).map(|online| {
            Report::of(config, role, disk::probes(config, role).into_iter().chain(online).collect())
        }),
    };
    let printed = report.and_then(|report| {
        let mut out = PlainWriter::new(io::stdout().lock(), Layout::Lines, Colouring::None);
        match loaded {
            _ if options.json => {
                serde_json::to_writer_pretty(&mut out, &report)?;
                writeln!(out)?;
            }
            Ok(_) => report.print(&mut out)?,
            Err(errors) => complain_in_lines(errors),
        }
        Ok(report.code(options.strict))
    });
    match printed {
        Ok(code) => code,
        // Nobody is left to hear that the terminal is gone.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            process::FAILED.into()
        }
    }
}

fn probed<P>(config: &Config, online: bool, probe: P) -> io::Result<Vec<Probe>>
where
    P: AsyncFnOnce(&Config) -> Vec<Probe>,
{
    if !online {
        return Ok(Vec::new());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(probe(config)))
}
