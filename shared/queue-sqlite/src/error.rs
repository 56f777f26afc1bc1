//! Why the embedded queue cannot be opened.

use std::path::{Path, PathBuf};

use runtime::data_dir::sqlite_advice;
use sqlx::error::DatabaseError;
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
    #[error("cannot open {}: {}", path.display(), said(error))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said. Not its `source`: its words are in these.
        error: sqlx::Error,
    },
}

impl OpenError {
    /// SQLite's word on a file.
    pub(super) fn sqlite(path: &Path) -> impl Fn(sqlx::Error) -> Self {
        move |error| Self::Sqlite { path: path.to_owned(), error }
    }
}

/// What to do about the file, or else what SQLite said.
fn said(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(DatabaseError::code);
    let advice = code.and_then(|code| code.parse().ok()).and_then(sqlite_advice);
    advice.map_or_else(|| error.to_string(), str::to_owned)
}
