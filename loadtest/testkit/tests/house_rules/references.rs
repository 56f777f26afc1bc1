//! The references that comments cite are in the tree: a comment names a page of `docs/reference/` by its title, and
//! headings of it by their numbers. And the page about Feishu has the codes that the verdict table decides about.
#![expect(clippy::unwrap_used, reason = "code of tests: what goes wrong ends the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::{read, root};

/// What a citation begins with, before the title.
const MARK: &str = "reference \"";
/// Feishu's shortest code but 0 has four digits; a status of HTTP has three.
const CODE_MIN: i64 = 1_000;
/// The sections of the page about Feishu whose tables have a verdict for each code.
const WITH_VERDICTS: [&str; 5] = ["1.5", "4.1", "4.7", "4.8", "4.9"];
/// The section about the codes within a refused card, of which nearly all are decided about alike.
const WITHIN_CARDS: &str = "3.8";
/// The two halves of the verdict table.
const VERDICT_TABLE: [&str; 2] = ["worker/src/feishu/verdict.rs", "worker/src/feishu/verdict/app.rs"];

/// The numbers of a page's headings, by its title.
type Pages = BTreeMap<String, BTreeSet<String>>;

/// Every file below `folder` with this extension, as paths from the root; what is built or hidden is left out.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let is_ours = name != "target" && !name.starts_with('.');
        if is_ours && root().join(&path).is_dir() {
            found.extend(files(&path, extension));
        } else if Path::new(&name).extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The number a heading begins with; none for the title, which has one `#`.
fn number_of(heading: &str) -> Option<String> {
    let words = heading.trim_start_matches('#');
    let number = words.split_whitespace().next()?.trim_end_matches('.');
    let is_number =
        number.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    (heading.starts_with("##") && is_number).then(|| number.to_owned())
}

/// The page's title and the numbers of its headings, in their order.
fn page(text: &str) -> (String, Vec<String>) {
    let title = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default();
    (title.to_owned(), text.lines().filter_map(number_of).collect())
}

fn pages() -> Pages {
    let each = files("docs/reference", "md").into_iter().map(|path| page(&read(&path)));
    each.map(|(title, numbers)| (title, numbers.into_iter().collect())).collect()
}

/// The comments of a file as one text, with the line at which each piece of it begins: a citation may go on in the
/// next line.
fn comments(source: &str) -> (String, Vec<(usize, usize)>) {
    let mut text = String::new();
    let mut lines = Vec::new();
    for (number, line) in source.lines().enumerate() {
        lines.push((text.len(), number + 1));
        if let Some((_, comment)) = line.split_once("//") {
            text.push_str(comment.trim_start_matches(['/', '!']).trim());
            text.push(' ');
        }
    }
    (text, lines)
}

/// The numbers a citation gives: `, 4.2, 4.4 (why), 4.5`, `, 4 and 5`, `, 3.1–3.4`. Of a range the first and the last.
fn numbers(mut rest: &str) -> Vec<String> {
    let mut numbers = Vec::new();
    loop {
        let between = [", ", " and ", "–"].into_iter().find_map(|between| rest.strip_prefix(between));
        let Some(next) = between else { return numbers };
        let end = next.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(next.len());
        let number = next[..end].trim_end_matches('.');
        if number.is_empty() {
            return numbers;
        }
        numbers.push(number.to_owned());
        rest = &next[number.len()..];
        // What the section is about may stand behind its number.
        if let Some((_, behind)) = rest.strip_prefix(" (").and_then(|about| about.split_once(')')) {
            rest = behind;
        }
    }
}

/// What the comments of a file cite that is not there, each with its line.
fn astray(source: &str, pages: &Pages) -> Vec<(usize, String)> {
    let (text, lines) = comments(source);
    let mut astray = Vec::new();
    for (place, _) in text.match_indices(MARK) {
        let line = lines.iter().rfind(|(begin, _)| *begin <= place).map_or(0, |(_, line)| *line);
        let (title, rest) = text[place + MARK.len()..].split_once('"').unwrap_or_default();
        let Some(headings) = pages.get(title) else {
            astray.push((line, format!("no page of docs/reference/ has the title {title:?}")));
            continue;
        };
        let cited = numbers(rest);
        if cited.is_empty() {
            astray.push((line, format!("{title:?} is cited without a number")));
        }
        let missing = cited.into_iter().filter(|number| !headings.contains(number));
        astray.extend(missing.map(|number| (line, format!("{title:?} has no heading {number}"))));
    }
    astray
}

#[test]
fn every_reference_that_a_comment_cites_is_a_heading() {
    let pages = pages();
    let mut astray_at = Vec::new();
    let mut cited = 0;
    for path in files("", "rs") {
        let source = read(&path);
        cited += comments(&source).0.matches(MARK).count();
        astray_at
            .extend(astray(&source, &pages).into_iter().map(|(line, why)| format!("{path}:{line}: {why}")));
    }
    assert!(astray_at.is_empty(), "these lead nowhere: {astray_at:#?}");
    assert!(cited >= 20, "only {cited} citations were found: are they written in another way now?");
}

#[test]
fn a_number_is_given_to_one_heading_of_a_page() {
    for path in files("docs/reference", "md") {
        let (title, numbers) = page(&read(&path));
        let distinct: BTreeSet<_> = numbers.iter().collect();
        assert!(!title.is_empty() && !numbers.is_empty(), "{path} cannot be cited");
        assert_eq!(distinct.len(), numbers.len(), "{path} has a number twice");
    }
}

#[test]
fn a_citation_that_leads_nowhere_is_found_with_its_line() {
    let pages = Pages::from([("Feishu".to_owned(), ["1.4", "1.5", "3.1", "3.4"].map(str::to_owned).into())]);
    let found = |source: &str| astray(source, &pages).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
    for right in [
        "/// As it says (reference \"Feishu\", 1.4).",
        "//! Reference \"Feishu\", 9.9 is no citation.",
        "/// Why (reference \"Feishu\",\n    /// 1.4 (how to read it), 1.5 (its\n    /// codes)). Then 7.",
        "x(); // reference \"Feishu\", 1.4 and 1.5: limits",
        "let text = \"reference \\\"Feishu\\\", 9.9\";",
    ] {
        assert_eq!(found(right), [0; 0], "{right}");
    }
    for (wrong, lines) in [
        ("fn f() {}\n/// As it says (reference \"Feishu\", 1.6).", &[2][..]),
        ("\n\n/// A line (reference\n/// \"Feishu\",\n/// 1.4, 2).", &[3]),
        ("/// It (reference \"Feishu\", 1.4 (about), 1.7 (more)).", &[1]),
        ("/// It (reference \"Feishu\", 3.1–3.5).", &[1]),
        ("/// It (reference \"Feishu\").", &[1]),
        ("/// It (reference \"Lark\", 1.4).\n/// And (reference \"Feishu\", 5 and 6).", &[1, 2, 2]),
    ] {
        assert_eq!(found(wrong), lines, "{wrong}");
    }
}

/// Whole numbers in a text of code or of a table: `230_020`, `10012..=10015`.
fn codes(text: &str) -> BTreeSet<i64> {
    let mut codes = BTreeSet::new();
    let mut before = None;
    for piece in text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.' | '=')) {
        for (place, number) in piece.split("..=").enumerate() {
            let Ok(number) = number.replace('_', "").parse::<i64>() else { continue };
            if let (1.., Some(first)) = (place, before) {
                codes.extend(first..=number);
            }
            codes.insert(number);
            before = Some(number);
        }
    }
    codes.retain(|code| *code >= CODE_MIN);
    codes
}

/// A file's code, without comments and tests.
fn code_of(path: &str) -> String {
    let text = read(path);
    let without_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = without_tests.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// The codes the verdict table decides about.
fn decided() -> BTreeSet<i64> {
    VERDICT_TABLE.into_iter().flat_map(|path| codes(&code_of(path))).collect()
}

/// The codes in the first column of the tables of these sections.
fn documented(sections: &[&str]) -> BTreeSet<i64> {
    let mut section = String::new();
    let mut documented = BTreeSet::new();
    for line in read("docs/reference/feishu.md").lines() {
        if line.starts_with('#') {
            section = number_of(line).unwrap_or_default();
        } else if sections.contains(&section.as_str())
            && let Some(row) = line.strip_prefix("| ")
        {
            documented.extend(codes(row.split('|').next().unwrap()));
        }
    }
    documented
}

#[test]
fn the_page_about_feishu_and_the_verdict_table_have_the_same_codes() {
    let decided = decided();
    let with_verdict = documented(&WITH_VERDICTS);
    let named = &with_verdict | &documented(&[WITHIN_CARDS]);
    let undocumented: Vec<_> = decided.difference(&named).collect();
    let undecided: Vec<_> = with_verdict.difference(&decided).collect();
    assert!(undocumented.is_empty(), "docs/reference/feishu.md has no line for {undocumented:?}");
    assert!(undecided.is_empty(), "no arm of the verdict table has {undecided:?}");
    assert!(decided.len() > 80, "the table was not found: {decided:?}");
}

/// The shortest code that is looked for all over the worker: numbers with four digits are all kinds of things.
const TELLING_CODE_MIN: i64 = 10_001;

#[test]
fn no_code_of_feishus_stands_outside_the_room_that_knows_feishu() {
    let telling: BTreeSet<_> = decided().into_iter().filter(|code| *code >= TELLING_CODE_MIN).collect();
    let is_elsewhere = |path: &String| {
        let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
        !path.starts_with("worker/src/feishu/") && !is_test
    };
    let mut found = BTreeMap::new();
    for path in files("worker/src", "rs").into_iter().filter(is_elsewhere) {
        let stray: Vec<_> = codes(&code_of(&path)).intersection(&telling).copied().collect();
        if !stray.is_empty() {
            found.insert(path, stray);
        }
    }
    assert!(telling.len() > 80, "the table was not found: {telling:?}");
    assert!(found.is_empty(), "give these a name in worker/src/feishu/limits.rs: {found:#?}");
}

#[test]
fn codes_are_read_from_code_and_from_tables() {
    let code = "10005 | 10012..=10014 | 99_991_662 if status == 429 => Meaning::Broken,";
    assert_eq!(codes(code), BTreeSet::from([10005, 10012, 10013, 10014, 99_991_662]));
    assert_eq!(codes(" 11213, 2200 "), BTreeSet::from([2200, 11213]));
}
