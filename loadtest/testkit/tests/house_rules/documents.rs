//! The documents: links that lead somewhere, a README one reads in ten minutes, and a Chinese twin for every user page.
#![expect(clippy::unwrap_used, reason = "code of tests: what goes wrong ends the test")]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Component, Path};

use crate::{read, root};

const READMES: [&str; 2] = ["README.md", "README.zh-CN.md"];
const README_BYTES_MAX: usize = 10 * 1024;

/// Pages of `docs/` for those who work on the code: in English only, as the code is.
const FOR_DEVELOPERS: &[&str] = &["ARCHITECTURE.md", "GLOSSARY.md"];

/// Every file below `folder` with this extension, as paths from the root; what is built or hidden is left out.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let is_built = name == "target" || name == "node_modules" || name.starts_with('.');
        if root().join(&path).is_dir() && !is_built {
            found.extend(files(&path, extension));
        } else if Path::new(&name).extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The page without its code blocks, where nothing is a heading or a link.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What can be jumped to: headings as GitHub names them, and anchors written by hand.
fn anchors(text: &str) -> BTreeSet<String> {
    let prose = prose(text);
    let mut seen = HashMap::new();
    let mut anchors = BTreeSet::new();
    for heading in prose.lines().filter(|line| line.starts_with('#')) {
        let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        let words: String = heading.trim_start_matches('#').trim().chars().filter(kept).collect();
        let slug = words.to_lowercase().replace(' ', "-");
        let before: &mut u32 = seen.entry(slug.clone()).or_default();
        anchors.insert(if *before == 0 { slug } else { format!("{slug}-{before}") });
        *before += 1;
    }
    let by_hand = prose.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    anchors.extend(by_hand.map(str::to_owned));
    anchors
}

/// The targets of the page's links and pictures that are no addresses on the web.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let outside_code = prose.split('`').step_by(2).collect::<Vec<_>>().join("`…`");
    let targets = outside_code.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).map(str::to_owned).collect()
}

/// `target` as seen from the page `from`, without `..`.
fn resolved(from: &str, target: &str) -> String {
    let mut path = Path::new(from).parent().unwrap().to_path_buf();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{from}: {target} leads out of the tree"),
            Component::CurDir => {}
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => path.push(part),
        }
    }
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let mut astray = Vec::new();
    for page in files("", "md") {
        for link in links(&read(&page)) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { page.clone() } else { resolved(&page, path) };
            let is_there = root().join(&target).exists();
            if !is_there || !(anchor.is_empty() || anchors(&read(&target)).contains(anchor)) {
                astray.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(astray.is_empty(), "nothing is where these lead: {astray:#?}");
}

#[test]
fn each_readme_fits_into_ten_kilobytes() {
    for readme in READMES {
        let bytes = read(readme).len();
        assert!(bytes <= README_BYTES_MAX, "{readme} has {bytes} bytes: what is for later goes to docs/");
    }
}

#[test]
fn every_page_for_users_has_a_twin_in_chinese_of_the_same_parts() {
    let shape = |page: &str| -> Vec<usize> {
        let text = read(page);
        ["\n## ", "\n### ", "\n```", "\n| ", "\n- ", "<a id="].map(|mark| text.matches(mark).count()).to_vec()
    };
    let pages = files("docs", "md");
    let named = |page: &String| page.strip_prefix("docs/").map(str::to_owned).unwrap();
    let (chinese, english): (Vec<String>, Vec<String>) =
        pages.iter().map(named).partition(|page| page.starts_with("zh-CN/"));
    let is_for_users =
        |page: &&String| !page.starts_with("reference/") && !FOR_DEVELOPERS.contains(&page.as_str());
    let of_users: Vec<_> = english.iter().filter(is_for_users).map(|page| format!("zh-CN/{page}")).collect();
    assert_eq!(of_users, chinese, "docs/ on the left, docs/zh-CN/ on the right");
    let mut twins: Vec<_> = of_users
        .iter()
        .map(|page| (format!("docs/{}", &page["zh-CN/".len()..]), format!("docs/{page}")))
        .collect();
    twins.push((READMES[0].to_owned(), READMES[1].to_owned()));
    for (english, chinese) in twins {
        assert_eq!(
            shape(&english),
            shape(&chinese),
            "{chinese}: headings, subheadings, code fences, table rows, points, anchors"
        );
    }
}

#[test]
fn every_dependency_has_its_reason_in_both_languages() {
    let manifest = read("Cargo.toml");
    let (_, table) = manifest.split_once("[workspace.dependencies]").unwrap();
    let lines = table.lines().take_while(|line| !line.starts_with('['));
    let foreign = lines.filter(|line| !line.contains("path =")).filter_map(|line| line.split_once(" = "));
    for (name, _) in foreign {
        for page in ["docs/dependencies.md", "docs/zh-CN/dependencies.md"] {
            assert!(read(page).contains(&format!("`{name}`")), "{page} does not say why {name} is there");
        }
    }
}

#[test]
fn a_log_line_of_the_runbook_is_one_that_the_code_writes() {
    let code = ["ingest/src", "worker/src", "shared", "standalone/src"]
        .map(|folder| files(folder, "rs").iter().map(|file| read(file)).collect::<Vec<_>>().concat());
    for (page, mark) in [("docs/operations.md", "- Log: "), ("docs/zh-CN/operations.md", "- 日志：")] {
        let text = read(page);
        let quoted: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix(mark))
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .collect();
        assert!(quoted.len() > 10, "{page} quotes {quoted:?} only");
        let unknown: Vec<_> =
            quoted.iter().filter(|said| !code.iter().any(|code| code.contains(**said))).collect();
        assert!(unknown.is_empty(), "{page} quotes what nothing logs: {unknown:?}");
    }
}
