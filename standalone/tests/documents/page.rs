//! Pages of which one part is generated and the rest is written by hand.

use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- generated: begin -->\n";
const END: &str = "<!-- generated: end -->\n";
/// Set, it writes the part anew instead of failing.
const UPDATE: &str = "UPDATE_DOCS";

/// Holds that the part of this page below `docs` between the marks is `generated`, or makes it so.
pub(crate) fn hold(page: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("docs/{page}: {error}"));
    let (before, rest) = text.split_once(BEGIN).unwrap_or_else(|| panic!("docs/{page} has no {BEGIN}"));
    let (stands, after) = rest.split_once(END).unwrap_or_else(|| panic!("docs/{page} has no {END}"));
    let generated = format!("\n{generated}\n");
    if stands == generated {
        return;
    }
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, format!("{before}{BEGIN}{generated}{END}{after}")).unwrap();
        return;
    }
    let differs = generated.lines().find(|line| !stands.lines().any(|other| other == *line));
    let gone = stands.lines().find(|line| !generated.lines().any(|other| other == *line));
    panic!("docs/{page} is stale: run the tests with {UPDATE}=1.\n+ {differs:?}\n- {gone:?}");
}
