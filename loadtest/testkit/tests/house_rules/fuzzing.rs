//! Every fuzz target has a corpus in the tree and half an hour a week, and is built of what is released.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::{read, root};

const FOLDER: &str = "ingest/fuzz";
const WORKFLOW: &str = ".github/workflows/weekly.yaml";

/// What lies in a folder below the fuzzer's, by name.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(FOLDER).join(folder)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_fuzz_target_is_built_has_a_corpus_and_is_run_every_week() {
    let targets: Vec<_> =
        names("fuzz_targets").iter().map(|file| file.trim_end_matches(".rs").to_owned()).collect();
    assert!(targets.len() >= 16, "{targets:?}");
    assert_eq!(names("corpus"), targets, "a folder in the corpus for each target, and no other");
    let manifest = read(&format!("{FOLDER}/Cargo.toml"));
    let workflow = read(WORKFLOW);
    let matrix = workflow.lines().find_map(|line| line.trim().strip_prefix("target: [")?.strip_suffix(']'));
    let mut run: Vec<_> = matrix.unwrap().split(", ").map(str::to_owned).collect();
    run.sort();
    assert_eq!(run, targets, "what {WORKFLOW} runs");
    assert!(workflow.contains("-max_total_time=1800"), "half an hour each");
    for target in targets {
        assert!(manifest.contains(&format!("name = \"{target}\"\n")), "{target} is not built");
        let seeds = names(&format!("corpus/{target}"));
        assert!(seeds.len() >= 3, "{target} begins with {seeds:?}");
    }
}

/// The versions of each package that a lock has.
fn locked(path: &str) -> BTreeMap<String, BTreeSet<String>> {
    let lock = read(path);
    let lines: Vec<_> = lock.lines().collect();
    let value =
        |line: &str, key: &str| Some(line.strip_prefix(key)?.trim_matches([' ', '=', '"']).to_owned());
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pair in lines.windows(2) {
        if let (Some(name), Some(version)) = (value(pair[0], "name"), value(pair[1], "version")) {
            versions.entry(name).or_default().insert(version);
        }
    }
    assert!(!versions.is_empty(), "{path}");
    versions
}

#[test]
fn what_is_fuzzed_is_locked_as_what_is_released() {
    const UPDATE: &str =
        "cp Cargo.lock ingest/fuzz/ && cargo metadata --manifest-path ingest/fuzz/Cargo.toml >/dev/null";
    let released = locked("Cargo.lock");
    for (name, versions) in locked(&format!("{FOLDER}/Cargo.lock")) {
        if let Some(known) = released.get(&name) {
            assert!(
                versions.is_subset(known),
                "{name} is fuzzed at {versions:?} and released at {known:?}: {UPDATE}"
            );
        }
    }
}
