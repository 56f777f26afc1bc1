//! Whether files can be kept in a directory, tried by keeping one for a moment.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// What is written and removed: a block's worth, so that a full volume is found out.
const WRITTEN: [u8; 4096] = [b'.'; 4096];
/// What every SQLite file begins with (sqlite.org, "Database File Format").
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Tries whether files can be kept in a directory, which need not be there yet. Leaves nothing behind.
///
/// # Errors
/// Why not, and what to do about it.
pub fn try_keeping(folder: &Path) -> Result<(), String> {
    match fs::metadata(folder) {
        Ok(metadata) if !metadata.is_dir() => {
            Err(format!("{} is a file: move it away, or name another directory", folder.display()))
        }
        Ok(_) => keep_file(folder).map_err(|error| advice(folder, &error)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let above = nearest(folder);
            keep_folder(&above).map_err(|error| {
                format!("{} is not there and cannot be made: {}", folder.display(), advice(&above, &error))
            })
        }
        Err(error) => Err(advice(folder, &error)),
    }
}

/// What is wrong with a file that is to be a database, if it is there; without asking SQLite, which would change it.
pub fn database_flaw(file: &Path) -> Option<String> {
    let opened = match File::options().read(true).write(true).open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => return Some(advice(file, &error)),
    };
    let mut beginning = Vec::new();
    let read = (&opened).take(MAGIC.len() as u64).read_to_end(&mut beginning);
    match read {
        // An empty one becomes a database.
        Ok(0) => None,
        Ok(_) if beginning == MAGIC => None,
        Ok(_) => {
            let not_one = super::sqlite_advice(super::NOT_A_DATABASE).unwrap_or_default();
            Some(format!("{}: {not_one}", file.display()))
        }
        Err(error) => Some(advice(file, &error)),
    }
}

/// The first directory above that is there.
fn nearest(folder: &Path) -> PathBuf {
    let mut above = folder.ancestors().skip(1);
    let there = above.find(|above| above.as_os_str().is_empty() || above.exists());
    there.filter(|there| !there.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

fn keep_file(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".larkfire-check-{}", std::process::id()));
    let written = File::options().write(true).create_new(true).open(&path).and_then(|mut file| {
        file.write_all(&WRITTEN)?;
        file.sync_data()
    });
    if matches!(&written, Err(error) if error.kind() == ErrorKind::AlreadyExists) {
        // That of a check that was killed: it was written, so one can be.
        return fs::remove_file(&path);
    }
    let removed = fs::remove_file(&path);
    written.and(removed)
}

fn keep_folder(above: &Path) -> io::Result<()> {
    let path = above.join(format!(".larkfire-check-{}", std::process::id()));
    match fs::create_dir(&path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => fs::remove_dir(&path),
    }
}

fn advice(path: &Path, error: &io::Error) -> String {
    let kind = error.kind();
    let what = if kind == ErrorKind::PermissionDenied {
        "let the user that runs this own it (chown), or name another place"
    } else if kind == ErrorKind::ReadOnlyFilesystem {
        "mount that volume for writing, or name a place on another"
    } else if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        "make room on that volume"
    } else if kind == ErrorKind::NotADirectory {
        "a part of this path is a file: name another place"
    } else {
        "name a place that can be written to"
    };
    format!("{}: {error}: {what}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn where_files_can_be_kept_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(try_keeping(folder), Ok(()));
        assert_eq!(try_keeping(&folder.join("to/be/made")), Ok(()));
        assert_eq!(names(folder), [""; 0]);
    }

    #[test]
    fn a_place_that_cannot_be_one_is_said_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let said = try_keeping(&file).unwrap_err();
        assert!(said.contains("is a file: move it away"), "{said}");
        let said = try_keeping(&file.join("below")).unwrap_err();
        assert!(said.contains("name another place"), "{said}");
        // Not even root makes directories there.
        let said = try_keeping(Path::new("/proc/larkfire/data")).unwrap_err();
        assert!(said.contains("/proc/larkfire/data is not there and cannot be made"), "{said}");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn a_file_that_is_no_database_is_known_before_it_is_opened_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("queue.db");
        assert_eq!(database_flaw(&file), None, "none yet");
        fs::write(&file, "").unwrap();
        assert_eq!(database_flaw(&file), None, "an empty one");
        fs::write(&file, b"SQLite format 3\0and more").unwrap();
        assert_eq!(database_flaw(&file), None);
        fs::write(&file, "notes").unwrap();
        let said = database_flaw(&file).unwrap();
        assert!(said.contains("queue.db: it is not a database"), "{said}");
    }
}
