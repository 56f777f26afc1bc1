//! Hostile text: whatever an alert says, it mentions nobody, links nowhere and formats nothing.

use proptest::prelude::*;

use super::super::markup::unmarked;
use super::*;

/// What Feishu's markdown gives a meaning to, and what it takes to give it.
const HOSTILE: [&str; 16] = [
    "<at id=all></at>",
    "<at id=\"ou_123\"></at>",
    "<at email=boss@example.com></at>",
    "[ok](https://evil.example)",
    "<a href='https://evil.example'>ok</a>",
    "![x](img_key)",
    "**bold** *it* ~~gone~~ __under__",
    "<font color='red'>red</font>",
    "```\ncode\n```",
    "`code`",
    "# heading\n> quote\n- item\n+ item\n1. item",
    "$\\frac{1}{2}$",
    ":OK: :SMILE:",
    "<text_tag color='red'>tag</text_tag>",
    "&lt;at id=all&gt;&#60;at id=all&#62;",
    "a\u{200b}b\u{202e}c\u{2066}d\u{7}e\u{feff}",
];

#[test]
fn hostile_text_has_no_meaning_left_in_markdown() {
    for text in HOSTILE {
        let escaped = markdown(&clean(text, 1_000));
        for special in ["<", ">", "*", "_", "`", "[", "]", "(", ")", "~~", "$", "\\", ":O", ":S"] {
            assert!(!escaped.contains(special), "{special} in {escaped}");
        }
        for line in escaped.lines() {
            let line = line.trim_start();
            assert!(!line.starts_with(['-', '+', '>']) && !line.starts_with("1. "), "{line}");
        }
    }
}

#[test]
fn a_tag_cannot_be_written_into_plain_text() {
    for text in HOSTILE {
        assert!(!untagged(text).contains('<'), "{text}");
    }
}

#[test]
fn invisible_and_turning_characters_are_gone() {
    assert_eq!(clean("a\u{200b}b\u{202e}c\u{2066}d\u{7}e\u{feff}", 100), "abcd e");
    assert_eq!(clean("pay\u{ad}ments\u{e0041}\u{fe0f}", 100), "payments");
}

#[test]
fn no_line_begins_with_a_sign_of_ours() {
    assert_eq!(
        clean("🟢 fine\n 🔴\u{200b}\u{fe0f} ➕ 3 more\n  indented\nis 🔴 now", 100),
        "› 🟢 fine\n› 🔴 ➕ 3 more\n  indented\nis 🔴 now"
    );
    assert_eq!(clean_line("\u{2800}\u{3000}🔁 🔁", 100), "› 🔁 🔁");
    assert_eq!(title_line("🔴 the disk is full", 100), "🔴 the disk is full");
}

#[test]
fn a_family_is_shown_as_its_members() {
    assert_eq!(clean("👨\u{200d}👩\u{200d}👧 क\u{94d}\u{200d}ष", 100), "👨👩👧 क\u{94d}ष");
}

#[test]
fn an_entity_in_the_text_stays_text() {
    assert_eq!(unmarked(&markdown("&#60;at&#62;")), "&#60;at&#62;");
    assert_eq!(markdown("a && b & c"), "a && b & c");
    assert_eq!(unmarked(&markdown("1. ~~gone~~ &nbsp; &sim;")), "1. ~~gone~~ &nbsp; &sim;");
    assert_eq!(markdown("12.4 % of 10.0.0.1 ~ 1.5"), "12.4 % of 10.0.0.1 ~ 1.5");
}

#[test]
fn line_feeds_are_kept_but_not_piled_up() {
    assert_eq!(clean("a\r\nb\rc\n\n\n\n\nd\u{2028}e", 100), "a\nb\nc\n\n\nd\ne".replace("\n\n\n", "\n\n"));
}

#[test]
fn a_cut_is_made_between_words_and_shown() {
    assert_eq!(clean("the disk of the server is nearly full", 30), "the disk of the server is…");
    assert_eq!(clean(&"字".repeat(20), 10), format!("{}…", "字".repeat(9)));
    assert_eq!(clean("anything", 0), "");
}

proptest! {
    #[test]
    fn escaping_changes_what_text_means_and_not_how_it_reads(text in any::<String>()) {
        let text = clean(&text, 500);
        prop_assert_eq!(unmarked(&markdown(&text)), text);
    }

    #[test]
    fn no_text_is_longer_than_asked(text in any::<String>(), most in 0_usize..50) {
        prop_assert!(clean(&text, most).chars().count() <= most);
    }

    #[test]
    fn any_text_without_letters_is_harmless(text in "[-<>*_~`\\[\\]()#+!:/\\\\\"'$& \n1.a]{0,60}") {
        let escaped = markdown(&clean(&text, 500));
        let harmful = ["<", ">", "*", "_", "`", "[", "]", "(", ")", "~~", "$", "\\"];
        prop_assert!(!harmful.iter().any(|special| escaped.contains(special)), "{}", escaped);
    }
}
