//! The map and the words are those of the tree: what `docs/ARCHITECTURE.md` and `docs/GLOSSARY.md` name as a path is
//! there, each word of the glossary stands where it says, and the map fits on one reading.
#![expect(clippy::unwrap_used, reason = "code of tests: what goes wrong ends the test")]

use std::fs;
use std::path::Path;

use crate::{read, root};

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const GLOSSARY: &str = "docs/GLOSSARY.md";
const ARCHITECTURE_BYTES_MAX: usize = 15 * 1024;
/// What paths are relative to: the tree, or the part of it that a section is about.
const BASES: [&str; 4] = ["", "worker/src/", "worker/", "ingest/src/"];
/// The folders that paths from the root begin with.
const TOP: [&str; 8] =
    ["console/", "deploy/", "docs/", "ingest/", "loadtest/", "shared/", "standalone/", "worker/"];

/// The texts between backticks, outside of blocks of code.
fn quoted(text: &str) -> Vec<String> {
    let prose = text.split("\n```").step_by(2).collect::<Vec<_>>().join("\n");
    prose.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// `a/{b,c}.rs` is two paths.
fn each_of(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let (choices, after) = rest.split_once('}').unwrap_or((rest, ""));
    choices.split(',').map(|choice| format!("{before}{choice}{after}")).collect()
}

/// Whether this is the name of a file or a folder: nothing is left open in it.
fn is_path(quoted: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | '{' | '}' | ',');
    let begins = TOP.iter().any(|top| quoted.starts_with(top)) || quoted.ends_with('/');
    begins && quoted.chars().all(letters) && !["NAME", "NNNN"].iter().any(|open| quoted.contains(open))
}

/// What is quoted as a path and is not there.
fn missing(text: &str, is_there: impl Fn(&str) -> bool) -> Vec<String> {
    let paths = quoted(text).into_iter().filter(|quoted| is_path(quoted)).flat_map(|path| each_of(&path));
    paths.filter(|path| !BASES.iter().any(|base| is_there(&format!("{base}{path}")))).collect()
}

/// Everything written in a file; or in the files of a folder, and in the one beside it.
fn code_in(path: &Path) -> String {
    if path.is_file() {
        return fs::read_to_string(path).unwrap();
    }
    let beside = fs::read_to_string(path.with_extension("rs")).unwrap_or_default();
    let Ok(entries) = fs::read_dir(path) else { return beside };
    let paths = entries.map(|entry| entry.unwrap().path());
    let ours = paths.filter(|path| path.is_dir() || path.extension().is_some_and(|end| end == "rs"));
    beside + &ours.map(|path| code_in(&path)).collect::<String>()
}

/// Whether the code has a type, a constant or a variant of this name.
fn defines(code: &str, name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let keyword = |word: &str| {
        code.match_indices(&format!("{word} {name}")).any(|(at, found)| ends(&code[at + found.len()..]))
    };
    let is_variant = |line: &str| {
        line.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with([',', '(', ' ']))
    };
    ["struct", "enum", "trait", "type", "const"].into_iter().any(keyword) || code.lines().any(is_variant)
}

/// Names and the path they should be found in: `` `A`, `B`, `path` ``.
fn placed(cell: &str) -> Vec<(String, String)> {
    let mut names = Vec::new();
    let mut placed = Vec::new();
    for quoted in quoted(cell) {
        if quoted.contains('/') {
            placed.extend(names.drain(..).map(|name| (name, quoted.clone())));
        } else {
            names.push(quoted);
        }
    }
    placed.extend(names.into_iter().map(|name| (name, String::new())));
    placed
}

/// The rows of the tables, without their headings.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").collect::<Vec<_>>()).filter(|cells| cells[0] != "word")
}

#[test]
fn every_path_on_the_map_and_in_the_glossary_is_there() {
    for page in [ARCHITECTURE, GLOSSARY] {
        let text = read(page);
        let is_there = |path: &str| root().join(path).exists();
        assert!(
            quoted(&text).iter().filter(|quoted| is_path(quoted)).count() > 20,
            "{page}: paths were not found"
        );
        assert_eq!(missing(&text, is_there), [""; 0], "{page} names what is not there");
    }
}

#[test]
fn every_word_of_the_glossary_is_where_it_says() {
    let text = read(GLOSSARY);
    let mut astray = Vec::new();
    for row in rows(&text) {
        for (name, path) in placed(row.last().unwrap()) {
            if path.is_empty() || !defines(&code_in(&root().join(&path)), &name) {
                astray.push(format!("{}: {name} in {path:?}", row[0]));
            }
        }
    }
    assert!(rows(&text).count() > 50, "the words were not found");
    assert!(astray.is_empty(), "not there: {astray:#?}");
}

#[test]
fn a_word_has_one_meaning() {
    let text = read(GLOSSARY);
    let mut words: Vec<_> = rows(&text).map(|row| row[0]).collect();
    words.sort_unstable();
    let twice: Vec<_> = words.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert_eq!(twice, [""; 0]);
}

#[test]
fn the_map_can_be_read_at_once_and_its_invariants_name_what_holds_them() {
    let text = read(ARCHITECTURE);
    assert!(text.len() <= ARCHITECTURE_BYTES_MAX, "{} bytes", text.len());
    let invariants: Vec<_> = text.lines().filter(|line| line.starts_with("- Invariant: ")).collect();
    let unheld =
        invariants.iter().filter(|line| quoted(line).iter().all(|quoted| quoted.starts_with("code ")));
    assert_eq!(unheld.collect::<Vec<_>>(), [&""; 0]);
    assert!(invariants.len() >= 10, "{invariants:?}");
}

/// The folders that `.dockerignore` lets through: without one of them `cargo build` in the image finds a member missing.
#[test]
fn an_image_is_built_from_every_member_of_the_workspace() {
    let context = read(".dockerignore");
    let kept: Vec<&str> = context.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let manifest = read("Cargo.toml");
    let (_, members) = manifest.split_once("members = [").unwrap();
    let members = quoted_members(members.split_once(']').unwrap().0);
    assert!(members.len() > 5, "{members:?}");
    let forgotten: Vec<_> = members
        .iter()
        .filter(|member| !kept.iter().any(|kept| Path::new(member).starts_with(kept)))
        .collect();
    assert!(forgotten.is_empty(), "not in .dockerignore: {forgotten:?}");
}

fn quoted_members(list: &str) -> Vec<&str> {
    list.split('"').skip(1).step_by(2).collect()
}

#[test]
fn what_is_not_there_is_found() {
    let there = |path: &str| ["worker/src/store", "docs/a.md", "worker/src/store/"].contains(&path);
    assert_eq!(
        missing("`docs/{a,b}.md`, `store/`, `stare/`, `docs/NAME.md`, `no path`", there),
        ["docs/b.md", "stare/"]
    );
    assert_eq!(missing("\n```\n`docs/b.md`\n```\n", there), [""; 0]);
    let code = "pub struct Ledger;\nenum Outcome {\n    Delivered,\n}\nconst LEASE: u8 = 1;";
    for (name, is_defined) in
        [("Ledger", true), ("Led", false), ("Delivered", true), ("LEASE", true), ("Told", false)]
    {
        assert_eq!(defines(code, name), is_defined, "{name}");
    }
    let cell = "in SQL `A`, `B`, `worker/src`; on the queue `C`";
    let expected =
        [("A", "worker/src"), ("B", "worker/src"), ("C", "")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(placed(cell), expected);
}
