//! Where a process keeps things on disk: nobody else may read them, whether it can keep any is tried without leaving a trace, and
//! what is wrong with a file is said with what to do about it.
//!
//! What stands there are alerts, and what people did about them: files are 0600, directories 0700. New ones come to be so by
//! the umask, since SQLite makes some by itself; what an earlier version has left is narrowed when a directory is opened.

mod trial;

use std::fs::{self, DirBuilder, DirEntry, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use tracing::warn;

pub use trial::{database_flaw, try_keeping};

/// The embedded queue.
pub const QUEUE_FILE: &str = "queue.db";
/// The database, where no other is configured.
pub const DATABASE_FILE: &str = "larkfire.db";

/// What SQLite says of a file that is something else.
const NOT_A_DATABASE: i32 = 26;
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;
const EVERYBODY_ELSE: u32 = 0o077;
/// A directory in which everybody has files of their own, as `/tmp`.
const STICKY: u32 = 0o1000;

/// What the names of our files begin with: the embedded queue's, the database's, the spool's, and those beside them.
const OUR_BEGINNINGS: [&str; 7] =
    ["queue.", DATABASE_FILE, "spool.", "installation", "has-receivers", "control.sock", ".larkfire-"];
/// What the names of a spool's segments hold.
const OF_SEGMENT: &str = ".spool";
/// Directories that may stand among them: a spool of our own, and what file systems put at their top.
const OUR_FOLDERS: [&str; 2] = ["spool", "lost+found"];
/// SQLite's files beside a database.
const BESIDE_DATABASE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// What this process makes from now on is its user's alone.
pub fn keep_new_files_private() {
    let _former = rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Makes a directory, if it is not there, and narrows what of ours stands in it. A directory that holds things of others too
/// keeps its mode, which is said: they may need it.
///
/// # Errors
/// If it cannot be made.
pub fn open(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(folder)?;
    let mut holds_others = false;
    for entry in fs::read_dir(folder)?.filter_map(Result::ok) {
        match Belonging::of(&entry) {
            Belonging::Ours(path) => narrow(&path, FILE_MODE),
            Belonging::Beside => {}
            Belonging::Others => holds_others = true,
        }
    }
    if !holds_others {
        narrow(folder, DIRECTORY_MODE);
    } else if fs::metadata(folder).is_ok_and(|metadata| metadata.mode() & EVERYBODY_ELSE != 0) {
        warn!(
            directory = %folder.display(),
            "this directory holds more than files of Larkfire, so its mode is left as it is: a directory of its own is better"
        );
    }
    Ok(())
}

/// Narrows a database that was put somewhere by its own name, and what SQLite keeps beside it. The directory is not ours.
pub fn narrow_database(file: &Path) {
    narrow(file, FILE_MODE);
    for ending in BESIDE_DATABASE {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        narrow(Path::new(&name), FILE_MODE);
    }
}

/// Whose an entry of a directory is.
enum Belonging {
    /// A file of ours.
    Ours(PathBuf),
    /// Of ours, or of nobody, and no file.
    Beside,
    /// Of somebody else.
    Others,
}

impl Belonging {
    fn of(entry: &DirEntry) -> Self {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Not that of what a link leads to: links lead elsewhere.
        let Ok(kind) = entry.file_type() else { return Self::Others };
        let is_ours =
            OUR_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) || name.contains(OF_SEGMENT);
        if kind.is_file() && is_ours {
            Self::Ours(entry.path())
        } else if is_ours || kind.is_dir() && OUR_FOLDERS.contains(&&*name) {
            Self::Beside
        } else {
            Self::Others
        }
    }
}

/// Takes away what others may do. What belongs to somebody else is theirs to change.
fn narrow(path: &Path, mode: u32) {
    let Ok(metadata) = fs::metadata(path) else { return };
    if !is_to_narrow(&metadata) {
        return;
    }
    if let Err(error) = fs::set_permissions(path, Permissions::from_mode(mode)) {
        warn!(%error, path = %path.display(), "others may read this, and that cannot be changed");
    }
}

fn is_to_narrow(metadata: &Metadata) -> bool {
    let mode = metadata.mode();
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    is_own && mode & EVERYBODY_ELSE != 0 && mode & STICKY == 0
}

/// What to do about a file that SQLite does not take, by its result code (sqlite.org, "Result and Error Codes"; extended ones
/// have it in their last byte). `None` where the file is not the reason.
pub const fn sqlite_advice(code: i32) -> Option<&'static str> {
    Some(match code & 0xff {
        8 => {
            "it cannot be written to: let the user that runs this own it and its directory (chown), on a volume that is not read-only"
        }
        10 => "the disk does not read or write it: see what the system says of the disk",
        11 => {
            "it is damaged: stop everything that uses it and put a backup in its place, or save what can be read (sqlite3 FILE .recover)"
        }
        13 => "the volume is full: make room on it",
        14 => "it cannot be opened: let the user that runs this own it and its directory (chown)",
        NOT_A_DATABASE => {
            "it is not a database: put a backup in its place; if there is nothing in it that you need, move it away, and a new one is made"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn left(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        path
    }

    #[test]
    fn what_an_earlier_version_has_left_is_the_owners_alone_from_now_on() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("data");
        open(&folder).unwrap();
        assert_eq!(mode_of(&folder), 0o700, "a new one");
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        let names = [
            "queue.db",
            "queue.db-wal",
            "queue.db-shm",
            "queue.lock",
            "queue.ballast",
            "larkfire.db",
            "larkfire.db-wal",
            "larkfire.db-shm",
            "installation",
            "has-receivers",
            "spool.cursor",
            "00000000000000000001.spool",
            "00000000000000000001.spool.corrupt",
        ];
        let files = names.map(|name| left(&folder, name));
        fs::create_dir(folder.join("spool")).unwrap();
        open(&folder).unwrap();
        assert_eq!(mode_of(&folder), 0o700);
        for file in files {
            assert_eq!(mode_of(&file), 0o600, "{}", file.display());
        }
    }

    #[test]
    fn what_is_somebody_elses_keeps_its_mode_and_so_does_the_directory() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        let ours = left(folder, "larkfire.db");
        let theirs = left(folder, "page.html");
        open(folder).unwrap();
        assert_eq!((mode_of(folder), mode_of(&ours), mode_of(&theirs)), (0o755, 0o600, 0o644));
    }

    #[test]
    fn a_database_of_its_own_name_is_narrowed_with_what_stands_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["alerts", "alerts-wal", "alerts-shm"].map(|name| left(folder.path(), name));
        narrow_database(&files[0]);
        assert!(files.iter().all(|file| mode_of(file) == 0o600));
    }
}
