//! The id of an embedded installation: a file in its data directory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file.
const FILE_NAME: &str = "installation";
/// Random bytes of an id.
const ID_BYTES: usize = 16;

/// Whether the directory has one.
pub(super) fn is_named(folder: &Path) -> bool {
    folder.join(FILE_NAME).exists()
}

/// The id in this directory, made if there is none. An error says which file it is about.
pub(super) fn id(folder: &Path) -> Result<String, (PathBuf, io::Error)> {
    let path = folder.join(FILE_NAME);
    read_or_make(folder, &path).map_err(|cause| (path, cause))
}

fn read_or_make(folder: &Path, path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) if is_id(text.trim()) => return Ok(text.trim().to_owned()),
        Ok(_) => {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no id; delete it for a new one"));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::create_dir_all(folder)?;
    let id = hex::encode(runtime::entropy::random::<[u8; ID_BYTES]>());
    // Whole or not at all: a half of an id would be another installation.
    let unfinished = path.with_extension("new");
    let mut file = File::create(&unfinished)?;
    writeln!(file, "{id}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()?;
    Ok(id)
}

fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
