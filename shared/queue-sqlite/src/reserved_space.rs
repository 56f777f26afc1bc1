//! Room on the volume that only deletions may use.
//!
//! A volume the queue itself has filled has no room for the deletions that would empty it: they go through the
//! write-ahead log too. So a file holds blocks back. They are let go when a deletion finds no room, and taken
//! again before anything else is stored.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tracing::{error, info, warn};

/// What the ballast holds back. The log grows to a commit (4 MiB) beyond the 4 MiB after which SQLite moves it
/// into the file, for which the file may have to grow as much; the deletions themselves take a few hundred KiB.
const BALLAST_BYTES: u64 = 8 * 1024 * 1024;
/// A volume with less is full. Left beside the ballast when it is laid, or the next publish would spend it again.
const HEADROOM_BYTES: u64 = 1024 * 1024;

/// The file of random bytes beside the queue's.
#[derive(Debug)]
pub(super) struct ReservedSpace {
    path: PathBuf,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// The blocks are held back.
    Laid,
    /// They were let go; the file is there and empty, so that a restart knows it too.
    Spent,
    /// The volume never had room for it.
    Without,
}

impl ReservedSpace {
    /// Takes over what is in `directory`, or lays the ballast.
    pub(super) fn lay(directory: &Path) -> Self {
        let path = directory.join("queue.ballast");
        let found = fs::metadata(&path).ok().filter(fs::Metadata::is_file).map(|file| file.len());
        let state = if found == Some(BALLAST_BYTES) {
            State::Laid
        } else {
            match (fill(&path), found) {
                (Ok(()), _) => State::Laid,
                (Err(_), Some(_)) => {
                    error!(directory = %directory.display(), "the volume is full: publishes wait until it is not");
                    State::Spent
                }
                (Err(error), None) => {
                    let mib = (BALLAST_BYTES + HEADROOM_BYTES) / (1024 * 1024);
                    warn!(%error, directory = %directory.display(), mib, "no space to hold back; a full volume may not be emptied");
                    let _not_there = fs::remove_file(&path);
                    State::Without
                }
            }
        };
        Self { path, state }
    }

    /// Lets the blocks go. Says whether there were any.
    pub(super) fn spend(&mut self) -> bool {
        if self.state != State::Laid {
            return false;
        }
        if let Err(error) = cut(&self.path) {
            error!(%error, path = %self.path.display(), "cannot empty a file");
            return false;
        }
        self.state = State::Spent;
        warn!("the volume is full: nothing is stored until the queue has shrunk");
        true
    }

    /// Whether nothing may be stored until it is laid again.
    pub(super) fn is_spent(&self) -> bool {
        self.state == State::Spent
    }

    /// Whether the volume has next to no room left, whoever took it.
    pub(super) fn volume_is_full(&self) -> bool {
        available(&self.path).is_ok_and(|bytes| bytes < HEADROOM_BYTES)
    }

    /// Takes the blocks again, if there is room for them and for a publish after them.
    pub(super) async fn restore(&mut self) {
        let path = self.path.clone();
        // Off the runtime: it syncs 8 MiB.
        if let Ok(Ok(())) = tokio::task::spawn_blocking(move || fill(&path)).await {
            self.state = State::Laid;
            info!("the volume has room again");
        }
    }
}

/// Random bytes, because a file system may keep no blocks for zeros or compress what repeats.
fn fill(path: &Path) -> io::Result<()> {
    if available(path)? < BALLAST_BYTES + HEADROOM_BYTES {
        return Err(io::ErrorKind::StorageFull.into());
    }
    let mut random = File::open("/dev/urandom")?.take(BALLAST_BYTES);
    let filled = File::create(path).and_then(|mut file| {
        io::copy(&mut random, &mut file)?;
        file.sync_all()
    });
    if filled.is_err() {
        let _as_it_was = cut(path);
    }
    filled
}

/// Synced, because some file systems free blocks only then.
fn cut(path: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    file.set_len(0)?;
    file.sync_all()
}

/// Bytes we may still write on the volume of a file.
fn available(path: &Path) -> io::Result<u64> {
    let volume = rustix::fs::statvfs(path.parent().unwrap_or(path))?;
    Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[tokio::test]
    async fn its_blocks_are_held_let_go_and_held_again() {
        let directory = tempfile::tempdir().unwrap();
        let blocks = || fs::metadata(directory.path().join("queue.ballast")).unwrap().blocks() * 512;
        let mut ballast = ReservedSpace::lay(directory.path());
        assert!(blocks() >= BALLAST_BYTES && !ballast.is_spent());
        assert!(ballast.spend() && ballast.is_spent());
        assert_eq!(blocks(), 0);
        assert!(!ballast.spend(), "it was spent twice");
        ballast.restore().await;
        assert!(blocks() >= BALLAST_BYTES && !ballast.is_spent());
    }
}
