//! `check`: what a configuration comes to, and what about it is probably not meant. What is wrong outright never gets
//! this far: loading refuses it, all of it at once.

pub mod probe;
mod summary;
#[cfg(test)]
mod tests;
mod warnings;

use std::io::{self, Write};
use std::process::ExitCode;

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

/// Says on the terminal what is wrong with the configuration, or what it comes to. `probe` asks what it names outside
/// of this process; it is asked only where the configuration is right.
pub fn command<P>(loaded: Result<Config, ConfigErrors>, role: Role, probe: Option<P>) -> ExitCode
where
    P: AsyncFnOnce(&Config) -> Vec<Probe>,
{
    let config = match loaded {
        Ok(config) => config,
        Err(errors) => {
            // Nobody is left to hear that the terminal is gone, here and below.
            let _gone = writeln!(io::stderr().lock(), "{errors}");
            return process::BAD_CONFIGURATION.into();
        }
    };
    let probes = probe.map_or(Ok(Vec::new()), |probe| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        Ok::<_, io::Error>(runtime.block_on(probe(&config)))
    });
    let mut out = io::stdout().lock();
    match probes.and_then(|probes| print(&mut out, &config, role, &probes)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => process::FAILED.into(),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _gone = writeln!(io::stderr().lock(), "{error}");
            process::FAILED.into()
        }
    }
}

/// `false`: something outside that is needed did not answer.
fn print(out: &mut impl Write, config: &Config, role: Role, probes: &[Probe]) -> io::Result<bool> {
    write!(out, "{}", summary(config, role))?;
    let mut failed = false;
    let mut count = 0;
    for Probe { what, outcome } in probes {
        match outcome {
            Outcome::Fine(said) => writeln!(out, "ok: {what}: {said}")?,
            Outcome::Doubtful(why) => {
                count += 1;
                writeln!(out, "warning: {what}: {why}")?;
            }
            Outcome::Failed(why) => {
                failed = true;
                writeln!(out, "FAILED: {what}: {why}")?;
            }
        }
    }
    let warnings = warnings(config, role);
    count += warnings.len();
    for warning in &warnings {
        writeln!(out, "warning: {warning}")?;
    }
    let answers = if failed { ", but not everything answers" } else { "" };
    let plural = if count == 1 { "" } else { "s" };
    writeln!(out, "the configuration is right{answers}; {count} warning{plural}")?;
    Ok(!failed)
}
