//! Bytes of a body → text that a JSON reader takes, where the bytes are not quite what JSON asks for. Pure.

use std::borrow::Cow;

use encoding_rs::{Encoding, GBK, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How long `\uXXXX` is.
const ESCAPE_BYTES: usize = 6;
/// What stands for a character that is broken.
const REPLACEMENT: &str = "\\ufffd";

/// The body as text: without a byte order mark, and with `U+FFFD` for whatever cannot be read and for half a surrogate
/// pair, which is what remains when a sender cuts a text in the middle of an emoji.
pub fn text_of(body: &[u8]) -> Cow<'_, str> {
    text_in(body, None)
}

/// The same of a body whose sender declares a character set.
pub fn text_in<'b>(body: &'b [u8], declared: Option<&str>) -> Cow<'b, str> {
    let text = decoded(body, declared);
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return text;
    }
    Cow::Owned(with_whole_pairs(&text))
}

/// A byte order mark goes before what is declared, and what is declared before what is evident. Many declare Latin-1 and
/// write UTF-8: what is UTF-8 is no accident then.
fn decoded<'b>(body: &'b [u8], declared: Option<&str>) -> Cow<'b, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(body) {
        return encoding.decode_without_bom_handling(body.get(mark..).unwrap_or_default()).0;
    }
    let declared = declared.and_then(|name| Encoding::for_label(name.as_bytes()));
    match declared.filter(|encoding| *encoding != UTF_8) {
        Some(encoding) if encoding != WINDOWS_1252 || str::from_utf8(body).is_err() => {
            encoding.decode_without_bom_handling(body).0
        }
        Some(_) | None => undeclared(body),
    }
}

fn undeclared(body: &[u8]) -> Cow<'_, str> {
    // JSON begins with ASCII, so that a zero beside it can only be half of a character.
    match body {
        [0, 1..=0x7f, ..] => return UTF_16BE.decode_without_bom_handling(body).0,
        [1..=0x7f, 0, ..] => return UTF_16LE.decode_without_bom_handling(body).0,
        _ => {}
    }
    // Checking first is several times faster than mending at once, and hardly any body needs mending.
    if let Ok(text) = str::from_utf8(body) {
        return Cow::Borrowed(text);
    }
    let mended = String::from_utf8_lossy(body);
    // A text in GBK is hardly ever UTF-8 by half; one in UTF-8 that was cut is nearly all of it.
    let broken = mended.matches(char::REPLACEMENT_CHARACTER).count();
    let whole = mended.chars().filter(|letter| !letter.is_ascii()).count() - broken;
    if broken <= whole {
        return mended;
    }
    let is_chinese = |letter: char| matches!(letter, '\u{3000}'..='\u{303f}' | '\u{4e00}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}');
    let read = GBK.decode_without_bom_handling_and_without_replacement(body);
    let read = read.filter(|text| text.chars().filter(|letter| !letter.is_ascii()).all(is_chinese));
    read.unwrap_or(mended)
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
    fn other_character_sets_are_read_where_they_are_declared_or_evident() {
        let text = r#"{"message":"磁盘已满，请处理"}"#;
        let gbk = GBK.encode(text).0;
        assert_eq!(text_of(&gbk), text);
        assert_eq!(text_in(&gbk, Some("GB2312")), text);
        let wide = |to_bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to_bytes).collect::<Vec<_>>();
        for bytes in [wide(u16::to_le_bytes), wide(u16::to_be_bytes)] {
            assert_eq!(text_of(&bytes), text);
        }
        let marked = [&[0xff, 0xfe][..], &wide(u16::to_le_bytes)].concat();
        assert_eq!(text_in(&marked, Some("utf-8")), text);
        assert_eq!(text_in(b"\"Z\xfcrich\"", Some("iso-8859-1")), "\"Zürich\"");
        assert_eq!(
            text_in("\"Zürich 火\"".as_bytes(), Some("latin1")),
            "\"Zürich 火\"",
            "it is UTF-8 after all"
        );
        assert_eq!(text_in("火".as_bytes(), Some("no-such-set")), "火");
    }

    #[test]
    fn what_is_utf_8_but_for_a_cut_is_not_taken_for_another_set() {
        let cut = &"订单服务异常".as_bytes()[..16];
        assert_eq!(text_of(cut), "订单服务异\u{fffd}");
    }

    #[test]
    fn a_byte_order_mark_and_broken_bytes_do_no_harm() {
        assert_eq!(text_of(b"\xef\xbb\xbf{}"), "{}");
        assert_eq!(text_of(b"\"\xff\""), "\"\u{fffd}\"");
        assert!(matches!(text_of("{\"飞书\":1}".as_bytes()), Cow::Borrowed(_)));
    }
}
