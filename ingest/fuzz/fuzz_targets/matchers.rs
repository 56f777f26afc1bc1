//! Matchers as operators write them, and a label they are held against.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::alert::Labels;
use model::matcher::Matcher;

fuzz_target!(|text: &str| {
    let (text, value) = text.split_once('\n').unwrap_or((text, ""));
    let labels: Labels<'_> = [("a".into(), value.into())].into_iter().collect();
    if let Ok(matchers) = Matcher::all(text) {
        for matcher in matchers {
            matcher.matches(&labels);
            let again = Matcher::all(&matcher.to_string()).expect("what was shown can be read");
            assert_eq!(again.len(), 1, "{matcher}");
        }
    }
});
