use std::collections::{BTreeMap, BTreeSet};

use super::super::environment::Environment;
use super::super::reader::{Asked, Reader};
use super::super::{settings as reading, tree};
use super::*;

/// One of everything of which there can be several, called as the registry calls it.
const ONE_OF_EACH: &str = "
receivers: { NAME: { bots: [{}] } }
routes: [{ routes: [{}] }]
templates: { NAME: {} }
gate: { paths: { PATH: {} } }
owners: { by_label: { LABEL: {} } }
alertmanagers: { NAME: {} }
sources: { NAME: {} }
heartbeats: { NAME: {} }
console: { users: [{}] }
escalations: { NAME: { steps: [{}] } }
rotations: { NAME: { overrides: [{}] } }
";

/// A path without names: `receivers.NAME.bots[].secret` and `receivers.ops.bots.1.secret` are the same.
fn nameless(path: &str) -> String {
    let own =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let parts = path.split('.').map(|part| if own(part) { "*".to_owned() } else { part.replace("[]", ".*") });
    parts.collect::<Vec<_>>().join(".")
}

/// The settings the code asks for, and how.
fn asked() -> BTreeMap<String, Asked> {
    let reader = Reader::new("test.yaml", Environment::default());
    let _config = reading::read(&reader, &tree::parse(ONE_OF_EACH).unwrap());
    reader.asked.into_inner().into_iter().map(|(path, asked)| (nameless(&path), asked)).collect()
}

#[test]
fn what_the_code_reads_is_what_the_registry_lists() {
    let listed: BTreeMap<String, Asked> = settings()
        .map(|setting| {
            let asked = Asked { variable: setting.variable, is_secret: setting.is_secret };
            (nameless(setting.key.trim_end_matches("[]")), asked)
        })
        .collect();
    let asked = asked();
    // What a nested route is asked for, a route is asked for, too.
    let asked: BTreeMap<_, _> =
        asked.into_iter().filter(|(path, _)| !path.starts_with("routes.*.routes.*.")).collect();
    let asked_for: BTreeSet<_> = asked.keys().collect();
    let known: BTreeSet<_> = listed.keys().collect();
    let missing: Vec<_> = asked_for.difference(&known).collect();
    let unread: Vec<_> = known.difference(&asked_for).collect();
    assert!(
        missing.is_empty() && unread.is_empty(),
        "not in the registry: {missing:?}; not read: {unread:?}"
    );
    assert_eq!(asked, listed, "variables, and which are secrets");
}

#[test]
fn no_key_and_no_variable_stands_there_twice() {
    let twice = |names: Vec<&str>| {
        let mut seen = BTreeSet::new();
        names.into_iter().filter(|name| !seen.insert(*name)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(twice(settings().map(|setting| setting.key).collect()), [""; 0]);
    assert_eq!(twice(settings().filter_map(|setting| setting.variable).collect()), [""; 0]);
}

#[test]
fn each_is_explained_in_both_languages() {
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for Setting { key, meaning, default, .. } in settings() {
        assert!(!meaning.en.is_empty() && !chinese(meaning.en), "{key} in English: {}", meaning.en);
        // A URL by itself is the same in both.
        let is_code = meaning.zh.starts_with('`') && meaning.zh.matches('`').count() == 2;
        assert!(chinese(meaning.zh) || is_code, "{key} in Chinese: {}", meaning.zh);
        if let DefaultValue::Words(Bilingual { en, zh }) = default {
            assert!(!en.is_empty() && !zh.is_empty() && !chinese(en), "the default of {key}");
        }
    }
    for SettingGroup { title, about, .. } in GROUPS {
        assert!(!chinese(title.en) && chinese(title.zh), "{}", title.en);
        assert_eq!(about.en.is_empty(), about.zh.is_empty(), "what is said about {}", title.en);
    }
}
