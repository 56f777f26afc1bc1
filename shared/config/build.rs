//! Tells the crate which commit it is built from: the one that `GIT_COMMIT` names, for images and archives without a
//! repository, or else the one that is checked out. Runs again only when either changes.
//!
//! An unoptimised build does not look at the repository: it would be compiled again, with every crate and every test
//! above this one, after each commit.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Jenkins sets it by itself; `deploy/Dockerfile` and the release workflow set it, too.
const VARIABLE: &str = "GIT_COMMIT";
/// How many hexadecimal digits are shown: enough for any repository, and few enough to be read out.
const SHOWN_DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let commit = given().or_else(|| is_optimised().then(checked_out).flatten());
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let long = commit.as_ref().map_or_else(|| version.clone(), |commit| format!("{version} ({commit})"));
    println!("cargo::rustc-env=LARKFIRE_BUILD_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=LARKFIRE_BUILD_VERSION={long}");
}

/// The commit that the environment names. What is none is said, and counts for nothing.
fn given() -> Option<String> {
    let named = env::var(VARIABLE).ok().filter(|named| !named.is_empty())?;
    let shown = shown(&named);
    if shown.is_none() {
        println!("cargo::warning={VARIABLE} is not the name of a commit (7 to 64 hexadecimal digits)");
    }
    shown
}

fn shown(commit: &str) -> Option<String> {
    let is_one = (7..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| commit.to_ascii_lowercase().chars().take(SHOWN_DIGITS).collect())
}

fn is_optimised() -> bool {
    env::var("PROFILE").is_ok_and(|profile| profile == "release")
}

/// The commit of the repository whose root is ours: sources unpacked within another one are not that one's.
fn checked_out() -> Option<String> {
    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR")?).ancestors().nth(2)?.canonicalize().ok()?;
    let top = PathBuf::from(git(&root, &["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    if top != root {
        return None;
    }
    let commit = git(&root, &["rev-parse", "HEAD"])?;
    // The log of HEAD grows with every commit and with whatever else moves it; without a log, the branch's own file does.
    // cargo runs this every time if a file that it is to watch does not exist.
    let branch = git(&root, &["rev-parse", "--symbolic-full-name", "HEAD"]);
    let logged = watched(&root, "logs/HEAD");
    for file in [watched(&root, "HEAD"), logged.or_else(|| watched(&root, &branch?))].into_iter().flatten() {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    shown(&commit)
}

/// A file of the repository, wherever it has it, if it does.
fn watched(root: &Path, name: &str) -> Option<PathBuf> {
    let file = root.join(git(root, &["rev-parse", "--git-path", name])?);
    file.is_file().then_some(file)
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(said.trim().to_owned()).filter(|said| !said.is_empty())
}
