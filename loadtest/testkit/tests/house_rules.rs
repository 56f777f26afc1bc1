//! The house rules that no lint covers (CONTRIBUTING.md).
#![expect(clippy::unwrap_used, clippy::panic, reason = "code of tests: what goes wrong ends the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 300;

/// Files and folders whose code decides and does nothing else.
const PURE: &[&str] = &[
    "shared/src/alert.rs",
    "shared/src/alert",
    "shared/src/check/summary.rs",
    "shared/src/check/warnings.rs",
    "shared/src/check/warnings",
    "shared/src/envelope.rs",
    "shared/src/envelope",
    "shared/src/retry.rs",
    "shared/src/interaction.rs",
    "shared/src/matcher.rs",
    "shared/src/signature.rs",
    "shared/src/signature",
    "ingest/src/gate.rs",
    "ingest/src/gate",
    "ingest/src/lark",
    "ingest/src/source",
    "ingest/src/spool/record.rs",
    "worker/src/card.rs",
    "worker/src/card",
    "worker/src/cards/state.rs",
    "worker/src/dead_letters/burial.rs",
    "worker/src/command/users/csv.rs",
    "worker/src/command/users/reading.rs",
    "worker/src/owner/glob.rs",
    "worker/src/owner/person.rs",
    "worker/src/owner/roster.rs",
    "worker/src/owner/rotation.rs",
    "worker/src/owner/rules.rs",
    "worker/src/owner/table/row.rs",
    "worker/src/link.rs",
    "worker/src/link",
    "worker/src/routing.rs",
    "worker/src/routing",
    "worker/src/test_alert.rs",
    "worker/src/feishu/verdict.rs",
    "worker/src/feishu/verdict",
    "worker/src/outbox/route.rs",
    "loadtest/driver/account.rs",
    "loadtest/driver/cards.rs",
    "loadtest/driver/figure.rs",
    "loadtest/driver/plan.rs",
    "loadtest/driver/report/page.rs",
    "loadtest/driver/report/plot.rs",
    "loadtest/driver/template.rs",
    "loadtest/driver/timeline.rs",
    "worker/src/alertmanager/wish.rs",
    "worker/src/interaction/answer.rs",
    "worker/src/interaction/buttons.rs",
    "worker/src/interaction/command.rs",
    "worker/src/interaction/report.rs",
    "worker/src/interaction/rules.rs",
    "worker/src/interaction/target.rs",
    "worker/src/interaction/value.rs",
    "worker/src/interaction/value",
];
/// What such code has no use for: I/O, the clock, chance.
const IMPURE: [&str; 9] = [
    "tokio::",
    "std::fs",
    "TcpStream",
    "UdpSocket",
    "std::env",
    "std::time::Instant",
    "reqwest::",
    "sqlx::",
    "clock::",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The Rust files of the house below `folder`, or `folder` itself if it is one.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    if folder.is_file() {
        return vec![folder.to_owned()];
    }
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        !name.starts_with('.') && name != "target" && (path.is_dir() || name.ends_with(".rs"))
    };
    entries.filter(ours).flat_map(|path| rust_files(&path)).collect()
}

#[test]
fn a_file_is_one_idea_of_at_most_300_lines() {
    let lines = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count();
    let long: Vec<_> = rust_files(&root()).into_iter().filter(|path| lines(path) > FILE_LINES_MAX).collect();
    assert!(long.is_empty(), "split these by role: {long:#?}");
}

#[test]
fn modules_stand_beside_their_folders() {
    let old_style: Vec<_> = rust_files(&root()).into_iter().filter(|path| path.ends_with("mod.rs")).collect();
    assert!(old_style.is_empty(), "`foo.rs` beside `foo/`, please: {old_style:?}");
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let says = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        text.starts_with("//!") || path.ends_with("tests.rs")
    };
    let silent: Vec<_> = rust_files(&root()).into_iter().filter(|path| !says(path)).collect();
    assert!(silent.is_empty(), "a `//!` line is missing in {silent:?}");
}

#[test]
fn code_that_decides_does_no_io_and_reads_no_clock() {
    for path in PURE.iter().flat_map(|path| rust_files(&root().join(path))) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let found: Vec<_> = IMPURE.iter().filter(|name| code.contains(**name)).collect();
        assert!(found.is_empty() || path.ends_with("tests.rs"), "{} uses {found:?}", path.display());
    }
}

#[test]
fn both_readmes_list_every_setting_and_every_variable() {
    let settings = [
        "settings",
        "app",
        "receivers",
        "routes",
        "links",
        "templates",
        "owners",
        "owners/table",
        "interactions",
    ]
    .map(|name| read(&format!("shared/src/config/{name}.rs")))
    .concat();
    let calls = settings.split("key(").chain(settings.split("key_or(")).skip(1);
    let names: BTreeSet<&str> = calls
        .filter_map(|call| call.split_once(')'))
        .flat_map(|(arguments, _)| arguments.split(','))
        .filter_map(|argument| argument.trim().strip_prefix('"')?.strip_suffix('"'))
        .collect();
    assert!(names.contains("listen") && names.contains("API_KEYS"), "the settings were not found: {names:?}");
    for readme in ["README.md", "README.zh-CN.md"] {
        let text = read(readme);
        let told =
            |name: &str| [format!("`{name}`"), format!(".{name}`")].iter().any(|form| text.contains(form));
        let untold: Vec<_> = names.iter().filter(|name| !told(name)).collect();
        assert!(untold.is_empty(), "{readme} does not list {untold:?}");
    }
}

#[test]
fn both_readmes_say_why_each_dependency_is_there() {
    let manifest = read("Cargo.toml");
    let (_, table) = manifest.split_once("[workspace.dependencies]").unwrap();
    let lines = table.lines().take_while(|line| !line.starts_with('['));
    let foreign = lines.filter(|line| !line.contains("path =")).filter_map(|line| line.split_once(" = "));
    for (name, _) in foreign {
        for readme in ["README.md", "README.zh-CN.md"] {
            assert!(read(readme).contains(&format!("`{name}`")), "{readme} does not say why {name} is there");
        }
    }
}

#[test]
fn both_readmes_have_the_same_parts() {
    let shape = |readme: &str| -> Vec<usize> {
        let text = read(readme);
        ["\n## ", "\n```", "\n| ", "\n- "].map(|mark| text.matches(mark).count()).to_vec()
    };
    assert_eq!(shape("README.md"), shape("README.zh-CN.md"), "headings, code fences, table rows, points");
}
