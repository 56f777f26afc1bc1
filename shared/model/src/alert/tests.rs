use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

type Pairs = Vec<(String, String)>;

fn labels_of(pairs: &[(String, String)]) -> Labels<'_> {
    pairs.iter().map(|(name, value)| (Cow::Borrowed(&**name), Cow::Borrowed(&**value))).collect()
}

fn any_pairs() -> impl Strategy<Value = Pairs> {
    proptest::collection::btree_map(".{0,12}", ".{0,24}", 0..20).prop_map(|pairs| pairs.into_iter().collect())
}

/// The same pairs in two orders.
fn two_orders() -> impl Strategy<Value = (Pairs, Pairs)> {
    any_pairs().prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
}

/// Pairs past every limit: many, long, and with names that repeat.
fn oversized_pairs() -> impl Strategy<Value = Pairs> {
    let value = (0_usize..3 * LABEL_VALUE_BYTES_MAX, proptest::sample::select(vec!['x', 'é', '火', '😀']))
        .prop_map(|(bytes, letter)| letter.to_string().repeat(bytes / letter.len_utf8()));
    proptest::collection::vec(("[a-z]{1,2}", value), 0..2 * LABELS_MAX)
}

proptest! {
    #[test]
    fn the_order_labels_come_in_does_not_matter((one, other) in two_orders()) {
        prop_assert_eq!(labels_of(&one), labels_of(&other));
        let print = |pairs: &Pairs| Fingerprint::of_pairs(pairs.iter().map(|(name, value)| (&**name, &**value)));
        prop_assert_eq!(print(&one), print(&other));
    }

    #[test]
    fn changing_one_value_changes_the_fingerprint(pairs in any_pairs(), index in any::<Index>(), value in ".{0,8}") {
        prop_assume!(!pairs.is_empty());
        let mut changed = pairs.clone();
        let index = index.index(pairs.len());
        changed[index].1 = value;
        let print = |pairs: &Pairs| Fingerprint::of_pairs(pairs.iter().map(|(name, value)| (&**name, &**value)));
        prop_assert_eq!(print(&pairs) == print(&changed), pairs == changed);
    }

    #[test]
    fn labels_stay_within_their_limits(pairs in oversized_pairs()) {
        let mut labels = labels_of(&pairs);
        for (name, value) in &pairs {
            labels.insert_if_absent(Cow::Owned(format!("+{name}")), Cow::Borrowed(value));
        }
        let bytes: usize = labels.iter().map(|(name, value)| name.len() + value.len()).sum();
        prop_assert!(labels.len() <= LABELS_MAX && bytes <= LABELS_BYTES_MAX, "{} pairs, {bytes} bytes", labels.len());
        prop_assert!(labels.iter().all(|(_, value)| value.len() <= LABEL_VALUE_BYTES_MAX));
        let names: Vec<_> = labels.iter().map(|(name, _)| name).collect();
        prop_assert!(names.is_sorted_by(|before, after| before < after));
    }

    #[test]
    fn small_sets_are_kept_whole_and_the_last_of_several_values_wins(
        pairs in proptest::collection::vec(("[a-d]", ".{0,8}"), 0..LABELS_MAX),
    ) {
        let expected: BTreeMap<_, _> = pairs.iter().cloned().collect();
        let labels = labels_of(&pairs);
        prop_assert!(labels.iter().eq(expected.iter().map(|(name, value)| (&**name, &**value))));
        for (name, value) in &expected {
            prop_assert_eq!(labels.get(name), Some(&**value));
        }
        prop_assert_eq!(labels.get("z"), None);
    }

    #[test]
    fn labels_are_read_from_json(pairs in any_pairs()) {
        let labels = labels_of(&pairs);
        let json = serde_json::to_string(&labels.iter().collect::<BTreeMap<_, _>>()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Labels<'_>>(&json).unwrap(), labels);
    }
}

#[test]
fn of_too_many_labels_those_that_are_wanted_are_kept() {
    let pairs =
        |count: usize| (0..count).map(|n| (Cow::Owned(format!("l{n:03}")), Cow::Borrowed("x"))).collect();
    let is_wanted = |name: &str| name == "l070";
    let labels = Labels::chosen(pairs(80), is_wanted);
    assert_eq!((labels.len(), labels.get("l070"), labels.get("l063")), (LABELS_MAX, Some("x"), None));
    assert_eq!(labels.get("l062"), Some("x"));
    assert_eq!(Labels::chosen(pairs(64), is_wanted), pairs(64).into_iter().collect());
}

#[test]
fn the_fingerprint_of_labels_is_alertmanagers() {
    let test = [("alertname", "TestAlert"), ("instance", "Grafana")];
    assert_eq!(Fingerprint::of_labels(test).as_str(), "57c6d9296de2ad39");
    assert_eq!(Fingerprint::of_labels([]).as_str(), "cbf29ce484222325");
}

#[test]
fn a_value_that_is_too_long_is_cut_between_characters_and_marked() {
    let long = "火".repeat(LABEL_VALUE_BYTES_MAX);
    let labels: Labels<'_> = [(Cow::Borrowed("a"), Cow::Borrowed(&*long))].into_iter().collect();
    let kept = labels.get("a").unwrap();
    assert!(kept.starts_with('火') && kept.ends_with("火…") && kept.len() <= LABEL_VALUE_BYTES_MAX);
    assert!(kept.len() > LABEL_VALUE_BYTES_MAX - 8);
}

#[test]
fn a_fingerprint_tells_where_a_name_ends_and_its_value_begins() {
    let one = Fingerprint::of_pairs([("a", "bc")]);
    let other = Fingerprint::of_pairs([("ab", "c")]);
    assert_ne!(one, other);
    assert!(one.as_str().len() == 16 && one.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn a_sources_own_fingerprint_is_used_if_it_can_be_shown() {
    for usable in ["0f3c8a1be2d94a57", "7d1f5a52-0e0c-4d9a-9a51-3a3f5c2b1e88", "x"] {
        assert_eq!(Fingerprint::own(usable.into()).unwrap().as_str(), usable);
    }
    for unusable in ["", "a b", "ключ", "line\n", &"f".repeat(65)] {
        assert_eq!(Fingerprint::own(unusable.into()), None, "{unusable:?}");
    }
}

#[test]
fn labels_borrow_from_what_they_are_read_from() {
    let json = r#"{"plain":"borrowed","escaped":"a\nb"}"#;
    let labels: Labels<'_> = serde_json::from_str(json).unwrap();
    let inside = |text: &str| json.as_bytes().as_ptr_range().contains(&text.as_ptr());
    assert!(inside(labels.get("plain").unwrap()));
    assert!(!inside(labels.get("escaped").unwrap()));
}
