//! What no lint holds about the tree itself: its files, its layers, its map, its references and its documents.
#![expect(clippy::unwrap_used, reason = "code of tests: what goes wrong ends the test")]

mod documents;
mod fuzzing;
mod layers;
mod map;
mod references;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

/// The tree itself.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A file by its path from there.
fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}
