//! Which commit a build says it is made from: `build.rs`, run in repositories of the test's own.
#![expect(clippy::unwrap_used, reason = "a test that cannot run the build script has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

/// The script as a program of its own.
static SCRIPT: LazyLock<PathBuf> = LazyLock::new(|| {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("build-script-{}", std::process::id()));
    let mut compiler = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    compiler.args(["--edition", "2024", concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs"), "-o"]);
    assert!(compiler.arg(&program).status().unwrap().success());
    program
});

/// Sources with the crate where it is in ours, `shared/config`.
struct Sources(TempDir);

impl Sources {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("shared/config")).unwrap();
        Self(folder)
    }

    fn under_git() -> Self {
        let sources = Self::new();
        sources.git(&["init", "--quiet"]);
        sources.commit();
        sources
    }

    fn commit(&self) {
        let who = ["-c", "user.name=A", "-c", "user.email=a@b.example"];
        self.git(&[&who[..], &["commit", "--quiet", "--allow-empty", "--message", "m"]].concat());
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git").arg("-C").arg(self.0.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What the script tells cargo.
    fn built(&self, profile: &str, commit: Option<&str>) -> Vec<String> {
        let mut script = Command::new(&*SCRIPT);
        script.env("CARGO_MANIFEST_DIR", self.0.path().join("shared/config")).env("PROFILE", profile);
        script.env("CARGO_PKG_VERSION", "1.2.3").env_remove("GIT_COMMIT");
        let output = script.envs(commit.map(|commit| ("GIT_COMMIT", commit))).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

fn said(built: &[String], name: &str) -> String {
    let beginning = format!("cargo::rustc-env={name}=");
    built.iter().find_map(|line| line.strip_prefix(&beginning)).unwrap().to_owned()
}

fn watched(built: &[String]) -> Vec<PathBuf> {
    built.iter().filter_map(|line| line.strip_prefix("cargo::rerun-if-changed=")).map(PathBuf::from).collect()
}

#[test]
fn an_optimised_build_says_the_commit_that_is_checked_out_and_watches_what_moves_it() {
    let sources = Sources::under_git();
    let built = sources.built("release", None);
    let head = &sources.git(&["rev-parse", "HEAD"])[..12];
    assert_eq!(said(&built, "LARKFIRE_BUILD_COMMIT"), head);
    assert_eq!(said(&built, "LARKFIRE_BUILD_VERSION"), format!("1.2.3 ({head})"));
    let log = sources.0.path().canonicalize().unwrap().join(".git/logs/HEAD");
    assert!(watched(&built).contains(&log), "{built:?}");
    let before = fs::read(&log).unwrap();
    sources.commit();
    assert_ne!(fs::read(&log).unwrap(), before, "a commit is seen there");
}

#[test]
fn all_that_is_watched_is_there_or_each_build_would_begin_anew() {
    let sources = Sources::under_git();
    sources.git(&["config", "core.logAllRefUpdates", "false"]);
    fs::remove_dir_all(sources.0.path().join(".git/logs")).unwrap();
    let built = sources.built("release", None);
    let files = watched(&built);
    assert!(files.iter().any(|file| file.starts_with(sources.0.path().join(".git/refs/heads"))), "{built:?}");
    assert!(files.iter().skip(1).all(|file| file.is_file()), "{files:?}");
}

#[test]
fn the_commit_that_the_environment_names_is_said_also_without_a_repository() {
    let commit = "0123456789ABCDEF0123456789abcdef01234567";
    for sources in [Sources::new(), Sources::under_git()] {
        for profile in ["debug", "release"] {
            let built = sources.built(profile, Some(commit));
            assert_eq!(said(&built, "LARKFIRE_BUILD_VERSION"), "1.2.3 (0123456789ab)");
        }
    }
}

#[test]
fn what_is_no_commit_is_warned_about_and_not_said() {
    let built = Sources::new().built("release", Some("main; echo"));
    assert_eq!(said(&built, "LARKFIRE_BUILD_VERSION"), "1.2.3");
    assert_eq!(said(&built, "LARKFIRE_BUILD_COMMIT"), "unknown");
    assert!(built.iter().any(|line| line.starts_with("cargo::warning=GIT_COMMIT")), "{built:?}");
}

#[test]
fn an_unoptimised_build_is_not_made_anew_for_each_commit() {
    let built = Sources::under_git().built("debug", None);
    assert_eq!(said(&built, "LARKFIRE_BUILD_COMMIT"), "unknown");
    assert_eq!(watched(&built), [PathBuf::from("build.rs")]);
}

#[test]
fn sources_unpacked_within_another_repository_are_not_that_ones() {
    let other = Sources::under_git();
    let inner = other.0.path().join("unpacked/shared/config");
    fs::create_dir_all(&inner).unwrap();
    let mut script = Command::new(&*SCRIPT);
    script.env("CARGO_MANIFEST_DIR", &inner).env("PROFILE", "release").env_remove("GIT_COMMIT");
    let output = String::from_utf8(script.output().unwrap().stdout).unwrap();
    assert!(output.contains("LARKFIRE_BUILD_COMMIT=unknown"), "{output}");
}
