//! The modules of a crate build on each other in one direction: siblings in no circle, top-level ones in a known order.
#![expect(clippy::unwrap_used, reason = "code of tests: what goes wrong ends the test")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Top-level modules of a crate, bottom first: each imports only from those before it.
const ORDER: &[&str] = &[
    "shared/model: secret alert matcher when envelope interaction signature",
    "shared/runtime: clock entropy data_dir plain retry documents metrics lifecycle tls telemetry",
    "shared/queue: message metrics rabbitmq",
    "ingest: source expansion addressing gate hooks settings live_gate slowdown refusal_log answer memory body lark route metrics \
     spool connections accept server program fuzzing mutations",
    "worker: store installation audit budget ledger routing people oncall link render feishu pictures directory metrics test_alert own_alerts heartbeats \
     alertmanager card_buttons preview receiver receiver_status templates sent_cards card_store dead_letters trouble firing summarised fallbacks storms history escalation interactions \
     delivery cleaning background probe command console_backend parts program",
    "console: language data backend access assets document request answer entrance route frame shared_sheets parts links pages console handling",
    "standalone: control transport explain migrate preview program",
];

/// The code of each module by its path in the crate, tests and the crate's own file left out.
type Modules = BTreeMap<PathBuf, String>;
/// One import for each pair of siblings of which the first imports from the second.
type Edges = BTreeMap<(OsString, OsString), String>;

fn modules(source: &Path) -> Modules {
    let mut found = Modules::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let module = path.strip_prefix(source).unwrap().with_extension("");
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some(OsStr::new("rs")) {
                found.insert(module, fs::read_to_string(path).unwrap());
            }
        }
    }
    found.retain(|module, _| module.iter().all(|name| name != "tests" && name != "lib" && name != "main"));
    found
}

/// Code without comments, tests and braces in use trees: `a::{b, c::d}` is `a::b, a::c::d`.
fn flat(code: &str) -> String {
    let lines = code.split("\nmod tests {").next().unwrap().lines();
    let mut code: String = lines.flat_map(|line| [line.split("//").next().unwrap(), "\n"]).collect();
    while let Some(open) = code.rfind("::{") {
        let end = open + code[open..].find('}').unwrap();
        let path = code[..open].rsplit(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).next().unwrap();
        let names = code[open + 3..end].split(',').map(|name| format!("{path}::{}", name.trim()));
        let start = open - path.len();
        let names = names.collect::<Vec<_>>().join(", ");
        code.replace_range(start..=end, &names);
    }
    code
}

/// Who imports from whom among the children of each module; the crate itself has the empty path.
fn siblings(modules: &Modules) -> BTreeMap<PathBuf, Edges> {
    let step = |module: PathBuf, name: &str| match name {
        "crate" => PathBuf::new(),
        "super" => module.parent().map(Path::to_owned).unwrap_or_default(),
        "self" => module,
        name => module.join(name),
    };
    let mut levels = BTreeMap::<_, Edges>::new();
    for (module, code) in modules {
        for path in flat(code).split(|c: char| !c.is_alphanumeric() && !"_:".contains(c)) {
            let mut target = path.split("::").fold(module.clone(), step);
            while !modules.contains_key(&target) && target.pop() {}
            let common = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            let child = |of: &Path| of.iter().nth(common).map(OsStr::to_owned);
            if let (Some(from), Some(to)) = (child(module), child(&target)) {
                let edges = levels.entry(module.iter().take(common).collect()).or_default();
                edges.insert((from, to), format!("{} imports {path}", module.display()));
            }
        }
    }
    levels
}

/// The shortest circle through a module, if it is in one.
fn circle(edges: &Edges, start: &OsStr) -> Option<BTreeSet<String>> {
    let mut reached = BTreeSet::new();
    let mut ways = VecDeque::from([(start, BTreeSet::new())]);
    while let Some((end, way)) = ways.pop_front() {
        for ((_, to), import) in edges.iter().filter(|((from, _), _)| from == end) {
            let way: BTreeSet<_> = way.iter().chain([import]).cloned().collect();
            if to == start {
                return Some(way);
            }
            if reached.insert(to) {
                ways.push_back((to, way));
            }
        }
    }
    None
}

/// Circles as their imports, at all levels; each is there once, though it leads through several modules.
fn circles(modules: &Modules) -> BTreeSet<BTreeSet<String>> {
    let of_module =
        |edges: &Edges| edges.keys().filter_map(|(module, _)| circle(edges, module)).collect::<Vec<_>>();
    siblings(modules).values().flat_map(of_module).collect()
}

#[test]
fn no_modules_of_a_crate_import_each_other_in_a_circle() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let (_, members) = manifest.split_once("\nmembers = [").unwrap();
    let names = members.split(']').next().unwrap().split(',').map(|name| name.trim().trim_matches('"'));
    let circles = |name: &str| {
        let folders = ["src", "driver"].map(|folder| Path::new(ROOT).join(name).join(folder));
        (name.to_owned(), circles(&modules(folders.iter().find(|folder| folder.is_dir()).unwrap())))
    };
    let found = names.filter(|name| !name.is_empty()).map(circles);
    let found: BTreeMap<_, _> = found.filter(|(_, circles)| !circles.is_empty()).collect();
    assert!(found.is_empty(), "move down what both sides need: {found:#?}");
}

#[test]
fn top_level_modules_import_only_from_those_below_them() {
    for (name, order) in ORDER.iter().map(|line| line.split_once(": ").unwrap()) {
        let modules = modules(&Path::new(ROOT).join(name).join("src"));
        let present: BTreeSet<_> = modules.keys().filter_map(|path| path.iter().next()?.to_str()).collect();
        assert_eq!(present, order.split(' ').collect(), "{name}: each module has its place in the order");
        let place = |module: &OsStr| order.split(' ').position(|name| name == module);
        let mut upwards = siblings(&modules).remove(Path::new("")).unwrap_or_default();
        upwards.retain(|(from, to), _| place(to) > place(from));
        assert!(upwards.is_empty(), "{name}: {:#?}", upwards.values());
    }
}

fn imports_of_circles(files: &[(&str, &str)]) -> Vec<String> {
    let modules = files.iter().map(|(module, code)| (module.into(), (*code).to_owned()));
    circles(&modules.collect()).into_iter().flatten().collect()
}

#[test]
fn a_circle_is_found_with_an_import_for_each_edge() {
    let [top, a] = [("top", "use crate::a::X;"), ("a", "use crate::b;")];
    let [b, c] = [("b", "fn f() { super::c::g() }"), ("c", "pub use crate::a::{X, Y};")];
    let all = ["a imports crate::b", "b imports super::c::g", "c imports crate::a::Y"];
    assert_eq!(imports_of_circles(&[top, a, b, c]), all);
    assert!(imports_of_circles(&[top, a, b, ("c", "")]).is_empty());
}

#[test]
fn a_circle_is_found_at_a_lower_level_and_in_nested_braces() {
    let group = "use crate::{\n    other::{X, Y as Z, *},\n    p::{V, b::{self, T}},\n};";
    let files = [("other", ""), ("p", ""), ("p/a/deep", group), ("p/b", "use super::a::deep::W;")];
    let both = ["p/a/deep imports crate::p::b::T", "p/b imports super::a::deep::W"];
    assert_eq!(imports_of_circles(&files), both);
}

#[test]
fn comments_tests_and_what_parent_and_child_share_make_no_circle() {
    let a = "/// See [`crate::b`].\nfn f() {} // super::b::g\nmod tests {\n    use crate::b;\n}";
    assert!(imports_of_circles(&[("a", a), ("b", "use crate::a::X;")]).is_empty());
    assert!(imports_of_circles(&[("a", "use self::child::X;"), ("a/child", "use super::Y;")]).is_empty());
}
