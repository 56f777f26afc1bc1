//! The binaries that are measured: built here, so that it is this tree's code that is measured, by the profile this program was
//! built by.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use thiserror::Error;
use tokio::process::Command;

/// Why there is nothing to measure.
#[derive(Debug, Error)]
pub(crate) enum ReleaseError {
    /// Measuring an unoptimised sender tells about the sender.
    #[error("measure with an optimised build: cargo run --profile dist -p loadtest -- SCENARIO")]
    DebugBuild,
    /// Cargo could not be started, or our own path is unknown.
    #[error("cannot build {package} (cargo build -p {package}): {source}")]
    NotBuilt {
        /// The package.
        package: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Cargo said why.
    #[error("cargo build -p {package} failed: {status}")]
    Failed {
        /// The package.
        package: &'static str,
        /// How cargo ended.
        status: ExitStatus,
    },
}

/// Where binaries come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// They are built, unless they are up to date.
    Built,
    /// They lie beside this program, as whoever made them made them. For tests of the driver itself.
    Beside,
}

/// Where the binary of a package lies that has the package's name: beside this one.
pub(crate) fn program(package: &'static str) -> Result<PathBuf, ReleaseError> {
    let own = std::env::current_exe().map_err(|source| ReleaseError::NotBuilt { package, source })?;
    Ok(own.with_file_name(package))
}

/// Where results are kept: `target/loadtest`.
pub(crate) fn results() -> std::io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    Ok(target.join("loadtest"))
}

/// Builds a package; does nothing where that is up to date.
pub(crate) async fn build(package: &'static str) -> Result<(), ReleaseError> {
    if cfg!(debug_assertions) {
        return Err(ReleaseError::DebugBuild);
    }
    let not_built = |source| ReleaseError::NotBuilt { package, source };
    let own = std::env::current_exe().map_err(not_built)?;
    // target/PROFILE/loadtest: the binary comes to lie beside this one, and is built as this one was.
    let directory = own.parent().unwrap_or(Path::new("."));
    let profile = directory.file_name().unwrap_or("release".as_ref());
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", package, "--profile"]).arg(profile).arg("--target-dir");
    command.arg(directory.parent().unwrap_or(directory)).current_dir(env!("CARGO_MANIFEST_DIR"));
    let status = command.kill_on_drop(true).status().await.map_err(not_built)?;
    if status.success() { Ok(()) } else { Err(ReleaseError::Failed { package, status }) }
}
