//! The names in a spool's directory, and what is done with a directory as a whole.

use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use runtime::data_dir;

use super::{OpenError, Segment};

/// A segment's name is its number and this.
const SEGMENT: &str = ".spool";
/// And this, once it was set aside.
const ASIDE: &str = ".spool.corrupt";
/// Written, synced and removed to see whether the disk can store: a block's worth.
const PROBE: [u8; 4096] = [b'.'; 4096];

pub(super) fn segment(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:020}{SEGMENT}"))
}

pub(super) fn aside(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:020}{ASIDE}"))
}

/// Makes the directory if need be and keeps every other process out of it.
pub(super) fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("spool.lock");
    let made = data_dir::open(folder).and_then(|()| File::create(&path));
    let file = made.map_err(|source| OpenError::Directory { path: folder.to_owned(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(OpenError::Directory { path, source }),
    }
}

/// The segments, oldest first, and the bytes of those that were set aside. Other files are somebody else's.
pub(super) fn list(folder: &Path) -> io::Result<(VecDeque<Segment>, u64)> {
    let mut segments = Vec::new();
    let mut aside_bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let bytes = entry.metadata()?.len();
        let Some(name) = name.to_str() else { continue };
        if name.ends_with(ASIDE) {
            aside_bytes += bytes;
        } else if let Some(number) = name.strip_suffix(SEGMENT).and_then(|number| number.parse().ok()) {
            segments.push(Segment { number, bytes });
        }
    }
    segments.sort_by_key(|segment| segment.number);
    Ok((segments.into(), aside_bytes))
}

/// Makes names that were added or removed survive a power failure.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Whether the disk can store.
pub(super) fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join("spool.probe");
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(&PROBE)?;
        file.sync_data()
    });
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}
