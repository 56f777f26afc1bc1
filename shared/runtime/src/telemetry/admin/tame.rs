//! What an answer repeats of what was asked or told is obeyed by no terminal and no eye, whichever page made it. Pure.

use std::fmt::Write;

use bytes::Bytes;

use crate::plain::{escape_into, is_obeyed};

/// How a body is read, which decides what in it is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyKind {
    /// Lines: their ends and tabs are ours. In JSON all else stands within strings, which say the same afterwards.
    Text,
    /// Tags and text; what stands in an attribute is sent back by forms, and has to stay what it is.
    Html,
    /// Lines that end as RFC 4180 and RFC 5545 have it, after a byte order mark.
    Table,
}

/// The body with whatever would be obeyed written `\u001b`. What is none of these kinds is a file of ours, or metrics: those
/// have names of the settings, a form in which `\u` means nothing, and a length that is looked through every few seconds.
pub(super) fn tamed(media_type: &str, body: Bytes) -> Bytes {
    if media_type == prometheus::TEXT_FORMAT {
        return body;
    }
    let kind = match media_type.split(';').next().unwrap_or_default() {
        "text/plain" | "application/json" => BodyKind::Text,
        "text/html" => BodyKind::Html,
        "text/csv" | "text/calendar" => BodyKind::Table,
        _ => return body,
    };
    let Ok(text) = std::str::from_utf8(&body) else { return body };
    if !text.chars().any(|character| is_obeyed(character) && !matches!(character, '\n' | '\t')) {
        return body;
    }
    let mut plain = String::with_capacity(text.len() + text.len() / 8);
    let mut is_in_tag = false;
    for (place, character) in text.char_indices() {
        is_in_tag = match character {
            '<' => true,
            '>' => false,
            _ => is_in_tag,
        };
        match (character, kind) {
            ('\n' | '\t', _) | ('\r', BodyKind::Table) => plain.push(character),
            ('\u{feff}', BodyKind::Table) if place == 0 => plain.push(character),
            _ if kind == BodyKind::Html && is_in_tag && is_kept_by_reference(character) => {
                // Writing to a string cannot fail.
                let _written = write!(plain, "&#x{:x};", u32::from(character));
            }
            _ => escape_into(&mut plain, character),
        }
    }
    plain.into()
}

/// Whether a browser takes a numeric reference for this very character: those of the second set of controls stand for others
/// (WHATWG HTML, "numeric character reference end state").
fn is_kept_by_reference(character: char) -> bool {
    is_obeyed(character) && !matches!(character, '\0' | '\r' | '\u{80}'..='\u{9f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(media_type: &str, text: &str) -> String {
        String::from_utf8(tamed(media_type, text.to_owned().into()).to_vec()).unwrap()
    }

    #[test]
    fn each_kind_keeps_what_is_its_own_and_nothing_else() {
        const EVIL: &str = "a\u{1b}[2J\u{9b}\u{202e}\u{7f}é\r\n";
        for (media_type, expected) in [
            ("text/plain; charset=utf-8", "a\\u001b[2J\\u009b\\u202e\\u007fé\\u000d\n"),
            ("application/json", "a\\u001b[2J\\u009b\\u202e\\u007fé\\u000d\n"),
            ("text/html; charset=utf-8", "a\\u001b[2J\\u009b\\u202e\\u007fé\\u000d\n"),
            ("text/csv; charset=utf-8", "a\\u001b[2J\\u009b\\u202e\\u007fé\r\n"),
            ("text/javascript; charset=utf-8", EVIL),
        ] {
            assert_eq!(of(media_type, EVIL), expected, "{media_type}");
        }
        assert_eq!(of("text/csv", "\u{feff}\"a\u{feff}\"\r\n"), "\u{feff}\"a\\ufeff\"\r\n");
    }

    #[test]
    fn what_a_form_sends_back_stays_what_it_is() {
        let page = "<input value=\"a\u{202e}\u{1b}\u{9b}&gt;\">\u{202e}<b>\u{7}</b>";
        let expected = "<input value=\"a&#x202e;&#x1b;\\u009b&gt;\">\\u202e<b>\\u0007</b>";
        assert_eq!(of("text/html", page), expected);
    }

    proptest! {
        #[test]
        fn whatever_is_answered_nothing_in_it_is_obeyed(text in ".*", is_html: bool) {
            let shown = of(if is_html { "text/html" } else { "application/json" }, &text);
            prop_assert!(!shown.chars().any(|c| is_obeyed(c) && !matches!(c, '\n' | '\t')), "{:?}", shown);
        }
    }
}
