//! Keeps a second process away from the data directory.

use std::fs::{File, TryLockError};
use std::path::Path;

use runtime::data_dir;

use super::error::OpenError;

/// Held as long as it lives. The kernel lets go of it with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "closing the file is what unlocks")] File);

impl Lock {
    /// Makes the directory if need be, and keeps others from reading what stands in it. The lock has a file of its own, so that the database stays open to
    /// whoever looks into it with SQLite's tools.
    pub(super) fn take(directory: &Path) -> Result<Self, OpenError> {
        data_dir::open(directory)
            .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
        let path = directory.join("queue.lock");
        let file = match File::create(&path) {
            Ok(file) => file,
            Err(source) => return Err(OpenError::Directory { path, source }),
        };
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(directory.to_owned())),
            Err(TryLockError::Error(source)) => Err(OpenError::Directory { path, source }),
        }
    }
}
