//! Bytes of a body → text that a JSON reader takes, where the bytes are not quite what JSON asks for.

use std::borrow::Cow;

/// How long `\uXXXX` is.
const ESCAPE_BYTES: usize = 6;
/// What stands for a character that is broken.
const REPLACEMENT: &str = "\\ufffd";

/// The body as text: without a byte order mark, and with `U+FFFD` for whatever is not UTF-8 and for half a
/// surrogate pair, which is what remains when a sender cuts a text in the middle of an emoji.
pub fn text_of(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // Checking first is several times faster than mending at once, and hardly any body needs mending.
    let text = str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return text;
    }
    Cow::Owned(with_whole_pairs(&text))
}

fn with_whole_pairs(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let (kept, length) = match (unit(escape), escape.get(ESCAPE_BYTES..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (escape, 2 * ESCAPE_BYTES),
            (Some(0xd800..=0xdfff), _) => (REPLACEMENT, ESCAPE_BYTES),
            // Both bytes of `\\` and `\"`, so that neither is taken for the beginning of another escape.
            _ => (escape, escape.chars().take(2).map(char::len_utf8).sum()),
        };
        whole.push_str(kept.get(..length).unwrap_or(kept));
        rest = escape.get(length..).unwrap_or_default();
    }
    whole.push_str(rest);
    whole
}

/// The UTF-16 unit that a text beginning with `\uXXXX` writes.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_is_replaced_and_a_whole_one_is_kept() {
        let cases = [
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""cut \ud83d""#, r#""cut \ufffd""#),
            (r#""\uDE00\ud83d\u0041""#, r#""\ufffd\ufffd\u0041""#),
            (r#""path C:\\ud83d \ud83d""#, r#""path C:\\ud83d \ufffd""#),
            (r#""\"\ud83dé\"#, r#""\"\ufffdé\"#),
            (r#""\ud8"#, r#""\ud8"#),
        ];
        for (text, expected) in cases {
            assert_eq!(text_of(text.as_bytes()), expected);
        }
    }

    #[test]
    fn a_byte_order_mark_and_broken_bytes_do_no_harm() {
        assert_eq!(text_of(b"\xef\xbb\xbf{}"), "{}");
        assert_eq!(text_of(b"\"\xff\""), "\"\u{fffd}\"");
        assert!(matches!(text_of("{\"飞书\":1}".as_bytes()), Cow::Borrowed(_)));
    }
}
