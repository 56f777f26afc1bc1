use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn folded(names: &[&str]) -> String {
    FoldedNames::of(names).within(usize::MAX / 2).text
}

/// Reads what was printed, as its grammar says, by other code than the one that writes it.
pub(in crate::render) fn expanded(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = first_piece(rest);
        names.extend(of_piece(piece));
        rest = after;
    }
    names
}

fn first_piece(text: &str) -> (&str, &str) {
    let mut depth = 0;
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth -= 1,
            '\n' if !quoted => return (&text[..at], &text[at + 1..]),
            ',' if !quoted && depth == 0 => return (&text[..at], text[at..].strip_prefix(", ").unwrap()),
            _ => {}
        }
    }
    (text, "")
}

fn of_piece(piece: &str) -> Vec<String> {
    let (name, times) = match piece.rsplit_once(" ×") {
        Some((name, times)) if !times.ends_with('"') => (name, times.parse().unwrap()),
        _ => (piece, 1),
    };
    if let Some(inner) = name.strip_prefix('"') {
        return vec![inner.strip_suffix('"').unwrap().replace("\"\"", "\""); times];
    }
    if let Some((before, rest)) = name.split_once('[') {
        let (numbers, after) = rest.split_once(']').unwrap();
        return numbers
            .split(',')
            .flat_map(of_range)
            .map(|number| format!("{before}{number}{after}"))
            .collect();
    }
    if let Some((before, rest)) = name.split_once('{') {
        let (endings, after) = rest.split_once('}').unwrap();
        return endings.split(',').map(|ending| format!("{before}{ending}{after}")).collect();
    }
    vec![name.to_owned(); times]
}

fn of_range(range: &str) -> Vec<String> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let width = if first.starts_with('0') { first.len() } else { 0 };
    let from: u64 = first.parse().unwrap();
    let to: u64 = last.parse().unwrap();
    (from..=to).map(|number| format!("{number:0width$}")).collect()
}

fn counted<'n>(names: impl IntoIterator<Item = &'n str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_insert(0) += 1;
    }
    counts
}

fn check(names: &[&str], bytes_max: usize) {
    let folded = FoldedNames::of(names);
    let all = folded.within(folded.bytes());
    assert!(all.missing.is_empty(), "{} names, {}", names.len(), all.text);
    assert_eq!(json_bytes(&all.text), folded.bytes(), "{}", all.text);
    assert_eq!(
        counted(expanded(&all.text).iter().map(String::as_str)),
        counted(names.iter().copied()),
        "{}",
        all.text
    );
    let part = folded.within(bytes_max);
    assert!(
        json_bytes(&part.text) <= bytes_max,
        "{} bytes of {bytes_max}: {}",
        json_bytes(&part.text),
        part.text
    );
    let listed =
        names.iter().enumerate().filter(|(position, _)| part.missing.binary_search(position).is_err());
    let listed = counted(listed.map(|(_, name)| *name));
    assert_eq!(counted(expanded(&part.text).iter().map(String::as_str)), listed, "{}", part.text);
}

#[test]
fn names_are_folded_as_operators_write_them() {
    for (names, text) in [
        (&["bj-web-0003", "bj-web-0001", "bj-web-0002", "bj-web-0040"][..], "bj-web-[0001-0003,0040]"),
        (&["checkout-7f9c6d8b5-x2k4q", "checkout-7f9c6d8b5-m8v2c"], "checkout-7f9c6d8b5-{m8v2c,x2k4q}"),
        (&["10.12.3.4:9100", "10.12.3.19:9100", "10.12.3.5:9100"], "10.12.3.[4-5,19]:9100"),
        (&["web-9", "web-10", "web-2"], "web-[2,9-10]"),
        (&["web-09", "web-10", "web-9"], "web-[09-10]\nweb-9"),
        (&["db.bj.example", "web.bj.example"], "{db,web}.bj.example"),
        (&["a", "b", "a"], "a ×2, b"),
        (&["api", "say \"hi\", now", ""], "\"\", api, \"say \"\"hi\"\", now\""),
        (&["node-1", "gateway", "node-2"], "gateway\nnode-[1-2]"),
        (&[], ""),
    ] {
        assert_eq!(folded(names), text);
        check(names, 10);
    }
}

#[test]
fn numbers_come_in_their_own_order() {
    let mut names = ["web-10", "web-2", "web-02", "web", "2", "10", "web-2a"];
    names.sort_by(|one, other| natural(one, other));
    assert_eq!(names, ["2", "10", "web", "web-02", "web-2", "web-2a", "web-10"]);
}

#[test]
fn what_takes_little_room_comes_first_and_a_piece_is_cut_within() {
    let names: Vec<_> =
        (0..100).map(|number| format!("web-{:03}", number * 2)).chain(["a-single-name".to_owned()]).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let part = FoldedNames::of(&names).within(20);
    assert_eq!(part.text, "web-[000,002,004]");
    assert_eq!(part.missing.len(), 98);
}

/// The part of a name that a stranger has chosen.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        (0_u32..40).prop_map(|number| format!("bj-web-{number:04}")),
        (0_u32..120).prop_map(|number| format!("node{number}")),
        (0_u32..120).prop_map(|number| format!("node{number:02}.bj.example.com:9100")),
        (0_u32..4, 0_u32..256).prop_map(|(net, host)| format!("10.12.{net}.{host}:9100")),
        (0_u32..3, "[b-dx2-5]{3}").prop_map(|(set, ending)| format!("checkout-7f9c6d8b{set}-{ending}")),
        (0_u32..3, 0_u32..3, "app|log")
            .prop_map(|(set, pod, container)| format!("kafka-{set:02}-{pod}/{container}")),
        "[a-c01\\[\\]{},\" ×-]{0,6}",
        "[0-9]{1,20}",
        "[a字🔴é/:._-]{0,5}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_printed_expands_to_what_was_put_in_less_what_is_missing(
        names in proptest::collection::vec(name(), 0..200),
        bytes_max in 0_usize..2_500,
    ) {
        check(&names.iter().map(String::as_str).collect::<Vec<_>>(), bytes_max);
    }
}
