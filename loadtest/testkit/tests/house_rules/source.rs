//! The house rules that no lint covers (CONTRIBUTING.md).
#![expect(clippy::unwrap_used, reason = "code of tests: what goes wrong ends the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

const FILE_LINES_MAX: usize = 700;

/// So many files say of themselves at least that they are pure; whoever takes the word from one says why.
const PURE_FILES_MIN: usize = 130;
/// What such code has no use for: I/O, the clock, chance.
const IMPURE: [&str; 10] = [
    "tokio::",
    "std::fs",
    "TcpStream",
    "UdpSocket",
    "std::env",
    "std::time::Instant",
    "Instant::now()",
    "reqwest::",
    "sqlx::",
    "clock::",
];

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
fn a_file_is_one_idea_of_at_most_700_lines() {
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

/// Whether the header of a file says that its code is pure, alone or with what comes in as an argument.
fn says_it_is_pure(text: &str) -> bool {
    let header = text.lines().take_while(|line| line.starts_with("//!"));
    header.flat_map(|line| line.split(' ')).any(|word| word == "Pure." || word == "Pure:")
}

/// What code that decides has no use for; its own tests, which may be below it, do as they like. A point in time is a
/// value like any other, and asking for it is not.
fn impurities(text: &str) -> Vec<&'static str> {
    let code = text.split("mod tests {").next().unwrap().replace("use tokio::time::Instant;", "");
    IMPURE.into_iter().filter(|name| code.contains(name)).collect()
}

#[test]
fn code_that_decides_does_no_io_and_reads_no_clock() {
    let files = rust_files(&root()).into_iter().map(|path| (fs::read_to_string(&path).unwrap(), path));
    let pure: Vec<_> = files.filter(|(text, _)| says_it_is_pure(text)).collect();
    for (text, path) in &pure {
        let found = impurities(text);
        assert!(found.is_empty(), "{} uses {found:?}", path.display());
    }
    assert!(pure.len() >= PURE_FILES_MIN, "only {} files say `Pure.`", pure.len());
}

#[test]
fn impure_code_is_found_above_and_below_the_name_of_a_module_of_tests() {
    let outside = "//! Decides. Pure.\n#[cfg(test)]\nmod tests;\nuse std::fs;\n";
    assert!(says_it_is_pure(outside));
    assert_eq!(impurities(outside), ["std::fs"]);
    let inside = "//! Pure: the time\n//! is an argument.\nuse tokio::time::Instant;\n#[cfg(test)]\nmod tests {\nuse std::fs;";
    assert!(says_it_is_pure(inside));
    assert_eq!(impurities(inside), [""; 0]);
    assert_eq!(impurities("fn now() -> Instant { Instant::now() }"), ["Instant::now()"]);
    assert!(!says_it_is_pure("//! Purely for show.\n\n// Pure."));
}

/// Words that types had before they were named by the terms of the field: nobody would search for them.
const REFUSED_WORDS: &str = "House Rooms Tools Desk Parcel Book Recent Onward Parking Death Burial Ring Weather Spell \
    Album Trial Tries Office Clerk Voice Deed Wanting Crowd Member Working Letter Seal Doubt Disbelief Door Keeper \
    Lane Demand Ballast Outlet Way Came Story Telling Roster Manners Stage Hand";

/// The types a text declares, each with whether it is declared at the top of its module.
fn declared_types(text: &str) -> Vec<(&str, bool)> {
    let declared = |line| {
        let mut words = str::split_whitespace(line).skip_while(|word| word.starts_with("pub"));
        // `pub(in some::path)` is two words.
        let kind = words.by_ref().find(|word| !word.ends_with(')'))?;
        let name = words.next().filter(|_| ["struct", "enum", "trait", "type", "union"].contains(&kind))?;
        let name = name.split(|c: char| !c.is_alphanumeric()).next()?;
        Some((name, !line.starts_with(' ')))
    };
    text.lines().filter_map(declared).collect()
}

/// The words a name in camel case consists of; a dead letter is one word.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for character in name.replace("DeadLetter", "Deadletter").chars() {
        match words.last_mut() {
            Some(word) if !character.is_uppercase() => word.push(character),
            _ => words.push(character.to_string()),
        }
    }
    words
}

fn refused_word(name: &str) -> bool {
    words_of(name).iter().any(|word| REFUSED_WORDS.split_whitespace().any(|refused| refused == word))
}

#[test]
fn types_are_named_by_the_words_of_the_field() {
    for path in rust_files(&root()) {
        let text = fs::read_to_string(&path).unwrap();
        let refused: Vec<_> =
            declared_types(&text).into_iter().filter(|(name, _)| refused_word(name)).collect();
        assert!(refused.is_empty(), "{}: {refused:?}; docs/GLOSSARY.md has the field's word", path.display());
    }
}

#[test]
fn a_refused_word_is_found_alone_and_in_company() {
    let text = "pub(in crate::a) struct House<'h> {\n    type Way = ();\npub enum StageError {\nlet type_of = Way;\n";
    assert_eq!(declared_types(text), [("House", true), ("Way", false), ("StageError", true)]);
    assert!(["House", "StageError", "LetterState"].into_iter().all(refused_word));
    assert!(!["Household", "DeadLetterState", "WorkerHandle"].into_iter().any(refused_word));
}

/// The folder of the crate a file belongs to.
fn crate_of(path: &Path) -> &Path {
    path.ancestors().find(|folder| folder.join("Cargo.toml").is_file()).unwrap()
}

#[test]
fn the_name_of_a_type_is_unique_in_its_crate() {
    let is_test =
        |path: &Path| path.iter().any(|name| name == "tests" || name == "tests.rs" || name == "benches");
    let mut places = BTreeMap::<_, Vec<_>>::new();
    for path in rust_files(&root()).iter().filter(|path| !is_test(path)) {
        let text = fs::read_to_string(path).unwrap();
        for (name, _) in declared_types(&text).into_iter().filter(|(_, is_on_top)| *is_on_top) {
            places.entry((crate_of(path).to_owned(), name.to_owned())).or_default().push(path.clone());
        }
    }
    places.retain(|_, paths| paths.len() > 1);
    assert!(places.is_empty(), "one name, one meaning: {places:#?}");
}

/// Where the bracket that is opened at `open` is closed; brackets in texts and comments do not count.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut chars = text[open..].char_indices().peekable();
    while let Some((at, character)) = chars.next() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + at);
                }
            }
            '"' => {
                while chars.next().is_some_and(|(_, c)| c != '"' && (c != '\\' || chars.next().is_some())) {}
            }
            '\'' if text[open + at..].chars().nth(2) == Some('\'') => drop((chars.next(), chars.next())),
            '/' if chars.peek().is_some_and(|(_, next)| *next == '/') => {
                while chars.next().is_some_and(|(_, c)| c != '\n') {}
            }
            _ => {}
        }
    }
    None
}

/// Each `let` that puts a tuple together to take it apart, by its pattern.
fn tuples_for_nothing(text: &str) -> Vec<&str> {
    let found = |(at, _)| {
        let open = at + "let ".len();
        let pattern_end = closing(text, open)? + 1;
        let equals = pattern_end + text[pattern_end..].find('=')?;
        let is_plain = |between: &str| between.trim().is_empty() || between.trim_start().starts_with(':');
        let value = equals + 1 + text[equals + 1..].find(|c: char| !c.is_whitespace())?;
        let is_tuple = is_plain(&text[pattern_end..equals]) && text[value..].starts_with('(');
        let is_all = || closing(text, value).is_some_and(|end| text[end + 1..].starts_with(';'));
        (is_tuple && is_all()).then(|| &text[open..pattern_end])
    };
    text.match_indices("let (").filter_map(found).collect()
}

/// Each function with an argument that is several.
fn tuples_as_arguments(text: &str) -> Vec<&str> {
    let found = |(at, _)| {
        let rest = &text[at + "fn ".len()..];
        let name = &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_')?];
        let mut depth = 0_i32;
        let open = rest.char_indices().zip(rest.chars().skip(1)).find_map(|((at, c), next)| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            // The arrow in the bound of a closure closes nothing.
            depth += i32::from(c == '-' && next == '>');
            (c == '(' && depth == 0).then_some(at)
        })?;
        let mut arguments = &rest[open + 1..closing(rest, open)?];
        loop {
            arguments = arguments.trim_start();
            let is_several = |end| arguments[end + 1..].starts_with(':');
            if arguments.starts_with('(') && closing(arguments, 0).is_some_and(is_several) {
                return Some(name);
            }
            arguments = &arguments[next_argument(arguments)?..];
        }
    };
    text.match_indices("fn ").filter_map(found).collect()
}

/// Where the argument after the first one begins.
fn next_argument(arguments: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += arguments[at..].find(['(', '[', '{', ','])?;
        if arguments[at..].starts_with(',') {
            return Some(at + 1);
        }
        at = closing(arguments, at)? + 1;
    }
}

#[test]
fn arguments_are_separate_and_tuples_are_made_to_stay() {
    for path in rust_files(&root()) {
        let text = fs::read_to_string(&path).unwrap();
        let lets = tuples_for_nothing(&text);
        assert!(lets.is_empty(), "{}: a `let` each, please: {lets:#?}", path.display());
        let functions = tuples_as_arguments(&text);
        assert!(functions.is_empty(), "{}: {functions:?} take several arguments as one", path.display());
    }
}

#[test]
fn tuples_that_stand_for_several_are_found() {
    let lets = "let (a, b) = (x(\")\"), y);\nlet (c, d): (u8, u8) =\n    (1, 2);\nlet (e, f) = (g, h).swap();\nlet (i, j) = k();";
    assert_eq!(tuples_for_nothing(lets), ["(a, b)", "(c, d)"]);
    let taken = "FN one<F: Fn(A) -> B>(&self, x: HashMap<A, (B, C)>, (y, z): (Y, Z)) {}\nFN two(\n    (a, b): Pair,\n) {}".replace("FN", "fn");
    assert_eq!(tuples_as_arguments(&taken), ["one", "two"]);
    assert_eq!(
        tuples_as_arguments("fn three(a: (u8, u8), f: impl Fn((u8, u8))) { let g = |(a, b)| a; }"),
        [""; 0]
    );
}

/// The arguments of each call of one of tracing's macros in this text.
fn log_lines(text: &str) -> Vec<&str> {
    let macros = ["error!(", "warn!(", "info!(", "debug!(", "trace!("];
    let calls = macros.iter().flat_map(|call| text.match_indices(call).map(|(at, _)| at + call.len()));
    let whole = |from: usize| {
        let mut depth = 1;
        let mut is_quoted = false;
        let mut is_escaped = false;
        let end = text[from..].char_indices().find(|(_, letter)| {
            match letter {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = is_quoted,
                '"' => is_quoted = !is_quoted,
                '(' if !is_quoted => depth += 1,
                ')' if !is_quoted => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        &text[from..end.map_or(text.len(), |(at, _)| from + at)]
    };
    calls.map(whole).collect()
}

#[test]
fn the_message_of_a_log_line_is_constant_and_what_varies_is_in_its_fields() {
    let mut varying = Vec::new();
    let folders = ["ingest/src", "worker/src", "standalone/src", "shared"];
    for path in folders.iter().flat_map(|folder| rust_files(&root().join(folder))) {
        let text = fs::read_to_string(&path).unwrap();
        let quoted = |line: &&&str| line.split('"').skip(1).step_by(2).any(|said| said.contains('{'));
        varying
            .extend(log_lines(&text).iter().filter(quoted).map(|line| format!("{}: {line}", path.display())));
    }
    assert!(varying.is_empty(), "put these into fields: {varying:#?}");
}
