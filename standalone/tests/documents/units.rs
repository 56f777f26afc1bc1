//! The units of systemd in `deploy/`: that they give a process no more than it needs, and name what there is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `systemd-analyze security` may say at most, in tenths: 2.0 of 10.
const EXPOSURE_MAX: &str = "20";
const BINARIES: [&str; 3] = ["larkfire", "larkfire-ingest", "larkfire-worker"];

fn unit(binary: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../deploy/systemd/{binary}.service"))
}

#[test]
fn no_unit_leaves_its_process_more_than_it_needs() {
    for binary in BINARIES {
        let threshold = format!("--threshold={EXPOSURE_MAX}");
        let words = ["security", "--offline=true", "--no-pager", &threshold];
        let done = Command::new("systemd-analyze").args(words).arg(unit(binary)).output().unwrap();
        let said =
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{binary}: {said}");
        assert!(said.contains("Overall exposure level"), "{binary}: {said}");
    }
}

#[test]
fn each_unit_starts_its_binary_with_variables_that_there_are() {
    let known: Vec<_> = config::registry::settings().filter_map(|setting| setting.variable).collect();
    for binary in BINARIES {
        let text = fs::read_to_string(unit(binary)).unwrap();
        assert!(text.contains(&format!("\nExecStart=/usr/bin/{binary}\n")), "{binary}");
        for set in text.lines().filter_map(|line| line.strip_prefix("Environment=")) {
            let (variable, _) = set.split_once('=').unwrap();
            assert!(known.contains(&variable), "{binary}: {variable} is a variable of no setting");
        }
    }
}
