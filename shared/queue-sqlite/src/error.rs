//! Why the embedded queue cannot be opened.

use std::path::PathBuf;

use thiserror::Error;

/// Why the embedded queue cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process works on the same directory.
    #[error("{} is in use by another larkfire; stop it, or give this one a data directory of its own", .0.display())]
    InUse(PathBuf),
    /// The directory cannot be made or written to.
    #[error("cannot use {}: {source}", path.display())]
    Directory {
        /// The directory or the lock file in it.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file was written by a later version.
    #[error("{} has schema {found}, this build knows up to {known}; use the newer build", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in it.
        found: i64,
        /// Our version.
        known: i64,
    },
    /// SQLite cannot open or read it.
    #[error("cannot open the queue: {0}")]
    Sqlite(#[from] sqlx::Error),
}
